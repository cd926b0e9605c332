/**
 * A job as its three readers see it: `NewJob` is what an enqueuer hands to a broker, `ClaimedJob` what a
 * broker hands to a worker, `Job` what anyone may look at. The last one's fields are the public JSON
 * contract (`jobq show --json`); instants here are epoch milliseconds and become RFC 3339 on output.
 */
import type { TraceContext } from './trace-context.ts'

export const jobStates = ['blocked', 'queued', 'running', 'succeeded', 'failed', 'cancelled'] as const
/** The six states of a job's life; *scheduled* and *retrying* are labels derived from `queued`. */
export type JobState = (typeof jobStates)[number]

/** The states a job does not leave by itself. */
export const finishedStates = ['succeeded', 'failed', 'cancelled'] as const satisfies readonly JobState[]

/** True for `succeeded`, `failed` and `cancelled`. */
export const isFinished = (state: JobState): boolean => (finishedStates as readonly JobState[]).includes(state)

/** The task name under which commands run. */
export const commandTask = 'exec'

/** How a retry is delayed: `min(max, base * 2^n)` (exponential), `base * n` (linear) or `base` (fixed). */
export interface Backoff {
  readonly kind: 'exponential' | 'linear' | 'fixed'
  readonly baseMs: number
  /** Upper bound; absent means none. */
  readonly maxMs?: number
  /** Full jitter: a uniform draw from 0 to the delay. */
  readonly jitter: boolean
}

/** Options of one job that only its run needs; an absent one falls back to task, worker, defaults. */
export interface RunOptions {
  readonly backoff?: Backoff
  readonly softTimeLimitMs?: number
  readonly timeLimitMs?: number
  readonly maxCrashes?: number
}

/** A value as it is stored: serialized, then compressed, encrypted and signed where that was asked for. */
export interface Payload {
  /** `json`, or the content type of another serializer. */
  readonly serializer: string
  /** The text that is stored, or the bytes in base64. */
  readonly text: string
  /** Present where bytes are stored. */
  readonly binary?: true
  /** The compressor's name. */
  readonly compression?: string
  /** The cipher's name. */
  readonly encryption?: string
  /** The signature over all of this, as text. */
  readonly signature?: string
  /** What is wrong with how it is stored, such as `a coding that is none`: then nothing of it is to be read. */
  readonly unreadable?: string
}

/** Whose a stored value is. */
export interface PayloadOwner {
  readonly part: 'payload' | 'result'
  readonly job: number
  readonly task: string
  readonly queue: string
}

/** The value that is stored, or why it cannot be shown. */
export type Shown = { readonly value: unknown } | { readonly hidden: string }

/** How values are read to be shown; never throws. */
export type PayloadReader = (payload: Payload, owner: PayloadOwner) => Shown

/** What to do when the unique key is held by an unfinished job. */
export type OnConflict = 'ignore' | 'replace' | 'fail'

/** One job to add; `null` means "not said" and leaves it to the task's published defaults. */
export interface NewJob {
  readonly task: string
  readonly queue: string | null
  /** 0 to 9, higher runs sooner. */
  readonly priority: number | null
  readonly payload: Payload
  /** Not before this epoch millisecond. */
  readonly dueAt: number
  /** Not started after this epoch millisecond. */
  readonly expiresAt: number | null
  /** Attempts after the first; null lets the task's definition decide when the job runs. */
  readonly retries: number | null
  readonly options: RunOptions
  readonly uniqueKey: string | null
  readonly onConflict: OnConflict
  /** Jobs that must have succeeded first. */
  readonly after: readonly number[]
  /** Jobs that must have finished first, however. */
  readonly afterAny: readonly number[]
  /** Stay blocked until released by hand. */
  readonly hold: boolean
  readonly tags: readonly string[]
  /** A label for people. */
  readonly name: string | null
  readonly meta: Readonly<Record<string, string>> | null
  /** The enqueuer's own reference, unique over all jobs. */
  readonly ref: string | null
  /** Signs the payload for the job that it is stored with, once that is known; never waits. */
  readonly sign?: (owner: PayloadOwner) => string
}

/** What a task's definition says about jobs that do not say it themselves; kept in the broker for every enqueuer. */
export interface TaskDefaults {
  readonly task: string
  readonly queue?: string
  readonly priority?: number
  readonly retries?: number
  readonly expiresMs?: number
  readonly serializer?: string
  readonly compress?: string
  readonly sign?: boolean | string
}

/** What `enqueue` answers for one job. `duplicate`: `id` is the unfinished holder of the unique key. */
export interface Enqueued {
  readonly id: number
  readonly duplicate: boolean
  readonly state: JobState
  readonly dueAt: number
}

/** A claim on one job: whoever holds the current token may settle it, nobody else. */
export interface Lease {
  readonly id: number
  readonly token: number
}

/** One job in the hands of a worker. */
export interface ClaimedJob extends Lease {
  readonly task: string
  readonly queue: string
  readonly priority: number
  /** The number this run will have: attempts used up, plus one. */
  readonly attempt: number
  /** Attempts used up before the present budget of retries began (0 until an explicit retry). */
  readonly base: number
  readonly retries: number | null
  /** How often a started run of it was cut by the death of its child or worker. */
  readonly crashes: number
  /** True when this job was handed out before and did not come back: it must be run alone. */
  readonly recovered: boolean
  readonly payload: Payload
  readonly options: RunOptions
  readonly createdAt: number
  /** When this run was due, in epoch milliseconds. */
  readonly dueAt: number
  /** The trace that it belongs to, as its `meta` tells; null where it tells none. */
  readonly trace: TraceContext | null
  /** Not to be started after this epoch millisecond; null once it has started, be it in an earlier run. */
  readonly expiresAt: number | null
}

/** An error as it is stored and shown. */
export interface JobError {
  readonly type: string
  readonly message: string
  readonly stack?: string
}

/** How far a running job says it is; `fraction` from 0 to 1. */
export interface Progress {
  readonly fraction: number
  readonly text: string | null
}

/** One job in full, as it is shown. */
export interface Job {
  readonly id: number
  readonly task: string
  readonly queue: string
  readonly state: JobState
  readonly label: 'scheduled' | 'retrying' | null
  readonly priority: number
  /** 0 before the first start, then the number of the current or last attempt. */
  readonly attempt: number
  readonly maxAttempts: number
  readonly payload: unknown
  readonly result: unknown
  /** Why payload or result cannot be shown; both are null then. */
  readonly hidden: { readonly payload?: string; readonly result?: string }
  readonly error: JobError | null
  readonly exitCode: number | null
  readonly signal: string | null
  readonly progress: Progress | null
  readonly createdAt: number
  readonly dueAt: number
  readonly startedAt: number | null
  readonly finishedAt: number | null
  readonly expiresAt: number | null
  /** Name of the worker that holds or last held it. */
  readonly worker: string | null
  readonly pid: number | null
  readonly unique: string | null
  readonly tags: readonly string[]
  readonly meta: Readonly<Record<string, string>>
  readonly name: string | null
  readonly after: readonly number[]
  readonly afterAny: readonly number[]
  readonly serializer: string
  readonly compression: string | null
  readonly signedBy: string | null
  readonly ref: string | null
  readonly options: RunOptions
  readonly crashes: number
  /** True while a cancel of a running job has been asked for and its end is not known yet. */
  readonly cancelling: boolean
  /** True while the job is claimed by a worker but has not started. */
  readonly claimed: boolean
}
