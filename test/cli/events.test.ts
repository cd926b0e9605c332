import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ends } from '../broker/conformance/scene.ts'
import { Workspace } from '../support/cli.ts'
import { withScene } from '../support/scenery.ts'

interface Told {
  readonly id: number
  readonly type: string
  readonly [field: string]: unknown
}

const read = (ndjson: string): Told[] =>
  ndjson
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Told)

describe('jobq events', () => {
  const workspace = new Workspace()
  const events = async (...parameters: string[]): Promise<Told[]> =>
    read(await workspace.output(['events', '--json', ...parameters]))
  const types = async (...parameters: string[]): Promise<string[]> =>
    (await events(...parameters)).map(({ type }) => type)

  before(async () => {
    await withScene(workspace, async (scene) => {
      const at = scene.at
      scene.at -= 600_000
      await scene.addAll([{ queue: 'q' }, { queue: 'q' }])
      await scene.runOne(ends.succeeded())
      scene.at = at
      await scene.runOne(ends.failed())
      await scene.broker.setPaused('q', true, scene.now())
    })
  })
  after(() => workspace.remove())

  const told = [
    'job.queued',
    'job.queued',
    'worker.online',
    'job.started',
    'job.succeeded',
    'job.started',
    'job.failed',
    'queue.paused',
  ]

  test('prints the whole log, oldest first, a document a line', async () => {
    const all = await events()
    assert.deepEqual(
      all.map(({ type }) => type),
      told,
    )
    assert.deepEqual(
      all.map(({ id }) => id),
      told.map((_, index) => index + 1),
    )
    const base = ['id', 'at', 'type', 'job', 'task', 'queue', 'worker', 'attempt']
    for (const event of all) assert.deepEqual(Object.keys(event).slice(0, 8), base)
    assert.equal(all[4]?.runtimeMs, 0)
  })

  const rows: readonly [string[], string[]][] = [
    [['--after', '6'], told.slice(6)],
    [['--after', '8'], []],
    [['--since', '5m'], told.slice(5)],
    [['-n', '2'], told.slice(-2)],
    [['-n', '0'], []],
    [['-n', '99'], told],
    [
      ['--type', 'job.failed,worker.*'],
      ['worker.online', 'job.failed'],
    ],
    [['--type', 'job.*', '-n', '1'], ['job.failed']],
    [
      ['--job', '1'],
      ['job.queued', 'job.started', 'job.succeeded'],
    ],
    [['--job', '1', '--after', '4'], ['job.succeeded']],
  ]
  for (const [parameters, expected] of rows) {
    test(parameters.join(' '), async () => assert.deepEqual(await types(...parameters), expected))
  }

  test('an unknown type is a usage error', async () => {
    const { code, stderr } = await workspace.run(['events', '--type', 'job.exploded'])
    assert.equal(code, 2)
    assert.match(stderr, /--type: unknown event type 'job\.exploded'/)
  })

  test('has stable columns separated by tabs when piped', async () => {
    const [line = ''] = (await workspace.output(['events', '--job', '2', '-n', '1'])).split('\n')
    const columns = line.split('\t')
    assert.deepEqual(columns.slice(2, 8), ['job.failed', '2', 'work', 'q', 'w1', '1'])
    assert.equal(columns[8], 'attempt 1 failed for good after 0ms: Error: broken')
  })

  test('-f alone shows what is new, with -n what was last as well', async () => {
    const fresh = workspace.start(['events', '-f', '--json'])
    const both = workspace.start(['events', '-f', '-n', '1', '--json', '--type', 'queue.*,job.queued'])
    await both.until('queue.paused', 'stdout')
    // The other one says nothing at its start, so it is given new events until one of them arrives.
    const added: number[] = []
    while (fresh.stdout === '') {
      await withScene(workspace, async (scene) => void added.push(await scene.addId({ queue: 'q' })))
      await sleep(20)
    }
    await both.until(`"job":${added.at(-1)},`, 'stdout')
    fresh.child.kill('SIGKILL')
    both.child.kill('SIGKILL')
    await Promise.all([fresh.ended, both.ended])
    assert.ok(read(fresh.stdout).every(({ type }) => type === 'job.queued'))
    assert.deepEqual(
      read(both.stdout).map(({ type }) => type),
      ['queue.paused', ...added.map(() => 'job.queued')],
    )
  })

  test('tells what was pruned, also behind --after 0', async () => {
    await withScene(
      workspace,
      async (scene) => void (await scene.broker.events.prune({ before: 0, keep: 2, limit: 1_000 })),
    )
    const [gap, first, ...others] = await events('--after', '0')
    assert.deepEqual(gap, { type: 'events.pruned', from: 1, to: (first?.id ?? 0) - 1 })
    assert.equal(others.length, 1)
    const [middle] = await events('--after', '3')
    assert.deepEqual(middle, { type: 'events.pruned', from: 4, to: (first?.id ?? 0) - 1 })
  })
})
