import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'

const root = path.dirname(path.dirname(import.meta.dirname))

test('npm start shows the binary at work, and leaves nothing behind', () => {
  const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'jobq-demo-test-'))
  try {
    const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(root, 'build', 'demo.ts')], {
      encoding: 'utf8',
      env: { ...process.env, TMPDIR: temporary },
      timeout: 120_000,
    })
    assert.equal(status, 0, stdout + stderr)
    assert.match(stdout, /^All 1007 jobs have succeeded\.$/m)
    assert.match(stdout, /^this is attempt 3$/m)
    const left = fs.readdirSync(temporary).filter((name) => name.startsWith('jobq-demo-'))
    assert.deepEqual(left, [])
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true })
  }
})
