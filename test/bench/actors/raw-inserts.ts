// The floor: better-sqlite3 itself inserting payloads into a table without an index.
import { openDatabase } from '../../../src/broker/sqlite/native.ts'
import { playActor } from '../actor.ts'
import { payloads } from '../payload.ts'
import { timeBatches, type Writing, type Written } from './batches.ts'

await playActor<Writing, Written>(async (writing) => {
  const database = openDatabase(writing.file)
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = FULL')
  database.exec('CREATE TABLE jobs(id INTEGER PRIMARY KEY, payload TEXT NOT NULL)')
  const insert = database.prepare('INSERT INTO jobs(payload) VALUES (?)')
  const texts = payloads(writing.batch).map((payload) => JSON.stringify(payload))
  const insertAll = database.transaction(() => {
    for (const text of texts) insert.run(text)
  })
  return async () => {
    const written = await timeBatches(writing, () => {
      if (writing.batch === 1) insert.run(texts[0])
      else insertAll()
      return true
    })
    database.close()
    return written
  }
})
