/** The script through which everything in this repository gets its Node. */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { hostPlatform, runtimeVersion } from '../../build/setup.mjs'

const script = path.resolve(import.meta.dirname, '../../build/node.mjs')
const run = promisify(execFile)

test('it runs the pinned version, whatever runs it', async () => {
  const { stdout } = await run('node', [script, '-p', 'process.version'])
  assert.equal(stdout, `v${runtimeVersion(hostPlatform)}\n`)
  const { stdout: runtime } = await run('node', [script, '--path'])
  assert.equal((await run(runtime.trim(), ['--version'])).stdout, stdout)
})

test('arguments, output and exit code are passed on', async () => {
  const program = 'console.log(JSON.stringify(process.argv.slice(1))); console.error("oh"); process.exit(7)'
  const failed = run('node', [script, '-e', program, '--', 'a b', '$HOME', ''])
  await assert.rejects(failed, { code: 7, stdout: '["a b","$HOME",""]\n', stderr: 'oh\n' })
})

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  test(`${signal} reaches the program, and its end by a signal is told`, async () => {
    const program = `process.once('${signal}', () => { console.log('got it'); process.kill(process.pid, 'SIGKILL') })
      setInterval(() => {}, 1000); console.log('ready')`
    const child = spawn('node', [script, '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
    const exit = once(child, 'exit')
    let output = ''
    for await (const chunk of child.stdout) {
      output += chunk
      if (output === 'ready\n') child.kill(signal)
    }
    assert.equal(output, 'ready\ngot it\n')
    assert.deepEqual(await exit, [null, 'SIGKILL'])
  })
}
