import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { Workspace } from '../support/cli.ts'
import { until } from '../support/until.ts'

interface PoolEvent {
  readonly type: string
  readonly from?: number
  readonly to?: number
  readonly reason?: string
  readonly pid?: number
}

describe('the size of a pool', () => {
  let workspace: Workspace
  beforeEach(() => {
    workspace = new Workspace()
  })
  afterEach(() => workspace.remove())

  const events = async (type: string): Promise<PoolEvent[]> =>
    (await workspace.output(['--json', 'events', '--type', type]))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))

  /** Waits until the pool's last change has led to this size. */
  const reached = (size: number): Promise<unknown> =>
    until(`a pool of ${size}`, async () => (await events('pool.*')).at(-1)?.to === size)

  /** Adds jobs that stay until the file is there. */
  const hold = async (count: number, gate: string): Promise<void> => {
    const argv = ['sh', '-c', `until test -e ${gate}; do sleep 0.05; done`]
    const lines = Array(count).fill(JSON.stringify({ argv }))
    await workspace.output(['enqueue', '--batch'], { input: `${lines.join('\n')}\n` })
  }

  const states = async (): Promise<unknown[]> =>
    ((await workspace.json(['ls'])) as { state: string; attempt: number }[]).map(
      ({ state, attempt }) => `${state} ${attempt}`,
    )

  test('follows a load that rises, falls and rises again, and takes nothing away that works', async () => {
    const worker = workspace.start(['run', '--autoscale', '4,1', '--autoscale-keepalive', '300ms'])
    await worker.until('is online')
    await hold(2, 'one')
    await reached(2)
    await hold(5, 'two')
    await reached(4)
    const [shown] = (await workspace.json(['workers'])) as { size: number }[]
    assert.equal(shown?.size, 4)
    workspace.write('one', '')
    workspace.write('two', '')
    await reached(1)
    await hold(3, 'three')
    await reached(3)
    workspace.write('three', '')
    await reached(1)
    worker.child.kill('SIGTERM')
    assert.equal((await worker.ended).code, 0)
    assert.deepEqual(await states(), Array(10).fill('succeeded 1'))
    const changes = await events('pool.*')
    for (const { type, from = 0, to = 0, reason } of changes) {
      assert.equal(type, to > from ? 'pool.grown' : 'pool.shrunk')
      assert.ok(to >= 1 && to <= 4)
      assert.equal(reason, 'load')
    }
    assert.deepEqual(
      changes.map(({ from }) => from),
      [1, ...changes.map(({ to }) => to)].slice(0, -1),
      'each goes on where the last one ended',
    )
    const exits = new Set((await events('child.exited')).map(({ reason }) => reason))
    assert.deepEqual(exits, new Set(['shrunk', 'stopped']))
  })

  test('takes MAX and MIN from the configuration, with a rule of its own, and a fixed size from a flag', async () => {
    workspace.write(
      'jobq.config.mjs',
      `export default {
        worker: { autoscale: [9, 2], autoscaleKeepalive: '1h' },
        autoscaler: ({ waiting, running, max }) => (waiting + running > 0 ? max / 3 : 0),
      }`,
    )
    const options = { input: `${JSON.stringify({ argv: ['true'] })}\n` }
    await workspace.output(['enqueue', '--batch'], options)
    const worker = workspace.start(['run'])
    await worker.until('is online')
    await reached(3)
    worker.child.kill('SIGTERM')
    await worker.ended
    assert.deepEqual(
      (await events('pool.*')).map(({ from, to }) => [from, to]),
      [[2, 3]],
    )
    const fixed = workspace.start(['run', '-c', '1'])
    await fixed.until('is online')
    const [shown] = (await workspace.json(['workers'])) as { size: number }[]
    assert.equal(shown?.size, 1)
    fixed.child.kill('SIGTERM')
    await fixed.ended
  })

  test('stays the same while children come and go after so many jobs', async () => {
    workspace.write('tasks/who.js', 'export default () => process.pid')
    const lines = Array(9).fill(JSON.stringify({ task: 'who' }))
    await workspace.output(['enqueue', '--batch'], { input: `${lines.join('\n')}\n` })
    await workspace.output(['run', '-c', '1', '--drain', '--maxtasksperchild', '3'])
    const jobs = (await workspace.json(['ls'])) as { id: number; result: number; attempt: number }[]
    const byChild = Map.groupBy(jobs, ({ result }) => result)
    assert.deepEqual(
      [...byChild.values()].map((each) => each.length),
      [3, 3, 3],
    )
    assert.ok(jobs.every(({ attempt }) => attempt === 1))
    assert.deepEqual(await events('pool.*'), [])
    const worn = (await events('child.exited')).filter(({ reason }) => reason === 'max-tasks').map(({ pid }) => pid)
    assert.ok([...byChild.keys()].filter((pid) => worn.includes(pid)).length >= 2)
  })
})
