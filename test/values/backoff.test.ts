import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { formatBackoff, parseBackoff } from '../../src/backoff.ts'
import { maxDurationMs } from '../../src/duration.ts'
import type { Backoff } from '../../src/job.ts'
import { refusesWithUsage } from './refuses.ts'

const table: readonly (readonly [string, Backoff])[] = [
  ['exponential:2s..10m', { kind: 'exponential', baseMs: 2_000, maxMs: 600_000, jitter: true }],
  ['exponential:1.5s..10m,nojitter', { kind: 'exponential', baseMs: 1_500, maxMs: 600_000, jitter: false }],
  ['exponential:PT2S', { kind: 'exponential', baseMs: 2_000, jitter: true }],
  ['linear:5s', { kind: 'linear', baseMs: 5_000, jitter: false }],
  ['linear:5s..1m,jitter', { kind: 'linear', baseMs: 5_000, maxMs: 60_000, jitter: true }],
  ['fixed:30s', { kind: 'fixed', baseMs: 30_000, jitter: false }],
  ['fixed:30,jitter', { kind: 'fixed', baseMs: 30_000, jitter: true }],
]

describe('parseBackoff', () => {
  for (const [text, backoff] of table) it(`reads ${text}`, () => assert.deepEqual(parseBackoff(text), backoff))
  const refused = [
    '',
    'exponential',
    'exponential:',
    'exponential:2s..',
    'exponential:10m..2s',
    'fixed:1s..2s',
    'fixed:1s,maybe',
    'linear:5s,jitter,jitter',
    'quadratic:2s',
  ]
  for (const text of refused) it(`refuses ${text}`, () => refusesWithUsage(() => parseBackoff(text), text))
  it('names the duration that is none', () => {
    refusesWithUsage(() => parseBackoff('fixed:-1s'), '-1s')
    refusesWithUsage(() => parseBackoff('exponential:2s...10m'), '.10m')
  })

  it('reads back what formatBackoff writes', () => {
    const durations = fc.tuple(fc.nat(), fc.integer({ min: 0, max: maxDurationMs }))
    fc.assert(
      fc.property(
        fc.constantFrom('exponential', 'linear', 'fixed'),
        durations,
        fc.boolean(),
        (kind, [baseMs, more], jitter) => {
          const maxMs = Math.min(maxDurationMs, baseMs + more)
          const backoff: Backoff = { kind, baseMs, ...(kind === 'fixed' ? {} : { maxMs }), jitter }
          assert.deepEqual(parseBackoff(formatBackoff(backoff)), backoff)
        },
      ),
    )
  })
})
