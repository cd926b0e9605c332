/**
 * What a worker and its child say to each other, through two pipes: `commandFd` to the child, `reportFd` to the worker.
 * Reports are written at once, without the event loop: what a child says before it runs a job, or as it goes down, is in
 * the pipe before anything else happens. Node's own channel is not used: commands would have to be JSON as a whole, and
 * tasks could write into it. Jobs go by a number that the pool gives them (`seq`), which rises strictly in one child.
 */

import type { ErrorCode } from '../errors.ts'
import type { Payload } from '../job.ts'
import type { Outcome } from '../outcome.ts'
import type { ProcessPlan } from '../process-options.ts'
import type { CodecPlan } from './codec-plan.ts'
import type { JobBatch } from './job-batch.ts'
import type { AskedCause } from './pool.ts'
import type { TaskProblem, TaskSummary } from './task-summary.ts'

/** The descriptor from which a child reads its commands; the worker is gone when nothing more can come. Node keeps it, as all that it starts with, from programs. */
export const commandFd = 3

/** The descriptor through which a child reports. */
export const reportFd = 4

/** What a child is told once, before anything else. */
export interface ChildSettings {
  readonly tasks: readonly string[]
  readonly outputFolder: string
  readonly maxOutputBytes: number
  readonly maxResultBytes: number
  readonly killAfterMs: number
  /** Resident memory above which no further job is begun, in bytes; null: no limit. */
  readonly maxBytes: number | null
  readonly brokerUrl: string
  readonly codecs: CodecPlan
  /** What the user's steps share with tasks. */
  readonly shared: Readonly<Record<string, unknown>>
  readonly processes: ProcessPlan
  /** Whether to say which files were imported. */
  readonly reportImports: boolean
}

/** From the worker to a child. */
export type Command<Batch = JobBatch> =
  | { readonly type: 'begin'; readonly settings: ChildSettings }
  | { readonly type: 'run'; readonly jobs: readonly Batch[] }
  | { readonly type: 'recall' }
  /** Take jobs again, though its memory was above the limit. */
  | { readonly type: 'renew' }
  /** Asks for a `pong`, to learn whether its event loop turns. */
  | { readonly type: 'ping' }
  | { readonly type: 'end'; readonly seq: number; readonly cause: AskedCause }
  /** The soft limit has passed; `signal` is for a program. */
  | { readonly type: 'warn'; readonly seq: number; readonly signal: NodeJS.Signals }
  | { readonly type: 'answer'; readonly call: number; readonly value: unknown }
  | { readonly type: 'refusal'; readonly call: number; readonly message: string; readonly code: ErrorCode | null }
  /** Finish what runs, then leave. */
  | { readonly type: 'leave' }

/**
 * One end: the start is told in milliseconds after the message's `base` (null: never started). Nothing more
 * means success without a result, a number that of so many jobs one behind the other in the same millisecond, which ran
 * for `runMs` together; a text is the result; otherwise the outcome and the process that ran.
 */
export type EndTuple =
  | readonly [seq: number, startedAfter: number | null, runMs: number]
  | readonly [seq: number, startedAfter: number, runMs: number, count: number]
  | readonly [seq: number, startedAfter: number | null, runMs: number, result: string]
  | readonly [seq: number, startedAfter: number | null, runMs: number, outcome: Outcome, pid: number | null]

/** What a task asks of its worker. */
export type CallRequest =
  | { readonly method: 'heartbeat' }
  | {
      readonly method: 'enqueue'
      readonly target: string | readonly string[]
      /** Serialized, and nothing more. */
      readonly payload: Payload | null
      readonly options: Readonly<Record<string, unknown>>
    }

/** From a child to the worker. */
export type ChildReport =
  | { readonly type: 'ready'; readonly tasks: readonly TaskSummary[]; readonly problems: readonly TaskProblem[] }
  /** A file of the user's is about to be imported: by the tasks as they load, or by a job that runs; `hash` is null where it is missing. */
  | { readonly type: 'imported'; readonly file: string; readonly hash: string | null }
  | { readonly type: 'started'; readonly seq: number; readonly at: number; readonly pid: number }
  | { readonly type: 'finished'; readonly base: number; readonly ends: readonly EndTuple[] }
  | {
      readonly type: 'progress'
      readonly seq: number
      readonly at: number
      readonly fraction: number
      readonly text: string | null
    }
  | { readonly type: 'returned'; readonly seqs: readonly number[] }
  /** Its memory is above the limit: it begins nothing more. */
  | { readonly type: 'full' }
  | { readonly type: 'pong' }
  | { readonly type: 'call'; readonly call: number; readonly seq: number; readonly request: CallRequest }
  /** The last words of a child that goes down by itself: what was running, all else that it had was not. */
  | {
      readonly type: 'leaving'
      readonly running: number | null
      readonly startedAt: number | null
      readonly detail: string
    }
