// An application that keeps its own data in SQLite and its jobs in the same file: an order and the mail about it are
// written by one transaction, so there is never the one without the other.
//
//   npm run build:package && node examples/application.ts shop.db       (with Node 24, once)
//   jobq run -b shop.db --tasks examples/tasks --drain                  (in another terminal)
import Database from 'better-sqlite3'
import { connect } from 'jobq'
import type send from './tasks/mail/send.ts'

const database = new Database(process.argv[2] ?? 'shop.db')
database.pragma('journal_mode = WAL')
database.exec('CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, item TEXT NOT NULL)')

// The types of payloads come with the tasks; nothing of their code is loaded here.
const queue = await connect<{ 'mail/send': typeof send }>({ database })

const order = database.transaction((item: string, to: string) => {
  const { lastInsertRowid } = database.prepare('INSERT INTO orders (item) VALUES (?)').run(item)
  return queue.enqueueSync('mail/send', { to, subject: `Order ${lastInsertRowid}: ${item}` }, { retries: 10 })
})

const id = order('a book', 'ada@example.org')
console.log(`job ${id} waits for a worker`)
const { state, result, error } = await queue.wait(id)
console.log(`job ${id} has ${state}:`, error ?? result)

await queue.close()
database.close()
