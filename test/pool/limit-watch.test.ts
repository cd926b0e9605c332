// The watch over limits by itself: what it looks at, and when it says what.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LimitWatch } from '../../src/pool/limit-watch.ts'
import type { RunLimits } from '../../src/pool/pool.ts'
import { machineTick, newTimeCard, type Punch } from '../../src/pool/time-card.ts'
import { until } from '../support/until.ts'

const limits = (softMs: number | null, hardMs: number | null): RunLimits => ({ softMs, hardMs, softSignal: 'SIGTERM' })

const scene = () => {
  const held = new Set<number>()
  const told: { readonly what: string; readonly seq: number; readonly ranMs: number }[] = []
  let current: Punch | null = null
  const tell = (what: string, seq: number): void => {
    told.push({ what, seq, ranMs: machineTick() - (current?.tick ?? Number.NaN) })
  }
  const watch = new LimitWatch({
    current: () => current,
    holds: (seq) => held.has(seq),
    size: () => held.size,
    soft: (seq) => tell('soft', seq),
    hard: ({ seq }) => tell('hard', seq),
  })
  return {
    told,
    held,
    watch,
    add(seq: number, of: RunLimits): void {
      held.add(seq)
      watch.add(seq, of)
    },
    begin(seq: number): void {
      current = { seq, tick: machineTick() }
    },
  }
}

test('a job that begins late has its whole time, soft and then hard, each told once and not before', async () => {
  const { told, add, begin, watch } = scene()
  add(1, limits(60, 120))
  add(2, limits(60, 120))
  await new Promise((resolve) => setTimeout(resolve, 90))
  begin(1)
  await until('the hard limit', () => told.some(({ what }) => what === 'hard'))
  watch.stop()
  assert.deepEqual(
    told.map(({ what, seq }) => [what, seq]),
    [
      ['soft', 1],
      ['hard', 1],
    ],
  )
  const [soft, hard] = told
  assert.ok(soft && soft.ranMs >= 60 && hard && hard.ranMs >= 120)
})

test('a later job with a shorter limit is not seen later for those before it', async () => {
  const { told, add, begin, held, watch } = scene()
  add(1, limits(null, 3_600_000))
  begin(1)
  add(2, limits(null, 50))
  held.delete(1)
  begin(2)
  await until('the hard limit', () => told.length > 0)
  watch.stop()
  assert.deepEqual([told[0]?.what, told[0]?.seq], ['hard', 2])
})

test('a job that comes after one with a long way to go is seen in its own time', async () => {
  const { told, add, begin, held, watch } = scene()
  add(1, limits(20, 3_600_000))
  begin(1)
  await until('the soft limit', () => told.length === 1)
  held.delete(1)
  add(2, limits(20, 3_600_000))
  begin(2)
  await until('the next soft limit', () => told.length === 2)
  watch.stop()
  assert.deepEqual(
    told.map(({ what, seq }) => [what, seq]),
    [
      ['soft', 1],
      ['soft', 2],
    ],
  )
})

test('a card holds the last note, as both ends of it see it', () => {
  const card = newTimeCard()
  assert.ok(card)
  try {
    assert.equal(card.read(), null)
    const tick = performance.now()
    card.punch(7, tick)
    card.punch(8, tick + 1)
    assert.deepEqual(card.read(), { seq: 8, tick: machineTick(tick + 1) })
  } finally {
    card.close()
  }
})
