// Jobs from programs that know SQL only: a wrong value aborts the statement and names its column, a right one runs, and many
// writers at once lose nothing.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { after, before, test } from 'node:test'
import Database from 'better-sqlite3'
import { Workspace } from '../support/cli.ts'
import { noteAcknowledged, noteAsked } from '../support/evidence.ts'
import { assertInvariants } from '../support/invariants.ts'
import { FaultSite } from './fault-site.ts'

type Value = string | number | bigint | null | Uint8Array

/** Each column's values that must be refused; `beside` gives what else the statement says. */
const wrong: Readonly<Record<string, readonly Value[]>> = {
  task: ['', ' ', 'a b', 'a\nb', '/a', 'a/../b', '..', 'x'.repeat(129), 'exec', 'ä', 7, 7n, Buffer.from('t')],
  payload: ['', '{', "{'a':1}", 'nonsense', 7, Buffer.from('{}'), JSON.stringify('x'.repeat(1 << 20))],
  argv: ['', '[]', '{}', '"ls"', '[1]', '[""]', '["ls",null]', '["ls",["a"]]', '["a\\u0000b"]', 'ls', 7],
  queue: ['', 'a b', '/q', 'q/..', 'x'.repeat(129), 'q\u202e', 7],
  priority: [-1, 10, -1n, 10n, 1.5, '5', '', 'high'],
  due_at: [
    -1,
    1.5,
    'tomorrow',
    '12:00',
    '',
    '2026-13-45',
    '2026-11-23T99:00:00Z',
    8_640_000_000_000_001n,
    '1700000000000',
  ],
  delay_ms: [-1, 1.5, '100', '5m', '', 8_640_000_000_000_001n],
  retries: [-1, -1n, 1.5, Number.POSITIVE_INFINITY, '3', '', 1_000_001],
  unique_key: ['', 'x'.repeat(513), 7, Buffer.from('k')],
  expires_at: [-1, 1.5, 'never', '', '2026-13-45'],
  tags: ['', 'a', '{}', '"a"', '[1]', '["a b"]', '[""]', `["${'x'.repeat(129)}"]`, 7],
  name: ['x'.repeat(201), 7, Buffer.from('n')],
  meta: ['', '[]', '"a"', '{"a":1}', '{"a":{}}', '{"a":null}', 'a=b', 7],
  ref: ['', 'x'.repeat(513), 7, 'taken'],
}

const workspace = new Workspace()
let database: Database.Database

before(async () => {
  await workspace.output(['enqueue', '--', 'true'])
  database = new Database(workspace.database)
  database.exec("INSERT INTO enqueue(task, ref) VALUES ('t', 'taken')")
})
after(async () => {
  database.close()
  await workspace.remove()
})

const everything = (): unknown =>
  database
    .prepare(
      'SELECT (SELECT count(*) FROM job_view), (SELECT max(id) FROM event_view), (SELECT count(*) FROM queue_view)',
    )
    .raw()
    .get()

const insert = (values: Readonly<Record<string, Value>>): void => {
  const names = Object.keys(values)
  database.prepare(`INSERT INTO enqueue(${names}) VALUES (${names.map(() => '?')})`).run(...Object.values(values))
}

for (const [column, values] of Object.entries(wrong)) {
  test(`wrong values of ${column} abort and name it`, () => {
    const before = everything()
    for (const value of values) {
      const shown = typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : String(value)
      const beside: Record<string, Value> = column === 'argv' ? {} : { task: 't' }
      const attempt = () => insert({ ...beside, [column]: value })
      assert.throws(attempt, { code: 'SQLITE_CONSTRAINT_TRIGGER', message: new RegExp(`^${column}: `) }, shown)
    }
    assert.deepEqual(everything(), before)
  })
}

test('a job is a task or a command, and a delay excludes a due time', () => {
  const before = everything()

  assert.throws(() => insert({ queue: 'q' }), { message: /^task: give either task or argv/ })
  assert.throws(() => insert({ task: 't', argv: '["true"]' }), { message: /^task: give either task or argv/ })
  assert.throws(() => insert({ argv: '["true"]', payload: '1' }), { message: /^payload: goes with task/ })
  assert.throws(() => insert({ task: 't', due_at: 1, delay_ms: 1 }), { message: /^delay_ms: / })
  assert.deepEqual(everything(), before)
})

test('right values arrive as they are', () => {
  const at = Date.parse('2030-01-02T03:04:05.678Z')
  insert({
    task: 'mail/send',
    payload: '{"to":"ä"}',
    queue: 'mail',
    priority: 9,
    due_at: '2030-01-02T04:04:05.678+01:00',
    retries: 3,
    unique_key: 'k',
    expires_at: at + 1,
    tags: '["a","b"]',
    name: 'Post \u202e',
    meta: '{"from":"sql"}',
    ref: 'mine',
  })
  const row = database.prepare<[], Record<string, unknown>>("SELECT * FROM job_view WHERE ref = 'mine'").get()
  const { id: _, created_at: __, ...rest } = row ?? {}
  assert.deepEqual(rest, {
    task: 'mail/send',
    queue: 'mail',
    state: 'queued',
    label: 'scheduled',
    priority: 9,
    attempt: 0,
    max_attempts: 4,
    payload: '{"to":"ä"}',
    result: null,
    error: null,
    exit_code: null,
    signal: null,
    progress: null,
    due_at: at,
    started_at: null,
    finished_at: null,
    worker: null,
    pid: null,
    unique: 'k',
    tags: '["a","b"]',
    meta: '{"from":"sql"}',
    name: 'Post \u202e',
    after: '[]',
    serializer: 'json',
    compression: null,
    signed_by: null,
    ref: 'mine',
  })
  insert({ task: 'whole', priority: 9n, due_at: BigInt(at), retries: 3n, expires_at: BigInt(at + 1) })
  const whole = "SELECT priority, due_at, max_attempts FROM job_view WHERE task IN ('whole', 'mail/send')"
  assert.deepEqual(database.prepare(whole).raw().all(), [
    [9, at, 4],
    [9, at, 4],
  ])
  insert({ task: 'mail/send', unique_key: 'k' })
  const holders = database.prepare('SELECT count(*) FROM job_view WHERE "unique" = ?').pluck().get('k')
  assert.equal(holders, 1, 'a taken key adds nothing')
})

test('a statement takes part in its transaction', () => {
  const before = everything()
  assert.throws(() =>
    database.transaction(() => {
      insert({ task: 't' })
      assert.notDeepEqual(everything(), before)
      insert({ task: '' })
    })(),
  )
  assert.deepEqual(everything(), before)
})

const hasShell = spawnSync('sqlite3', ['-version']).status === 0

test('many writers with the shell of SQLite beside a worker', { skip: hasShell ? false : 'needs sqlite3' }, () =>
  FaultSite.use(async (site) => {
    const worker = await site.startWorker()
    const each = 40
    const writers = Array.from({ length: 4 }, async (_, writer) => {
      const keys = Array.from({ length: each }, (_, index) => `sql.${writer}.${index}`)
      for (const key of keys) noteAsked(site.files, key, [key])
      const statements = keys.map((key) => {
        const payload = JSON.stringify({ key, file: site.files.effects, ms: 0 }).replaceAll("'", "''")
        return `INSERT INTO enqueue(task, payload, ref) VALUES ('record', '${payload}', '${key}'); SELECT id FROM job_view WHERE ref = '${key}';`
      })
      const { code, stdout, stderr } = await shell(site.files.database, statements.join('\n'))
      assert.deepEqual([code, stderr], [0, ''])
      const ids = stdout.trim().split('\n').map(Number)
      for (const [index, key] of keys.entries()) noteAcknowledged(site.files, key, ids.slice(index, index + 1))
    })
    await Promise.all(writers)
    await site.drained()
    await site.stopWorker(worker)
    assert.equal(site.value("SELECT count(*) FROM job_view WHERE state = 'succeeded'"), 4 * each)
    assertInvariants(site.files)
  }),
)

const shell = (file: string, input: string): Promise<{ code: number | null; stdout: string; stderr: string }> =>
  new Promise((resolve) => {
    const child = spawn('sqlite3', ['-bail', '-cmd', '.timeout 15000', file])
    const told = { stdout: '', stderr: '' }
    child.stdout.on('data', (data) => (told.stdout += data))
    child.stderr.on('data', (data) => (told.stderr += data))
    child.on('close', (code) => resolve({ code, ...told }))
    child.stdin.end(input)
  })
