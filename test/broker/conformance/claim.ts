import assert from 'node:assert/strict'
import { oneByOne } from '../../../src/burst.ts'
import { type Case, ends, type Scene } from './scene.ts'

const strictly = (...names: string[]) => ({
  queues: names.map((name) => ({ name, weight: 1 })),
  order: 'strict' as const,
})

/** Claims `total` jobs, `limit` at a time, and counts them by queue. */
const tally = async (
  scene: Scene,
  weights: Record<string, number> | null,
  amount: { readonly total: number; readonly limit: number },
): Promise<Record<string, number>> => {
  const queues = weights === null ? null : Object.entries(weights).map(([name, weight]) => ({ name, weight }))
  const counts: Record<string, number> = {}
  for (let taken = 0; taken < amount.total; ) {
    const jobs = await scene.claim({ queues, order: 'weighted', limit: amount.limit })
    assert.equal(jobs.length, amount.limit)
    for (const job of jobs) counts[job.queue] = (counts[job.queue] ?? 0) + 1
    taken += jobs.length
  }
  return counts
}

const fill = (scene: Scene, queue: string, count: number) =>
  scene.addAll(Array.from({ length: count }, () => ({ queue })))

export const claimCases: Case[] = [
  {
    name: 'claim hands out a due job with its lease and number',
    async run(scene) {
      const id = await scene.addId({ queue: 'q', priority: 3, retries: 2, expiresAt: scene.at + 7 })
      const { token, ...job } = await scene.claimOne()
      assert.ok(Number.isSafeInteger(token))
      assert.deepEqual(job, {
        ...{ id, task: 'work', queue: 'q', priority: 3, attempt: 1, base: 0, retries: 2, crashes: 0, recovered: false },
        ...{ payload: { serializer: 'json', text: '{}' }, options: {}, createdAt: scene.at, expiresAt: scene.at + 7 },
        ...{ dueAt: scene.at, trace: null },
      })
      const shown = await scene.get(id)
      assert.deepEqual(
        [shown.state, shown.claimed, shown.worker, shown.attempt, shown.startedAt],
        ['queued', true, 'w1', 0, null],
      )
    },
  },
  {
    name: 'the trace that a job tells in its meta is handed out with each of its runs',
    async run(scene) {
      const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
      const id = await scene.addId({ meta: { traceparent, tracestate: 'a=1', other: 'kept' } })
      const first = await scene.claimOne()
      assert.deepEqual(first.trace, { traceparent, tracestate: 'a=1' })
      await scene.settle(scene.finished(first, ends.retried(scene.at)))
      const second = await scene.claimOne()
      assert.deepEqual([second.id, second.attempt, second.trace], [id, 2, first.trace])
      assert.deepEqual((await scene.get(id)).meta, { traceparent, tracestate: 'a=1', other: 'kept' })
    },
  },
  {
    name: 'what is no trace is handed out as none',
    async run(scene) {
      await scene.addAll([{ meta: { traceparent: 'nonsense' } }, { meta: { tracestate: 'a=1' } }, { meta: { a: 'b' } }])
      assert.deepEqual(
        (await scene.claim()).map(({ trace }) => trace),
        [null, null, null],
      )
    },
  },
  {
    name: 'a claimed job is not handed out again',
    async run(scene) {
      await scene.addAll([{}, {}])
      assert.equal((await scene.claim({ limit: 1 })).length, 1)
      assert.equal((await scene.claim()).length, 1)
      assert.deepEqual(await scene.claim(), [])
    },
  },
  {
    name: 'claim keeps to its limit, and to none',
    async run(scene) {
      await fill(scene, 'a', 5)
      assert.equal((await scene.claim({ limit: 2 })).length, 2)
      assert.deepEqual(await scene.claim({ limit: 0 }), [])
      assert.equal((await scene.claim({ limit: 50 })).length, 3)
    },
  },
  {
    name: 'within a queue: higher priority, then earlier due, then lower id',
    async run(scene) {
      const due = scene.at
      const wanted = [
        { priority: 9, dueAt: due },
        { priority: 5, dueAt: due - 100 },
        { priority: 5, dueAt: due - 50 },
        { priority: 5, dueAt: due - 50 },
        { priority: 0, dueAt: due - 900 },
      ]
      const ids = []
      for (const index of [2, 4, 0, 3, 1]) ids[index] = await scene.addId(wanted[index])
      assert.deepEqual(await scene.claimIds(), ids)
    },
  },
  {
    name: 'a job is not handed out before it is due',
    async run(scene) {
      const id = await scene.addId({ dueAt: scene.at + 1000 })
      assert.equal((await scene.get(id)).label, 'scheduled')
      scene.pass(999)
      assert.deepEqual(await scene.claim(), [])
      scene.pass(1)
      assert.equal((await scene.get(id)).label, null)
      assert.deepEqual(await scene.claimIds(), [id])
    },
  },
  {
    name: 'a high priority that is not due does not hold up a low one that is',
    async run(scene) {
      await scene.add({ priority: 9, dueAt: scene.at + 1000 })
      const id = await scene.addId({ priority: 0 })
      assert.deepEqual(await scene.claimIds({ limit: 1 }), [id])
    },
  },
  {
    name: 'a job due in the far future waits like any other',
    async run(scene) {
      const dueAt = scene.at + 40 * 365 * 86_400_000
      const id = await scene.addId({ dueAt })
      assert.deepEqual(await scene.claim(), [])
      assert.equal((await scene.get(id)).dueAt, dueAt)
    },
  },
  {
    name: 'a blocked job is not handed out',
    async run(scene) {
      await scene.add({ hold: true })
      assert.deepEqual(await scene.claim(), [])
    },
  },
  {
    name: 'a worker is given jobs of its queues only',
    async run(scene) {
      await scene.addAll([{ queue: 'a' }, { queue: 'b' }, { queue: 'c' }])
      const jobs = await scene.claim(strictly('b', 'unknown'))
      assert.deepEqual(
        jobs.map((job) => job.queue),
        ['b'],
      )
      assert.deepEqual((await scene.claim()).map((job) => job.queue).sort(), ['a', 'c'])
    },
  },
  {
    name: 'strict order empties the queues in the order given, whatever the priorities',
    async run(scene) {
      await scene.addAll([
        { queue: 'b', priority: 9 },
        { queue: 'a', priority: 0 },
        { queue: 'a', priority: 1 },
      ])
      const jobs = await scene.claim({ ...strictly('a', 'b'), limit: 3 })
      assert.deepEqual(
        jobs.map((job) => [job.queue, job.priority]),
        [
          ['a', 1],
          ['a', 0],
          ['b', 9],
        ],
      )
    },
  },
  {
    name: 'weighted order shares by weight in large claims',
    async run(scene) {
      await fill(scene, 'a', 120)
      await fill(scene, 'b', 120)
      const counts = await tally(scene, { a: 5, b: 1 }, { total: 60, limit: 12 })
      assert.deepEqual(counts, { a: 50, b: 10 })
    },
  },
  {
    name: 'weighted order shares by weight when one job is claimed at a time',
    async run(scene) {
      await fill(scene, 'a', 70)
      await fill(scene, 'b', 70)
      const counts = await tally(scene, { a: 5, b: 1 }, { total: 60, limit: 1 })
      assert.deepEqual(counts, { a: 50, b: 10 })
    },
  },
  {
    name: 'what a queue leaves of its share goes to the others',
    async run(scene) {
      await fill(scene, 'a', 2)
      await fill(scene, 'b', 20)
      const queues = [
        { name: 'a', weight: 9 },
        { name: 'b', weight: 1 },
      ]
      const jobs = await scene.claim({ queues, order: 'weighted', limit: 10 })
      assert.equal(jobs.filter((job) => job.queue === 'a').length, 2)
      assert.equal(jobs.filter((job) => job.queue === 'b').length, 8)
    },
  },
  {
    name: 'a worker of every queue shares evenly: one flooded queue does not starve the others',
    async run(scene) {
      await fill(scene, 'flood', 300)
      await fill(scene, 'x', 10)
      await fill(scene, 'y', 10)
      assert.deepEqual(await tally(scene, null, { total: 30, limit: 6 }), { flood: 10, x: 10, y: 10 })
    },
  },
  {
    name: 'a paused queue gives nothing until it is resumed',
    async run(scene) {
      const id = await scene.addId({ queue: 'q' })
      const other = await scene.addId({ queue: 'r' })
      await scene.broker.setPaused('q', true, scene.now())
      assert.deepEqual(await scene.claimIds(), [other])
      assert.deepEqual(await scene.claimIds(strictly('q')), [])
      await scene.broker.setPaused('q', false, scene.now())
      assert.deepEqual(await scene.claimIds(strictly('q')), [id])
    },
  },
  {
    name: 'a settle takes the next batch in the same step',
    async run(scene) {
      const [first, second] = [await scene.addId(), await scene.addId()]
      const job = await scene.claimOne({ limit: 1 })
      const dependent = await scene.addId({ after: [first] })
      const request = await scene.request()
      const answer = await scene.broker.settle([scene.finished(job, ends.succeeded())], scene.now(), request)
      assert.deepEqual(answer.lost, [])
      assert.deepEqual(
        oneByOne(answer.claimed)
          .map((claimed) => claimed.id)
          .sort(),
        [second, dependent].sort(),
      )
    },
  },
]

export const expiryCases: Case[] = [
  {
    name: 'a job not started by its expiry is cancelled when a worker comes by',
    async run(scene) {
      const id = await scene.addId({ expiresAt: scene.at + 100 })
      scene.pass(100)
      assert.deepEqual(await scene.claim(), [])
      const { state, error, finishedAt } = await scene.get(id)
      assert.deepEqual([state, error?.type, finishedAt], ['cancelled', 'Expired', scene.at])
      assert.deepEqual(await scene.types(id), ['job.queued', 'job.cancelled'])
      assert.equal(((await scene.lastEvent(id)).data.error as { type: string }).type, 'Expired')
    },
  },
  {
    name: 'a job is handed out until its expiry',
    async run(scene) {
      const id = await scene.addId({ expiresAt: scene.at + 100 })
      scene.pass(99)
      assert.deepEqual(await scene.claimIds(), [id])
    },
  },
  {
    name: 'jobs that are scheduled, blocked or in a paused queue expire too',
    async run(scene) {
      const expiresAt = scene.at + 10
      const said = [{ dueAt: scene.at + 5000 }, { hold: true }, { queue: 'paused' }]
      const ids = (await scene.addAll(said.map((job) => ({ ...job, expiresAt })))).map((job) => job.id)
      await scene.broker.setPaused('paused', true, scene.now())
      scene.pass(10)
      await scene.claim(strictly('some-other-queue'))
      assert.deepEqual(await scene.states(...ids), ['cancelled', 'cancelled', 'cancelled'])
    },
  },
  {
    name: 'a job that has started once does not expire between attempts',
    async run(scene) {
      const id = await scene.addId({ expiresAt: scene.at + 100 })
      await scene.runOne(ends.retried(scene.at + 1000))
      scene.pass(1000)
      assert.deepEqual(await scene.claimIds(), [id])
    },
  },
  {
    name: 'a job that runs does not expire',
    async run(scene) {
      const id = await scene.addId({ expiresAt: scene.at + 100 })
      await scene.settle(scene.started(await scene.claimOne()))
      scene.pass(200)
      await scene.claim()
      assert.deepEqual(await scene.states(id), ['running'])
    },
  },
  {
    name: 'an expired job that is requeued runs',
    async run(scene) {
      const id = await scene.addId({ expiresAt: scene.at + 100 })
      scene.pass(100)
      await scene.claim()
      await scene.broker.requeue([id], scene.at, scene.now())
      assert.deepEqual(await scene.claimIds(), [id])
    },
  },
]
