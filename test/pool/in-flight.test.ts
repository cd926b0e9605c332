// What a child holds, as reports of all kinds take it apart: a simple model, a list of numbers, must agree at every step.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Burst } from '../../src/burst.ts'
import type { ClaimedJob } from '../../src/job.ts'
import { InFlight } from '../../src/pool/in-flight.ts'
import { maxUntoldEnds } from '../../src/pool/job-window.ts'
import type { EndTuple } from '../../src/pool/protocol.ts'
import { sampleAlike } from '../support/samples.ts'

const like = sampleAlike({ token: 7, task: 'quick' })
const childPid = 4711
const base = 1_000_000

/** The job with this number; ids are told apart from numbers by what they begin with. */
const idOf = (seq: number): number => 50_000 + seq

const burstOf = (seq: number, count: number): Burst => {
  const ids = Array.from({ length: count }, (_, index) => idOf(seq + index))
  return new Burst(like, { ids, createdAt: ids, dueAt: ids, payloads: ids.join('\n') })
}
const jobOf = (seq: number): ClaimedJob => burstOf(seq, 1).job(0)

/** The jobs of a child, and beside them the numbers that it must have. */
class Held {
  readonly jobs: InFlight<ClaimedJob>
  readonly waiting: number[] = []
  readonly separated = new Set<number>()
  #last = 0

  constructor(sizes: readonly number[]) {
    this.jobs = new InFlight<ClaimedJob>((_burst, jobs) => this.#separate(jobs))
    for (const size of sizes) {
      const seq = this.#last + 1
      if (size === 1) this.jobs.add(seq, jobOf(seq))
      else this.jobs.addBurst(seq, burstOf(seq, size))
      for (let index = 0; index < size; index += 1) this.waiting.push(seq + index)
      this.#last += size
    }
  }

  #separate(jobs: readonly ClaimedJob[]): void {
    for (const { id } of jobs) {
      assert.ok(!this.separated.has(id), `job ${id} was taken out of its burst twice`)
      this.separated.add(id)
    }
  }

  /** Tells the ends of jobs, and gives them as they come out: with how each was told. */
  finish(...ends: EndTuple[]): { readonly id: number; readonly how: string }[] {
    const { single, bursts } = this.jobs.finish({ type: 'finished', base, ends }, childPid)
    const out = bursts.flatMap(({ burst, from, count, pid, startedAt, at, runMs }) => {
      assert.ok(count > 0 && pid === childPid && startedAt >= base && at >= startedAt && runMs >= 0)
      const ids = burst.columns.ids.slice(from, from + count)
      assert.equal(ids.length, count)
      for (const id of ids) assert.ok(!this.separated.has(id), `job ${id} came out in its burst and by itself`)
      return ids.map((id) => ({ id, how: 'succeeded' }))
    })
    for (const { job, outcome, pid, startedAt } of single) {
      assert.ok(startedAt === null ? pid === null : pid === childPid)
      const result = outcome.type === 'succeeded' && outcome.result !== null ? ' with a result' : ''
      out.push({ id: job.id, how: outcome.type + result })
    }
    return out.toSorted((a, b) => a.id - b.id)
  }

  check(): void {
    assert.equal(this.jobs.size, this.waiting.length)
    assert.equal(this.jobs.first?.id, this.waiting[0] === undefined ? undefined : idOf(this.waiting[0]))
  }
}

const failed = { type: 'failed', error: { type: 'Error', message: 'broken' }, final: false } as const
const cancelled = { type: 'cancelled', reason: 'cancelled before it started' } as const

const share = fc.double({ min: 0, max: 0.999, noNaN: true })
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('count' as const), count: fc.integer({ min: 1, max: 60 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('plain' as const, 'result' as const, 'failed' as const) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('start' as const, 'returned' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('cancel' as const, 'look' as const), at: share }) },
)
const sizes = fc.array(fc.constantFrom(1, 1, 2, 16, 40), { minLength: 1, maxLength: 8 })

/** Carries out one step on both, and compares what comes out. */
const act = (held: Held, said: typeof step extends fc.Arbitrary<infer T> ? T : never): void => {
  const { jobs, waiting } = held
  const [next] = waiting
  if (next === undefined) return
  const out = (how: string, seqs: readonly number[]) => seqs.map((seq) => ({ id: idOf(seq), how }))
  switch (said.kind) {
    case 'count': {
      // So many one behind the other: a cancelled one leaves a gap.
      let count = 1
      while (count < said.count && waiting[count] === next + count) count += 1
      assert.deepEqual(held.finish([next, 3, count * 0.01, count]), out('succeeded', waiting.splice(0, count)))
      break
    }
    case 'plain':
      assert.deepEqual(held.finish([next, 3, 0.8]), out('succeeded', waiting.splice(0, 1)))
      break
    case 'result':
      assert.deepEqual(held.finish([next, 3, 0.1, '5']), out('succeeded with a result', waiting.splice(0, 1)))
      break
    case 'failed': {
      const ends = held.finish([next, 3, 0.1, failed, childPid])
      assert.deepEqual(ends, out('failed', waiting.splice(0, 1)))
      break
    }
    case 'start':
      assert.equal(jobs.start({ type: 'started', seq: next, at: base, pid: childPid })?.id, idOf(next))
      assert.deepEqual([jobs.running?.seq, jobs.running?.job.id], [next, idOf(next)])
      break
    case 'returned':
      // Of those behind the one that runs.
      for (const seq of waiting.splice(1)) assert.equal(jobs.take(seq)?.id, idOf(seq))
      break
    case 'cancel': {
      const place = Math.floor(said.at * waiting.length)
      const seq = waiting[place] ?? 0
      if (jobs.running?.seq === seq) break
      assert.equal(jobs.seqOf(idOf(seq)), seq)
      held.check()
      waiting.splice(place, 1)
      assert.deepEqual(held.finish([seq, null, 0, cancelled, null]), out('cancelled', [seq]))
      assert.deepEqual([jobs.seqOf(idOf(seq)), jobs.get(seq), jobs.take(seq)], [null, null, null])
      break
    }
    case 'look': {
      const seq = waiting[Math.floor(said.at * waiting.length)] ?? 0
      assert.equal(jobs.get(seq)?.id, idOf(seq))
      assert.equal(jobs.get(seq), jobs.get(seq))
    }
  }
}

describe('the jobs that a child has', () => {
  it('come out once each, in whatever way they end, and are counted right', () => {
    fc.assert(
      fc.property(sizes, fc.array(step, { maxLength: 40 }), fc.boolean(), (pieces, steps, deadly) => {
        const held = new Held(pieces)
        held.check()
        for (const each of steps) {
          act(held, each)
          held.check()
        }
        if (deadly) {
          const left = held.jobs.interrupt(null)
          assert.deepEqual(
            left.map(({ seq, job }) => [seq, job.id]),
            held.waiting.map((seq) => [seq, idOf(seq)]),
          )
        } else {
          assert.deepEqual(
            held.jobs.seqs.toSorted((a, b) => a - b),
            held.waiting,
          )
          assert.deepEqual(held.jobs.all.map(({ id }) => id).toSorted(), held.waiting.map(idOf).toSorted())
        }
      }),
      { numRuns: 500 },
    )
  })

  it('are blamed at a death: the one that was announced, nothing behind it, perhaps those before', () => {
    const held = new Held([20, 300, 1])
    held.finish([1, 0, 0.1, 10])
    held.jobs.start({ type: 'started', seq: 15, at: base + 5, pid: childPid })
    const of = (started: string) =>
      held.jobs
        .interrupt(null)
        .flatMap((each) => (each.started === started ? [[each.seq, each.startedAt, each.job.id]] : []))
    assert.deepEqual(of('yes'), [[15, base + 5, idOf(15)]])
    const other = new Held([20, 300, 1])
    other.finish([1, 0, 0.1, 10])
    const started = other.jobs.interrupt(null).map((each) => each.started)
    assert.equal(started.length, 311)
    assert.ok(started.every((each, index) => each === (index > maxUntoldEnds ? 'no' : 'unknown')))
    assert.equal(other.jobs.size, 0)
    const last = new Held([20, 20])
    assert.deepEqual(
      last.jobs.interrupt({ running: 30, startedAt: base }).map((each) => each.started),
      [...Array(29).fill('unknown'), 'yes', ...Array(10).fill('no')],
    )
  })

  it('go with the instants of the tuple that told of their ends', () => {
    const held = new Held([20, 1])
    const report = (...ends: EndTuple[]) => held.jobs.finish({ type: 'finished', base, ends }, childPid)
    const [counted, slow] = report([1, 4, 0.9, 9], [10, 5, 2.6]).bursts
    assert.ok(counted && slow)
    const of = ({ from, count, startedAt, at }: typeof counted) => [from, count, startedAt - base, at - base]
    assert.deepEqual(
      [of(counted), of(slow)],
      [
        [0, 9, 4, 4],
        [9, 1, 5, 8],
      ],
    )
    assert.ok(Math.abs(counted.runMs - 0.1) < 1e-9)
    held.jobs.start({ type: 'started', seq: 11, at: base + 6, pid: 99 })
    const [announced] = report([11, 8, 30, '1']).single
    assert.deepEqual([announced?.startedAt, announced?.at], [base + 6, base + 36])
    const across = report([12, 0, 1, 10])
    assert.deepEqual([across.bursts.reduce((sum, { count }) => sum + count, 0), across.single.length], [9, 1])
  })
})
