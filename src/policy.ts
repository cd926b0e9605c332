/**
 * What the end of a run means for its job: the one place with rules about retries, backoff, crashes and
 * final failures. Pure: time and randomness are arguments, so every case is a row of a table in the tests.
 *
 * | outcome | attempts left | none left |
 * |---|---|---|
 * | failed | queued, `job.retried`, after the backoff | failed, `job.failed` |
 * | failed, final | failed | failed |
 * | crashed while running | queued, `job.recovered`, attempt kept; failed as `PoisonJob` at `maxCrashes` | same |
 * | returned, or crashed before its start | queued, attempt kept | same |
 * | crashed or returned while running, acknowledged early | failed, `job.failed` | same |
 */
import type { Backoff, ClaimedJob } from './job.ts'
import type { Outcome, Transition } from './outcome.ts'

/** The settings a decision needs, resolved in the order defaults < worker < task < job. */
export interface RunPolicy {
  readonly retries: number
  readonly backoff: Backoff
  readonly maxCrashes: number
  /** `early`: at most once; a run that was cut is not repeated. */
  readonly ack: 'late' | 'early'
}

/** What holds where nobody said otherwise. */
export const defaultPolicy: RunPolicy = {
  retries: 0,
  backoff: { kind: 'exponential', baseMs: 2_000, maxMs: 600_000, jitter: true },
  maxCrashes: 3,
  ack: 'late',
}

/**
 * The delay in milliseconds before the retry that follows the `failures`th failed attempt (1 or more).
 * Full jitter is a uniform draw from 0 to the delay (Marc Brooker, "Exponential Backoff And Jitter", 2015).
 */
export const backoffDelay = (backoff: Backoff, failures: number, random: () => number): number => {
  const factor = { exponential: Math.min(2 ** (failures - 1), Number.MAX_SAFE_INTEGER), linear: failures, fixed: 1 }[
    backoff.kind
  ]
  const full = Math.min(backoff.baseMs * factor, backoff.maxMs ?? Number.MAX_SAFE_INTEGER / 4)
  return Math.round(backoff.jitter ? random() * full : full)
}

/** What a run without a result or an exit code comes to when it succeeds: one value for all, because there are many. */
export const plainSuccess: Transition = {
  to: 'succeeded',
  event: 'job.succeeded',
  spent: true,
  crashed: false,
  result: null,
  exitCode: null,
}

/** Decides what becomes of a job after one run of it. `now` is epoch milliseconds, `random` draws from [0, 1). */
export const decide = (
  job: ClaimedJob,
  policy: RunPolicy,
  end: { readonly outcome: Outcome; readonly now: number; readonly random: () => number },
): Transition => {
  const { outcome, now, random } = end
  const kept = { spent: false, crashed: false }
  switch (outcome.type) {
    case 'succeeded':
      if (outcome.result === null && outcome.exitCode === undefined) return plainSuccess
      return {
        to: 'succeeded',
        event: 'job.succeeded',
        spent: true,
        crashed: false,
        result: outcome.result,
        exitCode: outcome.exitCode ?? null,
      }
    case 'cancelled':
      return {
        to: 'cancelled',
        event: 'job.cancelled',
        ...kept,
        error: { type: 'Cancelled', message: outcome.reason },
        exitCode: outcome.exitCode ?? null,
        signal: outcome.signal ?? null,
      }
    case 'expired': {
      const error = { type: 'Expired', message: 'it was not started before it expired' }
      return { to: 'cancelled', event: 'job.cancelled', ...kept, error }
    }
    case 'rejected':
      return { to: 'failed', event: 'job.rejected', ...kept, error: outcome.error }
    case 'snoozed': {
      const delayMs = outcome.delayMs ?? backoffDelay(policy.backoff, Math.max(1, job.attempt - job.base), random)
      return { to: 'queued', event: 'job.snoozed', ...kept, dueAt: now + delayMs }
    }
    case 'returned':
      if (outcome.started && policy.ack === 'early') return { ...notAgain('cut short'), crashed: false }
      return {
        to: 'queued',
        event: outcome.started ? 'job.recovered' : null,
        ...kept,
        dueAt: now,
        ...(outcome.cause === undefined ? {} : { cause: outcome.cause }),
      }
    case 'crashed':
      return afterCrash(job, policy, { outcome, now })
    case 'failed': {
      const ended = {
        error: outcome.error,
        exitCode: outcome.exitCode ?? null,
        signal: outcome.signal ?? null,
        spent: true,
        crashed: false,
      }
      const failures = job.attempt - job.base
      if (outcome.final || failures > policy.retries)
        return { to: 'failed', event: 'job.failed', retries: policy.retries, ...ended }
      const dueAt = now + backoffDelay(policy.backoff, failures, random)
      return { to: 'queued', event: 'job.retried', retries: policy.retries, dueAt, ...ended }
    }
  }
}

const afterCrash = (
  job: ClaimedJob,
  policy: RunPolicy,
  end: { readonly outcome: Extract<Outcome, { type: 'crashed' }>; readonly now: number },
): Transition => {
  const { outcome, now } = end
  const again = { to: 'queued', event: 'job.recovered', spent: false, alone: true, dueAt: now } as const
  if (!outcome.started) return { ...again, crashed: false }
  if (policy.ack === 'early') return notAgain(outcome.detail)
  const crashes = job.crashes + 1
  if (crashes >= policy.maxCrashes) return poisoned(crashes, outcome.detail)
  const error = { type: 'Crashed', message: outcome.detail }
  return { ...again, crashed: true, error }
}

const notAgain = (detail: string): Transition => {
  const error = { type: 'Crashed', message: `${detail}; not run again because the task acknowledges early` }
  return { to: 'failed', event: 'job.failed', spent: true, crashed: true, error }
}

/** The end of a job that brought down its process too often. `crashes` counts those, the last included. */
export const poisoned = (crashes: number, detail: string): Transition => {
  const message = `its process died ${crashes} times while running it; last: ${detail}`
  return { to: 'failed', event: 'job.failed', spent: true, crashed: true, error: { type: 'PoisonJob', message } }
}
