import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { type Running, Workspace } from '../support/cli.ts'
import { until } from '../support/until.ts'

type Json = Record<string, unknown>

let workspace: Workspace
beforeEach(() => {
  workspace = new Workspace()
})
afterEach(() => workspace.remove())

const version = (value: unknown): string => `export default (): unknown => ${JSON.stringify(value)}\n`
const run = async (task: string): Promise<unknown> => {
  const { stdout } = await workspace.run(['enqueue', '--wait', '--json', task])
  const id = String(JSON.parse(stdout).id)
  return ((await workspace.json(['show', id])) as Json).result
}
const reloads = async (): Promise<Json[]> =>
  (await workspace.output(['events', '--json', '--type', 'tasks.*']))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

const online = async (parameters: string[], env: Record<string, string> = {}): Promise<Running> => {
  const worker = workspace.start(['run', '-c', '2', ...parameters], { env })
  await worker.until('is online')
  return worker
}

const finish = async (worker: Running): Promise<void> => {
  worker.child.kill('SIGTERM')
  assert.equal((await worker.ended).code, 0)
}

describe('jobq run --watch', () => {
  it('runs new code from the next job on; what runs ends with the old; a mistake is told with its place', async () => {
    workspace.write('lib/value.ts', 'export const value: number = 1\n')
    workspace.write('tasks/v.ts', "import { value } from '../lib/value.ts'\nexport default () => value\n")
    workspace.write(
      'tasks/slow.ts',
      `import fs from 'node:fs'
import { value } from '../lib/value.ts'
export default async () => {
  while (!fs.existsSync('go')) await new Promise((resolve) => setTimeout(resolve, 10))
  return value
}\n`,
    )
    const worker = await online(['--watch'])
    const slow = (await workspace.output(['enqueue', 'slow'])).trim()
    await until('its start', async () => ((await workspace.json(['show', slow])) as Json).state === 'running')
    workspace.write('lib/value.ts', 'export const value: number = 2\n')
    await worker.until('2 tasks reloaded in ')
    assert.match(worker.stderr, /reloaded in \d+ ms \(changed: lib\/value\.ts\)/)
    assert.equal(await run('v'), 2)
    workspace.write('go', '')
    await until('its end', async () => ((await workspace.json(['show', slow])) as Json).state === 'succeeded')
    const { result, attempt } = (await workspace.json(['show', slow])) as Json
    assert.deepEqual([result, attempt], [1, 1])

    workspace.write('lib/value.ts', 'export const value: number = 3\n\nexport const other = = 4\n')
    await worker.until(/tasks not reloaded, the old code of [a-z, ]+ goes on working \(changed: lib\/value\.ts\)/)
    await worker.until(/value\.ts:3: /)
    assert.equal(await run('v'), 2)
    workspace.write('tasks/new.ts', version('new'))
    workspace.write('lib/value.ts', 'export const value: number = 5\n')
    await worker.until(/3 tasks reloaded in .*; new: new/)
    assert.deepEqual([await run('v'), await run('new')], [5, 'new'])
    assert.deepEqual(
      (await reloads()).map(({ loaded }) => loaded),
      [true, false, true],
    )
    await finish(worker)
  })

  it('is --autoreload, JOBQ_WATCH and worker.watch as well, which can add what else to watch', async () => {
    workspace.write('tasks/v.ts', version(1))
    workspace.write('more/template.txt', 'one')
    const config = { worker: { watch: { include: 'more' } } }
    workspace.write('jobq.config.json', JSON.stringify(config))
    for (const [value, parameters, env] of [
      [2, ['--autoreload'], {}],
      [3, [], { JOBQ_WATCH: '1' }],
      [4, [], {}],
    ] as const) {
      const worker = await online([...parameters], env)
      workspace.write('tasks/v.ts', version(value))
      await worker.until('changed: tasks/v.ts')
      assert.equal(await run('v'), value)
      workspace.write('more/template.txt', String(value))
      await worker.until('changed: more/template.txt')
      await finish(worker)
    }
    const shown = (await workspace.json(['config'])) as Record<string, Json>
    assert.equal(shown.watch?.value, true)
    workspace.write('jobq.config.json', JSON.stringify({ worker: { watch: { included: 'more' } } }))
    const refused = await workspace.run(['run'])
    assert.equal(refused.code, 2)
    assert.match(refused.stderr, /worker\.watch\.included.*did you mean include/)
  })
})

describe('HUP', () => {
  it('reloads the tasks of a worker that does not watch', async () => {
    workspace.write('tasks/v.ts', version(1))
    const worker = await online([])
    assert.equal(await run('v'), 1)
    workspace.write('tasks/v.ts', version(2))
    assert.equal(await run('v'), 1)
    worker.child.kill('SIGHUP')
    await worker.until(/1 task reloaded in \d+ ms \(HUP\)/)
    assert.equal(await run('v'), 2)
    workspace.write('tasks/v.ts', 'export default (\n')
    worker.child.kill('SIGHUP')
    await worker.until('tasks not reloaded')
    await worker.until(/tasks\/v\.ts:\d+: /)
    assert.equal(await run('v'), 2)
    await finish(worker)
  })
})
