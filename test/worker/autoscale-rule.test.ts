import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { checkBounds, nextSize, type Situation, usualRule } from '../../src/worker/autoscale-rule.ts'
import { refusesWithUsage } from '../values/refuses.ts'

const usual: Situation = { size: 4, idle: 4, min: 2, max: 8, sinceGrowthMs: 30_000, keepaliveMs: 30_000 }

const table: readonly (readonly [name: string, wanted: number, given: Partial<Situation>, size: number])[] = [
  ['grows at once to what is wanted', 6, { sinceGrowthMs: 0 }, 6],
  ['grows to MAX and no further', 500, {}, 8],
  ['grows for an endless wish to MAX', Number.POSITIVE_INFINITY, {}, 8],
  ['stays as it is wanted', 4, {}, 4],
  ['shrinks to what is wanted when all are idle', 3, {}, 3],
  ['shrinks to MIN and no further', 0, {}, 2],
  ['shrinks for a negative wish to MIN', -5, {}, 2],
  ['does not shrink before the keepalive is over', 2, { sinceGrowthMs: 29_999 }, 4],
  ['shrinks by idle children only', 2, { idle: 1 }, 3],
  ['does not shrink when none is idle', 2, { idle: 0 }, 4],
  ['rounds', 5.5, {}, 6],
  ['keeps its size where the wish is no number', Number.NaN, {}, 4],
  ['comes up to MIN without a wish', Number.NaN, { size: 1 }, 2],
  ['comes up to MIN within the keepalive', 0, { size: 1, sinceGrowthMs: 0 }, 2],
  ['comes down to MAX at once, by idle children', 12, { size: 12, idle: 12, sinceGrowthMs: 0 }, 8],
  ['comes down to MAX as far as children are idle', 12, { size: 12, idle: 1, sinceGrowthMs: 0 }, 11],
  ['comes down to MAX, not below it, within the keepalive', 0, { size: 12, idle: 12, sinceGrowthMs: 0 }, 8],
  ['shrinks at once without a keepalive', 2, { sinceGrowthMs: 0, keepaliveMs: 0 }, 2],
]

describe('the next size of a pool', () => {
  for (const [name, wanted, given, size] of table) {
    it(name, () => assert.equal(nextSize(wanted, { ...usual, ...given }), size))
  }

  it('never takes a busy child, and once within its bounds never leaves them', () => {
    const whole = fc.integer({ min: 0, max: 50 })
    const situation = fc.record({ size: whole, busy: whole, min: whole, more: whole, since: whole, keepalive: whole })
    fc.assert(
      fc.property(situation, fc.double(), ({ size, busy, min, more, since, keepalive }, wanted) => {
        const idle = Math.max(0, size - busy)
        const max = min + more
        const next = nextSize(wanted, { size, idle, min, max, sinceGrowthMs: since, keepaliveMs: keepalive })
        assert.ok(next >= size - idle)
        assert.ok(next >= min)
        assert.ok(next <= Math.max(max, size))
        if (size <= max && since < keepalive) assert.ok(next >= size)
      }),
    )
  })
})

describe('the usual rule', () => {
  it('wants a child for each job that waits or runs', () => {
    const rest = { size: 1, min: 1, max: 9, loadavg: [], memFree: 0, history: [] }
    assert.equal(usualRule({ waiting: 3, running: 2, ...rest }), 5)
  })
})

describe('bounds', () => {
  it('are whole numbers of children, MAX first', () => {
    assert.deepEqual(checkBounds(8, 2), { max: 8, min: 2 })
    assert.deepEqual(checkBounds(3, 3), { max: 3, min: 3 })
    for (const [max, min] of [
      [2, 3],
      [3, 0],
      [1.5, 1],
      [1025, 1],
      ['4', '2'],
      [Number.NaN, 1],
      [undefined, 1],
    ] as const) {
      refusesWithUsage(() => checkBounds(max, min), max)
    }
  })
})
