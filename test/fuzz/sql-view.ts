import Database from 'better-sqlite3'
import { migrations } from '../../src/broker/sqlite/migrations.ts'
import type { FuzzTarget } from './target.ts'

const columns = [
  'task',
  'payload',
  'argv',
  'queue',
  'priority',
  'due_at',
  'delay_ms',
  'retries',
  'unique_key',
  'expires_at',
  'tags',
  'name',
  'meta',
  'ref',
]

const database = new Database(':memory:')
for (const { sql } of migrations) database.exec(sql)
const statements = columns.map((column) => {
  const beside = column === 'task' || column === 'argv' ? '' : ", 't'"
  return database.prepare(`INSERT INTO enqueue(${column}${beside && ', task'}) VALUES (?${beside})`)
})
const everything = ['job_view', 'event_view', 'queue_view'].map((view) => database.prepare(`SELECT * FROM ${view}`))

/** The view `enqueue`: the first byte says which column, the second whether as text, bytes, a float or an integer. */
export const sqlViewTarget: FuzzTarget = {
  name: 'sql-view',
  examples: [
    'mail/send',
    '{"to":"ann"}',
    '["ls","-l"]',
    'media',
    '5',
    '2030-01-31T08:00:00Z',
    '60000',
    '3',
    'key',
    '1893456000000',
    '["a","b"]',
    'a name',
    '{"a":"b"}',
    'ref',
  ].map((text, column) => Buffer.from(`${String.fromCharCode(column)}\0${text}`)),
  words: [
    '\x00',
    '\x01',
    '\x02',
    '\x03',
    '[',
    ']',
    '{',
    '}',
    '"',
    ',',
    ':',
    "'",
    '..',
    '/',
    '-',
    'Z',
    '+25:00',
    '\\u0000',
    '\0',
    '1e999',
    '99999999999999999999',
    '\u202e',
  ],
  read(input) {
    const [column = 0, kind = 0] = input
    database.exec('SAVEPOINT input')
    try {
      statements[column % columns.length]?.run(sqlValue(kind % 4, Buffer.from(input.subarray(2))))
      // What was taken can be looked at.
      for (const view of everything) view.all()
    } finally {
      database.exec('ROLLBACK TO input; RELEASE input')
    }
  },
  isRefusal: (error) => error instanceof Database.SqliteError && error.code.startsWith('SQLITE_CONSTRAINT'),
  end: () => void database.close(),
}

const sqlValue = (kind: number, bytes: Buffer): string | Buffer | number | bigint => {
  if (kind === 0) return bytes.toString()
  if (kind === 1) return bytes
  const number = Number(bytes.toString())
  if (kind === 2) return number
  return Number.isSafeInteger(number) ? BigInt(number) : bytes.length >= 8 ? bytes.readBigInt64LE() : 0n
}
