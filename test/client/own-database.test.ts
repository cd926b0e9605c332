// Jobs in the application's own database: part of its transactions, done when they commit.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import Database from 'better-sqlite3'
import { connect, defineTask } from '../../src/index.ts'
import { newFile } from './brokers.ts'

const own = async () => {
  const file = newFile()
  const database = new Database(file)
  database.pragma('journal_mode = WAL')
  database.exec('CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT NOT NULL)')
  return { file, database, queue: await connect({ database }) }
}

const letter = defineTask({ name: 'mail/send', run: async (payload: { order: number }) => payload.order })

describe('enqueue in an own database', () => {
  it('commits the job with the data it is about', async () => {
    const { database, queue } = await own()
    const place = database.transaction((item: string) => {
      const { lastInsertRowid } = database.prepare('INSERT INTO orders(item) VALUES (?)').run(item)
      return queue.enqueueSync(letter, { order: Number(lastInsertRowid) })
    })
    const id = place('book')
    assert.deepEqual((await queue.get(id))?.payload, { order: 1 })
    assert.equal(database.prepare('SELECT count(*) FROM orders').pluck().get(), 1)
    await queue.close()
    database.close()
  })

  it('leaves nothing behind when the transaction is rolled back', async () => {
    const { database, queue } = await own()
    const place = database.transaction(() => {
      queue.enqueueSync('mail/send', { order: 1 })
      queue.enqueueSync(['true'], { queue: 'new' })
      throw new Error('no stock')
    })
    assert.throws(place, /no stock/)
    assert.deepEqual(await queue.list(), [])
    assert.equal(await queue.broker.events.last(), 0)
    const id = await queue.enqueue('mail/send', { order: 2 }, { queue: 'new' })
    assert.equal((await queue.get(id))?.queue, 'new')
    await queue.close()
    database.close()
  })

  it('refuses a bad job without touching the transaction', async () => {
    const { database, queue } = await own()
    const place = database.transaction(() => {
      database.prepare("INSERT INTO orders(item) VALUES ('pen')").run()
      assert.throws(() => queue.enqueueSync('mail/send', { order: Number.NaN }), { code: 'usage' })
      assert.throws(() => queue.enqueueSync('mail/send', {}, { after: 77 }), { code: 'not-found' })
    })
    place()
    assert.equal(database.prepare('SELECT count(*) FROM orders').pluck().get(), 1)
    assert.deepEqual(await queue.list(), [])
    await queue.close()
    database.close()
  })

  it('is seen by others after the commit only', async () => {
    const { file, database, queue } = await own()
    const second = new Database(file)
    const other = await connect({ database: second })
    database.exec('BEGIN IMMEDIATE')
    const id = queue.enqueueSync('t')
    assert.equal(await other.get(id), null)
    database.exec('COMMIT')
    assert.equal((await other.get(id))?.id, id)
    await other.close()
    second.close()
    await queue.close()
    database.close()
  })

  it('leaves the database open when the queue is closed', async () => {
    const { database, queue } = await own()
    await queue.close()
    assert.equal(database.open, true)
    assert.equal(database.prepare('SELECT 1').pluck().get(), 1)
    database.close()
  })

  it('works on a file of its own as well, and not without SQLite', async () => {
    const queue = await connect(newFile())
    const id = queue.enqueueSync('t', { a: 1 })
    assert.equal((await queue.get(id))?.state, 'queued')
    await queue.close()
    const memory = await connect('memory:')
    assert.throws(() => memory.enqueueSync('t'), { code: 'usage', message: /SQLite only/ })
    await memory.close()
  })
})
