import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, afterEach, beforeEach, describe, test } from 'node:test'
import { Workspace } from '../support/cli.ts'
import { until } from '../support/until.ts'

const folder = path.join(path.dirname(path.dirname(import.meta.dirname)), 'examples', 'steps')

let workspace: Workspace
beforeEach(() => {
  workspace = new Workspace()
})
afterEach(() => workspace.remove())
after(() => workspace.remove())

/** Starts a worker in the folder of the example steps, with the broker of the workspace. */
const start = async (...parameters: string[]) => {
  const worker = workspace.start(['run', '-c', '1', '--name', 'example', ...parameters], { cwd: folder })
  await worker.until(/is online/)
  return worker
}

/** The info that a step of the running worker gives. */
const info = async (step: string): Promise<unknown> => {
  const steps = (await workspace.json(['steps', '--worker', 'example'])) as { name: string; info: unknown }[]
  return steps.find(({ name }) => name === step)?.info
}

/** A command that runs until a file is there. */
const gate = (name: string) => {
  const file = path.join(workspace.folder, name)
  return {
    command: ['--shell', `while [ ! -e '${file}' ]; do sleep 0.02; done`],
    open: () => fs.writeFileSync(file, ''),
  }
}

describe('the example steps', () => {
  test('are all in the graph of their folder', async () => {
    const lines = (await workspace.output(['steps'], { cwd: folder })).split('\n')
    assert.ok(lines.some((line) => line.startsWith('deadlock-detector\t') && line.includes('\tuser\tplanned')))
    assert.ok(lines.some((line) => line.startsWith('autoscaler\t') && line.includes('\tuser\tplanned')))
    assert.ok(lines.some((line) => line.startsWith('health\t') && line.endsWith('left out\tits includeIf is false')))
  })

  test('health answers while the worker works, and not any more as it stops', async () => {
    const worker = await start('--health-port', '0')
    const { port } = (await info('health')) as { port: number }
    const ask = (where: string): Promise<Response> => fetch(`http://127.0.0.1:${port}${where}`)
    const healthy = await ask('/health')
    assert.equal(healthy.status, 200)
    assert.deepEqual(await healthy.json(), { ok: true, worker: 'example', size: 1, busy: 0, processed: 0 })
    assert.equal((await ask('/else')).status, 404)
    const long = gate('long')
    await workspace.output(['enqueue', ...long.command])
    await until('a busy child', async () => ((await (await ask('/health')).json()) as { busy: number }).busy === 1)
    worker.child.kill('SIGTERM')
    await until('the 503', async () => (await ask('/health')).status === 503)
    long.open()
    assert.equal((await worker.ended).code, 0)
    await assert.rejects(ask('/health'))
  })

  test('health keeps a worker from starting on a port that is taken', async () => {
    const worker = await start('--health-port', '0')
    const { port } = (await info('health')) as { port: number }
    const { code, stderr } = await workspace.run(['run', '-c', '1', '--health-port', String(port)], { cwd: folder })
    assert.equal(code, 1)
    assert.match(stderr, /step 'health' has not started: listen EADDRINUSE/)
    worker.child.kill('SIGTERM')
    assert.equal((await worker.ended).code, 0)
    assert.equal((await workspace.run(['run', '--health-port', '70000'], { cwd: folder })).code, 2)
  })

  test('the deadlock detector dumps once what hangs, and is quiet after an end', async () => {
    const hung = gate('hung')
    const id = (await workspace.output(['enqueue', ...hung.command])).trim()
    const worker = await start('--deadlock-after', '0.2')
    const said = await worker.until(/^deadlock-detector: .*$/m)
    const dump = JSON.parse(/^deadlock-detector: nothing has ended for 0\.2 s: (.*)$/m.exec(said)?.[1] ?? '')
    assert.equal(dump.worker, 'example')
    assert.deepEqual([dump.children[0].job, dump.children[0].state], [Number(id), 'busy'])
    hung.open()
    await workspace.output(['wait', id])
    const { dumps } = (await info('deadlock-detector')) as { dumps: number }
    assert.equal(dumps, 1)
    worker.child.kill('SIGTERM')
    assert.equal((await worker.ended).code, 0)
  })

  test('the autoscaler grows with the backlog and shrinks after it', async () => {
    const long = gate('long')
    const batch = Array.from({ length: 9 }, () => JSON.stringify({ argv: ['sh', '-c', long.command[1]] })).join('\n')
    await workspace.output(['enqueue', '--batch'], { input: batch })
    const worker = await start(
      ...['--jobs-per-child', '2', '--most-children', '3', '--look-every', '0.05'],
      '--prefetch',
      '1',
    )
    const size = async (): Promise<number> => ((await info('autoscaler')) as { size: number }).size
    await until('three children', async () => (await size()) === 3)
    long.open()
    await until('one child', async () => (await size()) === 1)
    const events = (await workspace.output(['events', '--json', '--type', 'pool.grown,pool.shrunk'])).trim().split('\n')
    const [grown, ...rest] = events.map((line) => JSON.parse(line) as Record<string, unknown>)
    assert.deepEqual([grown?.type, grown?.from, grown?.to, grown?.reason], ['pool.grown', 1, 3, 'backlog'])
    assert.ok(rest.some(({ type, to }) => type === 'pool.shrunk' && to === 1))
    worker.child.kill('SIGTERM')
    assert.equal((await worker.ended).code, 0)
  })
})

test('the example of the documentation works as it stands', async () => {
  const page = fs.readFileSync(path.join(folder, '..', '..', 'docs', 'steps.md'), 'utf8')
  const [, example = ''] = /^```ts\n([\s\S]*?)^```$/m.exec(page) ?? []
  workspace.write('jobq.config.ts', example)
  for (const _ of [1, 2]) await workspace.output(['enqueue', '--', 'false'])
  const { code, stderr } = await workspace.run(['run', '--drain', '-c', '1', '--name', 'web', '--most-failures', '2'])
  assert.equal(code, 0, stderr)
  assert.match(stderr, /^web: exec has failed 2 times$/m)
})
