import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MemoryBroker } from '../src/broker/memory/memory-broker.ts'
import { percentiles, readStats, summarize } from '../src/stats.ts'
import { ends, Scene } from './broker/conformance/scene.ts'
import { sampleQueue } from './support/samples.ts'

describe('percentiles', () => {
  const rows: readonly [readonly number[], number | null, number | null, number | null][] = [
    [[], null, null, null],
    [[5], 5, 5, 5],
    [[3, 1, 2], 2, 3, 3],
    [[-4, 2], 0, 2, 2],
    [Array.from({ length: 100 }, (_, index) => 100 - index), 50, 95, 99],
  ]
  for (const [durations, p50, p95, p99] of rows) {
    test(`of ${durations.length} durations`, () => assert.deepEqual(percentiles(durations), { p50, p95, p99 }))
  }
})

describe('summarize', () => {
  test('an empty broker has every count, all zero', () => {
    const stats = summarize({ at: 1_000, queues: [], windowMs: 60_000, ended: new Map(), jobs: [] })
    assert.deepEqual(stats.counts, { blocked: 0, queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0 })
    assert.equal(stats.oldestWaitingMs, null)
    assert.equal(stats.drainsAt, null)
  })

  test('counts add up over queues, and what is due drains at the throughput', () => {
    const queues = [
      sampleQueue('a', { queued: 30, scheduled: 10, succeeded: 5, oldestWaitingMs: 200 }),
      sampleQueue('b', { queued: 10, failed: 2, blocked: 1, oldestWaitingMs: 900 }),
    ]
    const stats = summarize({ at: 1_000, queues, windowMs: 10_000, ended: new Map([['a', 20]]), jobs: [] })
    assert.deepEqual(stats.counts, { blocked: 1, queued: 40, running: 0, succeeded: 5, failed: 2, cancelled: 0 })
    assert.equal(stats.oldestWaitingMs, 900)
    assert.equal(stats.perSecond, 2)
    assert.equal(stats.drainsAt, 1_000 + 15_000)
    const moves = stats.queues.map(({ name, perSecond, drainsAt }) => [name, perSecond, drainsAt])
    assert.deepEqual(moves, [
      ['a', 2, 1_000 + 10_000],
      ['b', 0, null],
    ])
  })

  test('what waits does not drain while nothing moves', () => {
    const stats = summarize({
      at: 1_000,
      queues: [sampleQueue('a', { queued: 3 })],
      windowMs: 60_000,
      ended: new Map(),
      jobs: [],
    })
    assert.equal(stats.drainsAt, null)
  })

  test('a paused queue does not drain', () => {
    const queues = [sampleQueue('a', { queued: 3, paused: true })]
    const stats = summarize({ at: 1_000, queues, windowMs: 1_000, ended: new Map([['a', 1]]), jobs: [] })
    assert.equal(stats.queues[0]?.drainsAt, null)
  })
})

describe('readStats', () => {
  test('counts and measures what ended in the window only', async () => {
    const scene = new Scene(new MemoryBroker())
    const run = async (queue: string, runMs: number): Promise<void> => {
      await scene.add({ queue })
      const job = await scene.claimOne()
      const startedAt = scene.at
      scene.pass(runMs)
      await scene.settle(scene.finished(job, ends.succeeded(), startedAt))
    }
    await run('a', 900)
    scene.pass(3_600_000)
    for (const runMs of [10, 20]) await run('b', runMs)
    await scene.addAll([{ queue: 'b' }, { queue: 'b' }])
    const minute = await readStats(scene.broker, scene.now())
    assert.deepEqual([minute.perSecond, minute.windowMs], [0.033, 60_000])
    assert.deepEqual(minute.runMs, { p50: 10, p95: 20, p99: 20 })
    assert.deepEqual(minute.queues.map(({ name, perSecond }) => [name, perSecond]).slice(-2), [
      ['b', 0.033],
      ['default', 0],
    ])
    assert.equal(minute.drainsAt, scene.at + Math.round((2 / 0.033) * 1_000))
    const day = await readStats(scene.broker, scene.now(), 86_400_000)
    assert.deepEqual(day.runMs, { p50: 20, p95: 900, p99: 900 })
    assert.equal(day.windowMs, 3_600_930)
  })
})
