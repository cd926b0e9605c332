// The decision table: what each end of a run means for its job.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Backoff, ClaimedJob } from '../src/job.ts'
import type { Outcome, Transition } from '../src/outcome.ts'
import { backoffDelay, decide, defaultPolicy, poisoned, type RunPolicy } from '../src/policy.ts'

const now = 1_800_000_000_000
const fixed: Backoff = { kind: 'fixed', baseMs: 100, jitter: false }
const doubling: Backoff = { kind: 'exponential', baseMs: 100, maxMs: 1000, jitter: false }
const error = { type: 'Error', message: 'broken' }

const job = (said: Partial<ClaimedJob> = {}): ClaimedJob => ({
  ...{ id: 1, token: 1, task: 't', queue: 'q', priority: 5, attempt: 1, base: 0, retries: null, crashes: 0 },
  ...{ recovered: false, payload: { serializer: 'json', text: 'null' }, options: {}, createdAt: now, expiresAt: null },
  ...{ dueAt: now, trace: null },
  ...said,
})
const policy = (said: Partial<RunPolicy> = {}): RunPolicy => ({
  retries: 2,
  backoff: fixed,
  maxCrashes: 3,
  ack: 'late',
  ...said,
})

const failed: Outcome = { type: 'failed', error, final: false, exitCode: 3, signal: null }
const crashed: Outcome = { type: 'crashed', started: true, detail: 'SIGSEGV' }
const kept = { spent: false, crashed: false }
const failure = { error, exitCode: 3, signal: null, spent: true, crashed: false }

interface Row {
  readonly name: string
  readonly job?: Partial<ClaimedJob>
  readonly policy?: Partial<RunPolicy>
  readonly outcome: Outcome
  readonly wanted: Transition
}

const rows: Row[] = [
  {
    name: 'a success is the end',
    outcome: { type: 'succeeded', result: '{"a":1}' },
    wanted: { to: 'succeeded', event: 'job.succeeded', spent: true, crashed: false, result: '{"a":1}', exitCode: null },
  },
  {
    name: 'the success of a command keeps its exit code',
    outcome: { type: 'succeeded', result: null, exitCode: 0 },
    wanted: { to: 'succeeded', event: 'job.succeeded', spent: true, crashed: false, result: null, exitCode: 0 },
  },
  {
    name: 'a failure with retries left waits for the backoff',
    outcome: failed,
    wanted: { to: 'queued', event: 'job.retried', retries: 2, dueAt: now + 100, ...failure },
  },
  {
    name: 'the last retry is one',
    job: { attempt: 2 },
    outcome: failed,
    wanted: { to: 'queued', event: 'job.retried', retries: 2, dueAt: now + 100, ...failure },
  },
  {
    name: 'a failure without retries left is the end',
    job: { attempt: 3 },
    outcome: failed,
    wanted: { to: 'failed', event: 'job.failed', retries: 2, ...failure },
  },
  {
    name: 'without retries the first failure is the end',
    policy: { retries: 0 },
    outcome: failed,
    wanted: { to: 'failed', event: 'job.failed', retries: 0, ...failure },
  },
  {
    name: 'an explicit retry renews the budget: attempts before its base do not count',
    job: { attempt: 5, base: 3 },
    outcome: failed,
    wanted: { to: 'queued', event: 'job.retried', retries: 2, dueAt: now + 100, ...failure },
  },
  {
    name: 'a renewed budget ends as well',
    job: { attempt: 6, base: 3 },
    outcome: failed,
    wanted: { to: 'failed', event: 'job.failed', retries: 2, ...failure },
  },
  {
    name: 'the backoff counts the failures of the present budget',
    job: { attempt: 5, base: 3 },
    policy: { backoff: doubling },
    outcome: failed,
    wanted: { to: 'queued', event: 'job.retried', retries: 2, dueAt: now + 200, ...failure },
  },
  {
    name: 'a final failure is not retried',
    outcome: { type: 'failed', error, final: true },
    wanted: { to: 'failed', event: 'job.failed', retries: 2, ...failure, exitCode: null },
  },
  {
    name: 'a failure keeps the signal that ended the process',
    job: { attempt: 3 },
    outcome: { type: 'failed', error, final: false, exitCode: null, signal: 'SIGKILL' },
    wanted: { to: 'failed', event: 'job.failed', retries: 2, ...failure, exitCode: null, signal: 'SIGKILL' },
  },
  {
    name: 'a snooze takes its own delay and uses no attempt',
    outcome: { type: 'snoozed', delayMs: 5000 },
    wanted: { to: 'queued', event: 'job.snoozed', ...kept, dueAt: now + 5000 },
  },
  {
    name: 'a snooze without a delay takes the backoff',
    policy: { backoff: doubling },
    job: { attempt: 2 },
    outcome: { type: 'snoozed', delayMs: null, exitCode: 75 },
    wanted: { to: 'queued', event: 'job.snoozed', ...kept, dueAt: now + 200 },
  },
  {
    name: 'a snooze is possible after the last retry',
    job: { attempt: 3 },
    outcome: { type: 'snoozed', delayMs: 1 },
    wanted: { to: 'queued', event: 'job.snoozed', ...kept, dueAt: now + 1 },
  },
  {
    name: 'a cancelled run is the end, with its reason',
    outcome: { type: 'cancelled', reason: 'no longer wanted', signal: 'SIGTERM' },
    wanted: {
      to: 'cancelled',
      event: 'job.cancelled',
      ...kept,
      error: { type: 'Cancelled', message: 'no longer wanted' },
      exitCode: null,
      signal: 'SIGTERM',
    },
  },
  {
    name: 'a job whose turn came after its expiry is cancelled',
    outcome: { type: 'expired' },
    wanted: {
      to: 'cancelled',
      event: 'job.cancelled',
      ...kept,
      error: { type: 'Expired', message: 'it was not started before it expired' },
    },
  },
  {
    name: 'what cannot be run is parked as failed by job.rejected alone',
    outcome: { type: 'rejected', error: { type: 'UnknownTask', message: 'no such task' } },
    wanted: { to: 'failed', event: 'job.rejected', ...kept, error: { type: 'UnknownTask', message: 'no such task' } },
  },
  {
    name: 'a job given back unrun goes back without a word',
    outcome: { type: 'returned', started: false },
    wanted: { to: 'queued', event: null, ...kept, dueAt: now },
  },
  {
    name: 'a run cut by a stop goes back with its attempt',
    outcome: { type: 'returned', started: true },
    wanted: { to: 'queued', event: 'job.recovered', ...kept, dueAt: now },
  },
  {
    name: 'what cut a run is told',
    outcome: { type: 'returned', started: true, cause: 'shutdown' },
    wanted: { to: 'queued', event: 'job.recovered', ...kept, dueAt: now, cause: 'shutdown' },
  },
  {
    name: 'a job that waited in a child that died is not blamed, but run alone',
    job: { crashes: 2 },
    outcome: { type: 'crashed', started: false, detail: 'SIGSEGV' },
    wanted: { to: 'queued', event: 'job.recovered', spent: false, crashed: false, alone: true, dueAt: now },
  },
  {
    name: 'a crash goes back at once with its attempt',
    outcome: crashed,
    wanted: {
      to: 'queued',
      event: 'job.recovered',
      spent: false,
      crashed: true,
      alone: true,
      dueAt: now,
      error: { type: 'Crashed', message: 'SIGSEGV' },
    },
  },
  {
    name: 'a crash without retries left goes back all the same',
    job: { attempt: 3, crashes: 1 },
    outcome: crashed,
    wanted: {
      to: 'queued',
      event: 'job.recovered',
      spent: false,
      crashed: true,
      alone: true,
      dueAt: now,
      error: { type: 'Crashed', message: 'SIGSEGV' },
    },
  },
  {
    name: 'the third crash is the end, whatever retries are left',
    job: { crashes: 2 },
    policy: { retries: 100 },
    outcome: crashed,
    wanted: poisoned(3, 'SIGSEGV'),
  },
  {
    name: 'a task may allow one crash only',
    policy: { maxCrashes: 1 },
    outcome: crashed,
    wanted: poisoned(1, 'SIGSEGV'),
  },
  {
    name: 'with an early acknowledgement a crash is the end: at most once',
    policy: { ack: 'early', retries: 5 },
    outcome: crashed,
    wanted: {
      to: 'failed',
      event: 'job.failed',
      spent: true,
      crashed: true,
      error: { type: 'Crashed', message: 'SIGSEGV; not run again because the task acknowledges early' },
    },
  },
  {
    name: 'with an early acknowledgement a run that a stop cut is the end as well',
    policy: { ack: 'early', retries: 5 },
    outcome: { type: 'returned', started: true },
    wanted: {
      to: 'failed',
      event: 'job.failed',
      spent: true,
      crashed: false,
      error: { type: 'Crashed', message: 'cut short; not run again because the task acknowledges early' },
    },
  },
  {
    name: 'with an early acknowledgement a job that is given back unrun goes back',
    policy: { ack: 'early' },
    outcome: { type: 'returned', started: false },
    wanted: { to: 'queued', event: null, ...kept, dueAt: now },
  },
  {
    name: 'with an early acknowledgement a job that had not started runs',
    policy: { ack: 'early' },
    outcome: { type: 'crashed', started: false, detail: 'SIGSEGV' },
    wanted: { to: 'queued', event: 'job.recovered', spent: false, crashed: false, alone: true, dueAt: now },
  },
]

describe('decide', () => {
  for (const row of rows) {
    it(row.name, () => {
      const end = { outcome: row.outcome, now, random: () => 0.5 }
      assert.deepEqual(decide(job(row.job), policy(row.policy), end), row.wanted)
    })
  }

  it('runs a failing job exactly retries + 1 times in each budget', () => {
    fc.assert(
      fc.property(fc.nat(20), fc.nat(50), (retries, base) => {
        let runs = 0
        for (let attempt = base + 1; ; attempt++) {
          runs += 1
          const end = { outcome: failed, now, random: Math.random }
          if (decide(job({ attempt, base }), policy({ retries }), end).to === 'failed') break
        }
        assert.equal(runs, retries + 1)
      }),
    )
  })
})

describe('poisoned', () => {
  it('says how often and by what', () => {
    const { to, error: told } = poisoned(3, 'SIGKILL')
    assert.deepEqual([to, told?.type], ['failed', 'PoisonJob'])
    assert.match(told?.message ?? '', /3 times.*SIGKILL/)
  })
})

describe('backoffDelay', () => {
  const delays = (backoff: Backoff, count = 6) =>
    Array.from({ length: count }, (_, index) => backoffDelay(backoff, index + 1, () => 0.999_999))

  it('doubles up to its maximum', () => assert.deepEqual(delays(doubling), [100, 200, 400, 800, 1000, 1000]))
  it('adds up linearly', () =>
    assert.deepEqual(delays({ kind: 'linear', baseMs: 5, jitter: false }), [5, 10, 15, 20, 25, 30]))
  it('stays fixed', () => assert.deepEqual(delays(fixed, 3), [100, 100, 100]))
  it('is by default exponential from 2 s to 10 min with full jitter', () => {
    assert.deepEqual(delays({ ...defaultPolicy.backoff, jitter: false }, 3), [2000, 4000, 8000])
    assert.equal(
      backoffDelay(defaultPolicy.backoff, 40, () => 0.5),
      300_000,
    )
    assert.equal(defaultPolicy.backoff.jitter, true)
  })
  it('is a whole number of milliseconds from 0 to the delay, however many failures', () => {
    const backoff = fc.record({
      kind: fc.constantFrom('exponential' as const, 'linear' as const, 'fixed' as const),
      baseMs: fc.nat(1_000_000),
      maxMs: fc.nat(10_000_000),
      jitter: fc.boolean(),
    })
    fc.assert(
      fc.property(
        backoff,
        fc.integer({ min: 1, max: 100_000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (spec, failures, drawn) => {
          const delay = backoffDelay(spec, failures, () => drawn)
          assert.ok(Number.isSafeInteger(delay) && delay >= 0 && delay <= spec.maxMs)
          assert.equal(
            backoffDelay({ ...spec, jitter: true }, failures, () => 0),
            0,
          )
        },
      ),
    )
  })
  it('of nothing is nothing, however many failures', () => {
    const nothing: Backoff = { kind: 'exponential', baseMs: 0, jitter: false }
    assert.equal(
      backoffDelay(nothing, 5_000, () => 1),
      0,
    )
  })
  it('without a maximum stays a number that can be added to a date', () => {
    const endless: Backoff = { kind: 'exponential', baseMs: 1000, jitter: false }
    assert.ok(Number.isSafeInteger(now + backoffDelay(endless, 100_000, () => 1)))
  })
})
