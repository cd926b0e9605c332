// An acknowledged job is on the disk: every connection syncs each commit, and the id is told after the sync.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import Database from 'better-sqlite3'
import { attachBroker } from '../../src/broker/open.ts'
import { openFile } from '../../src/broker/sqlite/database-file.ts'
import { program, Workspace } from '../support/cli.ts'

let workspace: Workspace

before(() => {
  workspace = new Workspace()
})
after(() => workspace.remove())

const full = 2

const synchronous = (database: Database.Database): unknown => {
  const value = database.pragma('synchronous', { simple: true })
  database.close()
  return value
}

test('every way to open a queue file syncs each commit', () => {
  assert.equal(synchronous(openFile(workspace.database)), full, 'a new one')
  assert.equal(synchronous(openFile(workspace.database)), full, 'one that is there')
  assert.equal(synchronous(openFile(workspace.database, { readonly: true })), full, 'to be read')
  assert.notEqual(synchronous(new Database(workspace.database)), full, 'which is no default')
})

test("an application's own database is made to sync each commit", async () => {
  const database = new Database(path.join(workspace.folder, 'own.db'))
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = NORMAL')
  await attachBroker(database).close()
  assert.equal(synchronous(database), full)
})

const mayTrace = spawnSync('strace', ['-f', '-y', '-e', 'trace=fsync', 'true']).status === 0

test('the id is told after the sync', { skip: mayTrace ? false : 'needs strace and ptrace' }, async () => {
  for (const parameters of [
    ['enqueue', '--', 'true'],
    ['enqueue', '--tag', 'long', '--', 'true'],
  ]) {
    const file = path.join(workspace.folder, 'calls')
    const calls = 'trace=write,writev,pwrite64,pwritev,fsync,fdatasync'
    const { code } = await workspace.run(parameters, { prefix: ['strace', '-qq', '-f', '-y', '-o', file, '-e', calls] })
    assert.equal(code, 0)
    const lines = fs.readFileSync(file, 'utf8').split('\n')
    const told = lines.findIndex((line) => / write\(1<.*"\d+\\n"/.test(line))
    assert.ok(told > 0, `${program[0]} told the id`)
    const before = lines.slice(0, told)
    const written = before.findLastIndex((line) => /pwrite(64|v)\(\d+<.*jobs\.db-wal/.test(line))
    const synced = before.findLastIndex((line) => /(fsync|fdatasync)\(\d+<.*jobs\.db-wal.*= 0/.test(line))
    assert.ok(written >= 0 && synced > written, 'the log is synced after it was written and before the id is told')
  }
})
