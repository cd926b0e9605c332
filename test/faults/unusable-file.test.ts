// Files that are no queue file of this jobq, or no longer are one: refused with a clear message, and left as they are.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import Database from 'better-sqlite3'
import { program, Workspace } from '../support/cli.ts'

const workspace = new Workspace()
let sound: Buffer

before(async () => {
  const lines = Array.from({ length: 30 }, () => JSON.stringify({ task: 'none', payload: 'x'.repeat(3_000) }))
  await workspace.output(['enqueue', '--batch'], { input: lines.join('\n') })
  const database = new Database(workspace.database)
  database.pragma('wal_checkpoint(TRUNCATE)')
  database.close()
  sound = fs.readFileSync(workspace.database)
  assert.ok(sound.length > 100_000)
})
after(() => workspace.remove())

const sql = (file: string, source: string): void => {
  const database = new Database(file)
  database.exec(source)
  database.close()
}

/** Everything in a folder with its kind, mode and content, but for the shared index and the empty log of SQLite's readers. */
const picture = (folder: string): string[] =>
  fs.readdirSync(folder).flatMap((name) => {
    const file = path.join(folder, name)
    const entry = fs.lstatSync(file)
    if (entry.isFile() && (name.endsWith('-shm') || (name.endsWith('-wal') && entry.size === 0))) return []
    const content = entry.isFile() ? createHash('sha256').update(fs.readFileSync(file)).digest('hex') : ''
    return `${name} ${entry.mode.toString(8)} ${content}`
  })

interface Case {
  readonly name: string
  readonly make: (file: string) => void
  readonly says: RegExp
}

const copyWith = (change: (bytes: Buffer) => Buffer) => (file: string) =>
  fs.writeFileSync(file, change(Buffer.from(sound)))

const cases: readonly Case[] = [
  {
    name: 'a text file',
    make: (file) => fs.writeFileSync(file, 'no database at all\n'.repeat(50)),
    says: /is not a SQLite database/,
  },
  { name: 'a few bytes', make: copyWith((bytes) => bytes.subarray(0, 50)), says: /is not a SQLite database/ },
  { name: 'a spoiled head', make: copyWith((bytes) => bytes.fill(0x5a, 0, 100)), says: /is not a SQLite database/ },
  {
    name: 'a file cut short',
    make: copyWith((bytes) => bytes.subarray(0, 12_288)),
    says: /is cut short: 12288 bytes of \d+; restore it/,
  },
  {
    name: 'spoiled pages',
    make: copyWith((bytes) => bytes.fill(0x5a, 4_096, 90_000)),
    says: /is not a sound database/,
  },
  {
    name: 'a newer schema',
    make: (file) => {
      fs.writeFileSync(file, sound)
      sql(file, 'PRAGMA user_version = 99')
    },
    says: /was written by a newer jobq \(schema 99/,
  },
  {
    name: "another application's database",
    make: (file) => sql(file, 'CREATE TABLE person(name)'),
    says: /belongs to another application/,
  },
  {
    name: "another application's database with a log",
    make: (file) => sql(file, 'PRAGMA journal_mode = WAL; CREATE TABLE person(name)'),
    says: /belongs to another application/,
  },
  {
    name: 'a table that is named like ours',
    make: (file) => sql(file, 'PRAGMA application_id = 77; CREATE TABLE jobq_meta(other)'),
    says: /belongs to another application/,
  },
  {
    name: 'a symbolic link',
    make: (file) => {
      fs.writeFileSync(`${file}.real`, sound)
      fs.symlinkSync(`${file}.real`, file)
    },
    says: /is a symbolic link/,
  },
  { name: 'a symbolic link to nothing', make: (file) => fs.symlinkSync('nowhere', file), says: /is a symbolic link/ },
  {
    name: 'a symbolic link where the log belongs',
    make: (file) => {
      fs.writeFileSync(file, sound)
      fs.symlinkSync('elsewhere', `${file}-wal`)
    },
    says: /-wal: is a symbolic link/,
  },
  { name: 'a folder', make: (file) => fs.mkdirSync(file), says: /is not a regular file/ },
]

const commands: readonly (readonly string[])[] = [
  ['enqueue', '--', 'true'],
  ['enqueue', '--retries', '1', '--tag', 'a', '--', 'true'],
  ['ls'],
  ['run', '--drain'],
  ['pause', 'default'],
]

for (const [index, { name, make, says }] of cases.entries()) {
  test(`${name} is refused and left as it is`, async () => {
    const folder = path.join(workspace.folder, String(index))
    fs.mkdirSync(folder)
    const file = path.join(folder, 'jobs.db')
    make(file)
    const before = picture(folder)
    for (const command of commands) {
      const { code, stdout, stderr } = await workspace.run(['-b', file, ...command])
      assert.deepEqual([code, stdout], [78, ''], `${command.join(' ')}: ${stderr}`)
      assert.match(stderr, says)
    }
    const { code, stdout } = await workspace.run(['-b', file, 'doctor', '--json'])
    assert.equal(code, 1)
    const { ok, checks }: { ok: boolean; checks: { ok: boolean; detail: string; fix: string }[] } = JSON.parse(stdout)
    assert.equal(ok, false)
    assert.ok(checks.some((check) => !check.ok && check.fix !== '' && /malformed|is |was |belongs/.test(check.detail)))
    assert.deepEqual(picture(folder), before)
  })
}

const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']

/** Whether the command line can be run as somebody who may do less. */
const hasNobody =
  process.getuid?.() === 0 &&
  spawnSync('setpriv', [...asNobody.slice(1), ...program, 'version'], { stdio: 'ignore' }).status === 0
const skip = hasNobody ? false : 'needs to be root, where nobody may run the program'

test('a file of another user is refused with the code for permissions', { skip }, async () => {
  const open = fs.mkdtempSync('/var/tmp/jobq-open-')
  try {
    fs.chmodSync(open, 0o711)
    const closed = path.join(open, 'closed')
    fs.mkdirSync(closed, { mode: 0o700 })
    for (const file of [path.join(open, 'jobs.db'), path.join(closed, 'jobs.db')]) {
      fs.writeFileSync(file, sound, { mode: 0o600 })
      const { code, stdout, stderr } = await workspace.run(['-b', file, 'enqueue', '--', 'true'], { prefix: asNobody })
      assert.deepEqual([code, stdout], [77, ''], stderr)
      assert.match(stderr, /jobs\.db cannot be (read|reached)/)
    }
    assert.deepEqual(fs.readdirSync(open).sort(), ['closed', 'jobs.db'])
  } finally {
    fs.rmSync(open, { recursive: true })
  }
})

test('a file in a place that cannot be written is looked at and not written', { skip }, async () => {
  const open = fs.mkdtempSync('/var/tmp/jobq-open-')
  try {
    const file = path.join(open, 'jobs.db')
    fs.writeFileSync(file, sound, { mode: 0o644 })
    fs.chmodSync(open, 0o755)
    const before = picture(open)
    const listed = await workspace.run(['-b', file, 'ls', '--json'], { prefix: asNobody })
    assert.equal(listed.code, 0, listed.stderr)
    assert.equal(JSON.parse(listed.stdout).length, 30)
    for (const command of commands.filter(([verb]) => verb !== 'ls')) {
      const { code, stderr } = await workspace.run(['-b', file, ...command], { prefix: asNobody })
      assert.equal(code, 78, `${command.join(' ')}: ${stderr}`)
      assert.match(stderr, /is read-only/)
    }
    assert.deepEqual(picture(open), before)
  } finally {
    fs.rmSync(open, { recursive: true })
  }
})
