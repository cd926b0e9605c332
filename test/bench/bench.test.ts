import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'

const main = path.join(import.meta.dirname, 'main.ts')

const bench = (parameters: readonly string[], folder: string) =>
  spawnSync(process.execPath, [main, ...parameters], { encoding: 'utf8', env: { ...process.env, TMPDIR: folder } })

test('a work is measured beside its floor, and nothing is left behind', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jobq-bench-test-'))
  try {
    const { status, stdout, stderr } = bench(['--quick', '--rounds', '1', '--only', 'W9', '--json'], folder)
    assert.equal(status, 0, stderr)
    const [row] = JSON.parse(stdout).rows
    assert.equal(row.work, 'W9')
    assert.equal(row.against, 'an ideal schedule')
    assert.ok(row.figure > 0 && row.ratio > 0)
    assert.deepEqual(fs.readdirSync(folder), [])
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
})

test('a wrong option is named', () => {
  const { status, stderr } = bench(['--only', 'W99'], os.tmpdir())
  assert.equal(status, 2)
  assert.match(stderr, /W99 is not one of W1/)
})
