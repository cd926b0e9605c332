import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { SqliteBroker } from '../../src/broker/sqlite/sqlite-broker.ts'
import { isAlive } from '../support/processes.ts'
import { until } from '../support/until.ts'
import { openSite, watched } from './site.ts'

describe('a stop', () => {
  it('lets what runs finish, gives back what waits, and takes nothing more', async (context) => {
    const site = await openSite(context)
    const running = await site.queue.enqueue('hold')
    const waiting = await site.queue.enqueue('hold')
    const worker = await site.start({ prefetch: 5 })
    await site.noted(running, 'began')
    const stopped = worker.stop()
    const later = await site.queue.enqueue('note')
    site.open(running)
    assert.deepEqual(await stopped, { returned: 0, error: null })
    assert.equal((await site.job(running)).state, 'succeeded')
    assert.deepEqual(
      (await Promise.all([waiting, later].map(site.job))).map(({ state, claimed }) => [state, claimed]),
      [
        ['queued', false],
        ['queued', false],
      ],
    )
    assert.deepEqual(await site.broker.workers.list(), [])
    assert.deepEqual(await worker.done, { returned: 0, error: null })
  })

  it('cuts what outlasts its grace, keeps the attempt, counts it and says so in the log of events', async (context) => {
    const site = await openSite(context)
    const id = await site.queue.enqueue('hold')
    const worker = await site.start()
    await site.noted(id, 'began')
    assert.deepEqual(await worker.stop({ grace: 0 }), { returned: 1, error: null })
    const { state, attempt, crashes } = await site.job(id)
    assert.deepEqual([state, attempt, crashes], ['queued', 1, 0])
    assert.deepEqual(
      (await site.events(id)).map(({ type }) => type),
      ['job.queued', 'job.started', 'job.recovered'],
    )
    assert.equal((await site.events(id)).at(-1)?.data.cause, 'shutdown')
    site.open(id)
    await (await site.start({ drain: 'due' })).done
    assert.deepEqual(site.effects(), [`${id} 1 began`, `${id} 1 began`, `${id} 1 ended`])
  })

  it('gives a long grace its time, however long', async (context) => {
    const site = await openSite(context)
    const id = await site.queue.enqueue('hold')
    const worker = await site.start()
    await site.noted(id, 'began')
    const stopped = worker.stop({ grace: '60d' })
    // A timer that is too long for Node fires after one millisecond.
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setTimeout(resolve, 1))
    site.open(id)
    assert.deepEqual(await stopped, { returned: 0, error: null })
  })

  it('waits for nothing when it is cold, not even for a task that ignores its end', async (context) => {
    const site = await openSite(context)
    const id = await site.queue.enqueue('stubborn')
    const worker = await site.start({ killAfter: '1h' })
    await site.noted(id, 'began')
    assert.deepEqual(await worker.stop({ cold: true }), { returned: 1, error: null })
    assert.deepEqual([(await site.job(id)).state, (await site.job(id)).attempt], ['queued', 1])
  })

  it('is cut short by a second, cold one', async (context) => {
    const site = await openSite(context)
    const id = await site.queue.enqueue('stubborn')
    const worker = await site.start({ killAfter: '1h' })
    await site.noted(id, 'began')
    const first = worker.stop({ grace: '1h' })
    assert.deepEqual(await worker.stop({ cold: true }), { returned: 1, error: null })
    assert.deepEqual(await first, { returned: 1, error: null })
    assert.deepEqual(await worker.stop(), { returned: 1, error: null })
  })

  it('gives back at once what a claim still under way brings in', async (context) => {
    const site = await openSite(context)
    const broker = SqliteBroker.open(site.database)
    context.after(() => broker.close())
    const claiming = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    let hold = false
    const slow = watched(broker, 'settle', async (_reports, _now, claim) => {
      if (!hold || claim === undefined) return
      hold = false
      claiming.resolve()
      await goOn.promise
    })
    const worker = await site.start({ broker: slow })
    hold = true
    const id = await site.queue.enqueue('note')
    await claiming.promise
    const stopped = worker.stop()
    const turned = new Promise<string>((resolve) => setTimeout(resolve, 0, 'the event loop turns'))
    goOn.resolve()
    assert.equal(await Promise.race([turned, stopped]), 'the event loop turns')
    await stopped
    const { state, claimed, attempt } = await site.job(id)
    assert.deepEqual([state, claimed, attempt], ['queued', false, 0])
    assert.deepEqual(
      (await site.events(id)).map(({ type }) => type),
      ['job.queued'],
    )
  })

  it('while it starts ends it as well', async (context) => {
    const site = await openSite(context, {
      'slow.js': `import fs from 'node:fs'
        fs.writeFileSync(new URL('../loading', import.meta.url), String(process.pid))
        await new Promise((resolve) => setTimeout(resolve, 3600_000))
        export default () => {}`,
    })
    const worker = site.worker()
    const started = worker.start()
    const pid = Number(
      await until('a child to load its tasks', () => {
        const file = path.join(site.folder, 'loading')
        return fs.existsSync(file) && (fs.readFileSync(file, 'utf8') || false)
      }),
    )
    assert.deepEqual(await worker.stop(), { returned: 0, error: null })
    await started
    assert.equal(isAlive(pid), false)
    assert.deepEqual(await site.broker.workers.list(), [])
  })

  it('before the start is the end: there is no start after it', async (context) => {
    const site = await openSite(context)
    const worker = site.worker()
    assert.deepEqual(await worker.stop(), { returned: 0, error: null })
    await assert.rejects(worker.start(), { code: 'conflict' })
  })
})

describe('a start', () => {
  it('that fails is told by the start and by the end', async (context) => {
    const site = await openSite(context)
    fs.writeFileSync(path.join(site.folder, 'notes.txt'), 'no database, but notes of mine. '.repeat(10))
    const worker = site.worker({ broker: path.join(site.folder, 'notes.txt') })
    await assert.rejects(worker.start(), { code: 'unusable' })
    const { error } = await worker.done
    assert.match(String(error), /notes\.txt/)
  })

  it('happens once', async (context) => {
    const site = await openSite(context)
    const worker = await site.start()
    await assert.rejects(worker.start(), { code: 'conflict' })
  })
})
