import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { makeCodeCache, makeScript } from '../../build/scripts.ts'
import { nodeOptions } from '../../src/pool/child-program.ts'

const load = `const [script, cache] = JSON.parse(fs.readFileSync(0, 'utf8'))
  console.log(new vm.Script(script, { cachedData: Buffer.from(cache, 'base64') }).cachedDataRejected)`

test('a Node that is started as the binary is takes the code caches of its scripts', async () => {
  const script = await makeScript('export const twice = (number) => number * 2')
  const input = JSON.stringify([script, makeCodeCache(script).toString('base64')])
  const { stdout, stderr } = spawnSync(process.execPath, [...nodeOptions, '-e', load], { input, encoding: 'utf8' })
  assert.equal(`${stdout}${stderr}`, 'false\n')
})
