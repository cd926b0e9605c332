import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { QueueSummary } from '../src/broker/broker.ts'
import { percentiles, summarize } from '../src/stats.ts'

const queue = (name: string, fields: Partial<QueueSummary> = {}): QueueSummary => ({
  name,
  paused: false,
  blocked: 0,
  queued: 0,
  scheduled: 0,
  running: 0,
  succeeded: 0,
  failed: 0,
  cancelled: 0,
  oldestWaitingMs: null,
  limits: {},
  ...fields,
})

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
    const stats = summarize({ at: 1_000, queues: [], perSecond: 0, jobs: [] })
    assert.deepEqual(stats.counts, { blocked: 0, queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0 })
    assert.equal(stats.oldestWaitingMs, null)
    assert.equal(stats.drainsAt, null)
  })

  test('counts add up over queues, and what is due drains at the throughput', () => {
    const queues = [
      queue('a', { queued: 30, scheduled: 10, succeeded: 5, oldestWaitingMs: 200 }),
      queue('b', { queued: 10, failed: 2, blocked: 1, oldestWaitingMs: 900 }),
    ]
    const stats = summarize({ at: 1_000, queues, perSecond: 2, jobs: [] })
    assert.deepEqual(stats.counts, { blocked: 1, queued: 40, running: 0, succeeded: 5, failed: 2, cancelled: 0 })
    assert.equal(stats.oldestWaitingMs, 900)
    assert.equal(stats.drainsAt, 1_000 + 15_000)
  })

  test('what waits does not drain while nothing moves', () => {
    const stats = summarize({ at: 1_000, queues: [queue('a', { queued: 3 })], perSecond: 0, jobs: [] })
    assert.equal(stats.drainsAt, null)
  })
})
