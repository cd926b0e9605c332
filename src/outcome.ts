import type { JobError, JobState, Payload } from './job.ts'

/**
 * How one run ended, as told by the pool, before anyone decided what it means.
 *
 * - `succeeded`: `result` is JSON text, a value stored otherwise, or null for none.
 * - `failed`: `final` forbids a retry (`Fail`, invalid payload, result too large).
 * - `snoozed`: later, no attempt used.
 * - `cancelled`: by request or by the task itself.
 * - `crashed`: the child died under it; `started` false means it was only waiting there.
 * - `returned`: given back unrun or cut; no attempt used, nobody to blame. `cause` is told where a stop cut it.
 * - `expired`: claimed in time, but its turn came too late.
 * - `rejected`: cannot be run as it is (unknown task, unreadable payload); parked as failed.
 */
export type Outcome =
  | { readonly type: 'succeeded'; readonly result: string | Payload | null; readonly exitCode?: number }
  | {
      readonly type: 'failed'
      readonly error: JobError
      readonly final: boolean
      readonly exitCode?: number | null
      readonly signal?: string | null
    }
  | { readonly type: 'snoozed'; readonly delayMs: number | null; readonly exitCode?: number }
  | {
      readonly type: 'cancelled'
      readonly reason: string
      readonly exitCode?: number | null
      readonly signal?: string | null
    }
  | { readonly type: 'crashed'; readonly started: boolean; readonly detail: string }
  | { readonly type: 'returned'; readonly started: boolean; readonly cause?: 'shutdown' }
  | { readonly type: 'rejected'; readonly error: JobError }
  | { readonly type: 'expired' }

/** The event that a transition writes beside the state. */
export type TransitionEvent =
  | 'job.succeeded'
  | 'job.failed'
  | 'job.retried'
  | 'job.snoozed'
  | 'job.cancelled'
  | 'job.rejected'
  | 'job.recovered'
  | null

/** What `policy.decide` wants done with a job; a broker carries it out and knows no rule of its own. */
export interface Transition {
  readonly to: Extract<JobState, 'queued' | 'succeeded' | 'failed' | 'cancelled'>
  readonly event: TransitionEvent
  /** True when the run used up an attempt. */
  readonly spent: boolean
  /** True when the run ended by a crash that counts towards `maxCrashes`. */
  readonly crashed: boolean
  /** Run it by itself next time: it was in flight when a process died, and the next death must be told from its neighbours'. */
  readonly alone?: boolean
  /** Only with `to: 'queued'`: not before this epoch millisecond. */
  readonly dueAt?: number
  /** JSON text, or a value stored otherwise. */
  readonly result?: string | Payload | null
  readonly error?: JobError | null
  readonly exitCode?: number | null
  readonly signal?: string | null
  /** What cut the run, where no error says it. */
  readonly cause?: 'shutdown'
  /** The number of retries that the decision went by, kept with the job. */
  readonly retries?: number
}
