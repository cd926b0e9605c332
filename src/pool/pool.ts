/**
 * The pool's contract: what a worker asks of its child processes and what they tell it. The worker hands a
 * child a window of jobs; the child runs them one at a time, in order, and their ends come back in batches.
 * The pool knows no broker: it never claims, settles or decides anything. Every job that was handed over
 * comes back exactly once, through `finished`, `returned` or `exited`.
 */

import type { ChildStatus } from '../broker/broker.ts'
import type { BurstColumns } from '../burst.ts'
import type { ClaimedJob, Payload, Progress } from '../job.ts'
import type { Outcome } from '../outcome.ts'
import type { ProcessPlan } from '../process-options.ts'
import type { CodecPlan } from './codec-plan.ts'
import type { TaskProblem, TaskSummary } from './task-summary.ts'
import type { ChildLimits } from './wear.ts'

/** What the pool reads of a job. `recovered` jobs are announced before they run, so that a crash is blamed on the right one. */
export type RunJob = Pick<
  ClaimedJob,
  'id' | 'token' | 'task' | 'queue' | 'attempt' | 'payload' | 'createdAt' | 'recovered'
> & {
  readonly trace?: ClaimedJob['trace']
}

/** Jobs that go to a child in one piece, and of which nothing is heard but how many of them have succeeded, but for those that do otherwise. */
export interface RunBurst<J extends RunJob> {
  readonly like: Pick<J, 'token' | 'task' | 'queue' | 'attempt'>
  readonly columns: Pick<BurstColumns, 'ids' | 'createdAt' | 'payloads'>
  /** So many of them, from the first on, have ended or were taken out; the pool raises it. */
  ended: number
  /** The others. */
  readonly size: number
  job(index: number): J
}

/** Why a running job is asked to end before its time. */
export type AskedCause = 'cancelled' | 'shutdown'

/** Why a job ends before its time; the first cause wins and decides its outcome. At its time limit it is not asked any more. */
export type EndCause = AskedCause | 'time-limit'

/** How long a job may run, in milliseconds from its start; null where there is no such limit. */
export interface RunLimits {
  readonly softMs: number | null
  readonly hardMs: number | null
  /** What a program is sent at the soft limit. */
  readonly softSignal: NodeJS.Signals
}

/** How one run ended. Instants are epoch milliseconds. */
export interface Ended<J extends RunJob> {
  readonly job: J
  /** Null when it never ran. */
  readonly startedAt: number | null
  readonly at: number
  /** How long it ran, with fractions of a millisecond. */
  readonly runMs: number
  /** The process that ran it: the command's own, else the child's. */
  readonly pid: number | null
  readonly outcome: Outcome
}

/** Jobs of a burst, one behind the other, that succeeded without a result; instants are epoch milliseconds, the same for all of them. */
export interface BurstEnd<J extends RunJob> {
  readonly burst: RunBurst<J>
  /** The place of the first of them. */
  readonly from: number
  readonly count: number
  readonly startedAt: number
  readonly at: number
  /** How long one of them ran on average, in milliseconds. */
  readonly runMs: number
  readonly pid: number
}

/** A job that was in a child's hands when it died. */
export interface Interrupted<J extends RunJob> {
  readonly job: J
  /** `unknown`: it may have run, even to its end, without the child having been able to say so. */
  readonly started: 'yes' | 'no' | 'unknown'
  readonly startedAt: number | null
}

/** Why a child left. `replaced`: another one has its place; `killed`: to end a job; `died`: nobody wanted it. */
export type ExitReason =
  | 'max-tasks'
  | 'max-memory'
  | 'shrunk'
  | 'reloaded'
  | 'replaced'
  | 'stopped'
  | 'killed'
  | 'died'
  | 'not-started'

/** Children that die before they are ready, several times in a row. */
export interface StartTrouble {
  readonly failures: number
  /** For people: how the last one died. */
  readonly detail: string
  readonly retryInMs: number
  /** Children that are ready nevertheless. */
  readonly ready: number
}

/** How a child left. */
export interface ChildExit<J extends RunJob> {
  readonly code: number | null
  readonly signal: string | null
  /** True when the pool wanted it: shrinking, stopping, or killing it to end a job. */
  readonly expected: boolean
  readonly reason: ExitReason
  readonly jobs: readonly Interrupted<J>[]
  /** For people: how it ended and, where known, the last of what it said. */
  readonly detail: string
  /** Milliseconds until its replacement is started; null when there will be none. */
  readonly replacedInMs: number | null
}

/** What a task asks of the worker while it runs. Payloads are serialized, and nothing more. */
export type TaskCall<J extends RunJob> =
  | {
      readonly method: 'enqueue'
      readonly job: J
      /** A task's name, or a command's argv. */
      readonly target: string | readonly string[]
      readonly payload: Payload | null
      /** As `Queue.enqueue` takes them, through JSON. */
      readonly options: Readonly<Record<string, unknown>>
    }
  | { readonly method: 'heartbeat'; readonly job: J }

/** Told what happens in the pool, on the worker's event loop; must not throw. */
export interface PoolListener<J extends RunJob> {
  /** The child has loaded its tasks and takes jobs; also each replacement. */
  ready(child: PoolChild<J>, tasks: readonly TaskSummary[], problems: readonly TaskProblem[]): void
  /** With `reportImports`: a file that the child imports, with its content's hash, or null where it is missing; fresh children tell it too, before they are ready. */
  imported?(child: PoolChild<J>, file: string, hash: string | null): void
  /** Only for jobs that outlast a moment; a short one's start is told with its end. */
  started(child: PoolChild<J>, job: J, start: { readonly at: number; readonly pid: number }): void
  finished(child: PoolChild<J>, ended: readonly Ended<J>[]): void
  /** Jobs of bursts succeeded. */
  succeeded?(child: PoolChild<J>, ends: readonly BurstEnd<J>[]): void
  /** These jobs of a burst, the next ones of it, are spoken of by themselves from now on. */
  separated?(child: PoolChild<J>, burst: RunBurst<J>, jobs: readonly J[]): void
  progress(child: PoolChild<J>, job: J, progress: Progress & { readonly at: number }): void
  /** The answer to `recall` (possibly empty), and jobs that `end` found unstarted at a shutdown: they never began. */
  returned(child: PoolChild<J>, jobs: readonly J[]): void
  /** The answer, as JSON, or the rejection goes back to the task; a `JobqError`'s code is kept. */
  call(child: PoolChild<J>, call: TaskCall<J>): Promise<unknown>
  /** What a child printed outside of any job. */
  output(child: PoolChild<J>, stream: 'stdout' | 'stderr', text: string): void
  exited(child: PoolChild<J>, exit: ChildExit<J>): void
  /** Children do not start, told with each failure from the third on; null: one has started again. */
  troubled?(trouble: StartTrouble | null): void
  /** A child that has work does not answer: told once, until it is heard again. */
  stuck?(child: PoolChild<J>, job: J | null): void
}

/** One child process. It runs a single job at a time and keeps the others of its window waiting. */
export interface PoolChild<J extends RunJob> {
  readonly pid: number
  readonly state: 'starting' | 'idle' | 'busy' | 'stopping'
  /** Jobs handed over and not come back. */
  readonly inFlight: number
  readonly processed: number
  /** How many more jobs it may be given before it is replaced; endless without such a limit. */
  readonly remaining: number
  /** Hands jobs over, to be run in this order after those it has. Only in the states `idle` and `busy`. */
  run(jobs: readonly (J | RunBurst<J>)[]): void
  /** Asks for the jobs back that have not started; answered by `returned`. */
  recall(): void
  /**
   * Ends one job: unstarted, it comes back at once; running, it is aborted (a command gets SIGTERM), then
   * killed after `killAfterMs`. Does nothing for a job that has come back already.
   */
  end(id: number, cause: AskedCause): void
}

/** How to start the program that runs `child-main.ts`. */
export interface ChildProgram {
  readonly execPath: string
  readonly args: readonly string[]
}

/** What a pool is made with. */
export interface PoolOptions<J extends RunJob> {
  readonly program: ChildProgram
  readonly listener: PoolListener<J>
  /** Files and folders of tasks. */
  readonly tasks: readonly string[]
  /** The worker's environment; the children get it without `JOBQ_…`. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Where the output of jobs is kept. */
  readonly outputFolder: string
  /** Kept of one attempt's output, in bytes; default 10 MiB. */
  readonly maxOutputBytes?: number
  /** How payloads are read and results written; default plain JSON, the built-in codecs. */
  readonly codecs?: CodecPlan
  /** Largest result in bytes of JSON text; default 1 MiB. */
  readonly maxResultBytes?: number
  /** Between the polite and the forced end of a job; default 5,000. */
  readonly killAfterMs?: number
  /** How long a job may run, asked as it is handed to a child; null, as by default, for as long as it likes. */
  readonly limitsOf?: (job: J) => RunLimits | null
  /** The broker's URL without its password, told to commands as `JOBQ_BROKER`. */
  readonly brokerUrl: string
  /** For tasks, as `job.shared`; what JSON can hold. Default nothing. */
  readonly shared?: Readonly<Record<string, unknown>>
  /** The rights and limits of programs; default those of the worker. */
  readonly processes?: ProcessPlan
  /** When children are replaced; default never. */
  readonly childLimits?: ChildLimits
  /** Whether children say which of the user's files they import; default false. */
  readonly reportImports?: boolean
}

/** What a child has found among the tasks. */
export interface Found {
  readonly tasks: readonly TaskSummary[]
  readonly problems: readonly TaskProblem[]
}

/** Children beside a pool, which have loaded the tasks and run nothing yet. One of the two is to be called, once. */
export interface FreshChildren {
  /** What each of them has found. */
  readonly found: readonly Found[]
  /** They join the pool, and its other children leave: those give back what has not started and finish what runs. False, and nothing, where the pool is being stopped. */
  takeOver(): boolean
  /** They are killed. */
  drop(): void
}

/** A resizable set of child processes. */
export interface Pool<J extends RunJob> {
  /** The children that live, in the order of their start. */
  readonly children: readonly PoolChild<J>[]
  /** How many children are wanted. */
  readonly size: number
  /** Why children do not start; null while they do. */
  readonly trouble: StartTrouble | null
  /** Starts children; resolves when each is ready or has died once. */
  start(size: number): Promise<void>
  /** Grows at once; shrinks by children that still load, then by idle ones, and lets busy ones finish their current job. */
  resize(size: number): void
  /**
   * Starts fresh children beside the pool: one for each that is busy, and otherwise as many as can load at once, because the
   * rest can follow once these have taken over. Resolves when all of them have loaded the tasks.
   * @throws Error saying why one of them died before, the signal's reason, or a JobqError `conflict` where the pool is being
   * stopped; then all of them are gone
   */
  prepare(signal: AbortSignal): Promise<FreshChildren>
  /** Recalls what has not started, waits up to `graceMs` for what runs, ends it (`shutdown`), and resolves when no child is left. */
  stop(options: { readonly graceMs: number }): Promise<void>
  /** Kills every child and every command at once. */
  kill(): void
  status(): ChildStatus[]
}
