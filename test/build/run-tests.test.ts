import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { isAlive } from '../support/processes.ts'

const root = path.dirname(path.dirname(import.meta.dirname))

const runTests = (context: TestContext, name: string, code: string) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jobq-left-'))
  context.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  const file = path.join(folder, `${name}.test.ts`)
  fs.writeFileSync(
    file,
    `import { spawn } from 'node:child_process'
     import fs from 'node:fs'
     import os from 'node:os'
     import { test } from 'node:test'
     ${code}`,
  )
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(root, 'build', 'run-tests.ts'), file], {
    encoding: 'utf8',
  })
  return { status, stdout, stderr, folder }
}

describe('a run of tests', { skip: process.platform !== 'linux' }, () => {
  it('passes when its tests do and nothing is left', (context) => {
    const { status, stdout, stderr } = runTests(context, 'tidy', `test('is fine', () => {})`)
    assert.equal(status, 0, stdout + stderr)
    assert.equal(stderr, '')
  })

  it('fails when a test does', (context) => {
    const { status } = runTests(context, 'broken', `test('is not fine', () => { throw new Error('no') })`)
    assert.equal(status, 1)
  })

  it('fails when a process is left that a test started, names it and its file, and ends it', (context) => {
    const { status, stdout, stderr, folder } = runTests(
      context,
      'careless',
      `test('is fine, it says', () => {
        const child = spawn('sleep', ['3600'], { detached: true, stdio: 'ignore' })
        child.unref()
        fs.writeFileSync(new URL('pid', import.meta.url), String(child.pid))
      })`,
    )
    const pid = Number(fs.readFileSync(path.join(folder, 'pid'), 'utf8'))
    assert.match(stdout, /pass 1\b/)
    assert.equal(status, 1)
    assert.match(stderr, new RegExp(`^left running by \\S*careless: ${pid} sleep 3600$`, 'm'))
    assert.equal(isAlive(pid), false)
  })

  it('finds it by its working directory too, when its environment tells nothing', (context) => {
    const { status, stderr } = runTests(
      context,
      'hidden',
      `test('is fine, it says', () => {
        spawn('/bin/sleep', ['3600'], { detached: true, stdio: 'ignore', env: {}, cwd: os.tmpdir() }).unref()
      })`,
    )
    assert.equal(status, 1)
    assert.match(stderr, /^left running by \S*hidden: \d+ \/bin\/sleep 3600$/m)
  })

  it('tells of files that are left, which is no failure', (context) => {
    const { status, stderr } = runTests(
      context,
      'untidy',
      `test('is fine', () => fs.writeFileSync(os.tmpdir() + '/note', ''))`,
    )
    assert.equal(status, 0)
    assert.match(stderr, /^left behind in the temporary directory: \S*untidy\/note$/m)
  })
})
