/**
 * The seam between jobq and whatever stores its queues: mechanism only. No broker knows a retry rule, a
 * backoff or a time limit; those are decided by `policy.decide` and carried out by `settle`. Time is
 * always an argument. Every method that changes a job's state writes the matching event in the same
 * transaction. An adapter that passes the conformance suite (`jobq/conformance`) is a broker.
 */

import type { Burst } from '../burst.ts'
import type { Moment } from '../clock.ts'
import type { EventsPruned, EventType, JobqEvent, NewEvent } from '../event.ts'
import type { ClaimedJob, Enqueued, Job, JobState, Lease, NewJob, Payload, PayloadOwner, TaskDefaults } from '../job.ts'
import type { Transition } from '../outcome.ts'
import type { Rate } from '../rate.ts'
import type { StartRate } from '../start-rate.ts'

/** A queue that a worker serves; a higher weight gets a larger share of each claim. */
export interface QueueShare {
  readonly name: string
  readonly weight: number
}

/** What a worker asks for. */
export interface ClaimRequest {
  /** `null` serves every queue, each with the same share. */
  readonly queues: readonly QueueShare[] | null
  /** `strict` empties the queues in the order given; `weighted` shares by weight. Ignored without `queues`. */
  readonly order: 'strict' | 'weighted'
  readonly limit: number
  /** The session that `workers.join` gave. */
  readonly worker: number
  readonly leaseMs: number
  /** Alike jobs may be answered in bursts of at most so many; absent, as where a broker makes none: each by itself. */
  readonly burst?: number
}

/** What the holder of a lease says about its job; every kind is refused when the lease was lost. */
export type Report = SingleReport | Succeeded

/** A report of one job. */
export type SingleReport =
  | ({ readonly kind: 'started'; readonly attempt: number; readonly at: number; readonly pid: number | null } & Lease)
  | ({
      readonly kind: 'progress'
      readonly attempt: number
      readonly at: number
      readonly fraction: number
      readonly text: string | null
    } & Lease)
  | ({
      readonly kind: 'finished'
      readonly attempt: number
      readonly at: number
      /** When this run began; null when it never did. A start not reported before is recorded (and logged) with it. */
      readonly startedAt: number | null
      readonly pid: number | null
      readonly transition: Transition
    } & Lease)

/** Jobs of one burst that ran in one process and succeeded without a result, each in the same milliseconds; nothing was told of them before. Only of bursts that the broker made. */
export interface Succeeded {
  readonly kind: 'succeeded'
  readonly ids: readonly number[]
  readonly token: number
  readonly task: string
  readonly queue: string
  readonly at: number
  readonly startedAt: number
  readonly pid: number | null
}

/** What `settle` answers. */
export interface Settled {
  /** Leases that were not held any more: their reports changed nothing and were logged `job.stale`. */
  readonly lost: readonly Lease[]
  /** In the order of their urgency. */
  readonly claimed: readonly (ClaimedJob | Burst)[]
}

/** `cancelling`: still held, but its end has been asked for. */
export type LeaseStatus = 'held' | 'cancelling' | 'lost'

/** `cancelled` at once, or `cancelling` where a worker holds it. */
export type CancelAnswer = 'cancelled' | 'cancelling' | 'finished' | 'not-found'

/** What `requeue` answers for one job. */
export type RequeueAnswer = 'requeued' | 'unfinished' | 'not-found'

/** Which jobs `cancel` means: these, or all of a queue that no worker holds. */
export type CancelTarget = { readonly ids: readonly number[] } | { readonly queue: string }

/**
 * The operations on jobs. All are atomic: either the whole call took effect, with its events, or nothing did.
 * @throws JobqError `unavailable` when the store is busy or away (nothing is known to have been written)
 */
export interface Broker {
  /** Where it is, without any password. */
  readonly url: string
  readonly jobs: JobIndex
  readonly events: EventLog
  readonly workers: WorkerRegistry
  readonly tasks: TaskCatalog
  readonly cursors: Cursors

  /**
   * Adds the jobs, all or none, and answers in their order. A `uniqueKey` held by an unfinished job gives
   * that job, marked duplicate (`onConflict: 'replace'` rewrites a holder that no worker has; `'fail'`
   * throws `duplicate` and adds nothing). Unsaid queue, priority, retries and expiry come from the task's
   * published defaults. A dependency that has failed already cancels the job; one that is met does not block.
   * @throws JobqError `not-found` for an unknown id in `after` / `afterAny`, `duplicate`
   */
  enqueue(jobs: readonly NewJob[], now: Moment): Promise<Enqueued[]>

  /**
   * Carries out reports, each fenced by its token, and with `claim` takes the next batch in the same
   * transaction: the only way out of running. A finished job lets its dependents go, or cancels them
   * (`DependencyFailed`, transitively). A repeated report of an end already recorded under the same token is accepted.
   */
  settle(reports: readonly Report[], now: Moment, claim?: ClaimRequest): Promise<Settled>

  /**
   * Hands out due jobs (higher priority, then earlier due, then lower id within a queue) and those whose lease
   * has run out (`recovered`, attempt kept, `crashes` raised if the run had started, `job.recovered` logged).
   * Jobs past `expiresAt` are cancelled (`Expired`) on the way. Never blocks; paused queues give nothing.
   */
  claim(request: ClaimRequest, now: Moment): Promise<ClaimedJob[]>

  /** Renews leases until `now.tick + leaseMs` and says how each stands, in order: heartbeat and cancel share this path. */
  extend(leases: readonly Lease[], leaseMs: number, now: Moment): Promise<LeaseStatus[]>

  /** Cancels what waits at once (`reason` becomes the error's type) and asks for the end of what a worker holds. Answers per id, for a queue per job cancelled. */
  cancel(target: CancelTarget, reason: 'Cancelled' | 'Purged', now: Moment): Promise<CancelAnswer[]>

  /** Runs finished jobs again, not before `dueAt`: crash count reset, budget of retries renewed, dependents that were cancelled for its sake blocked again. */
  requeue(ids: readonly number[], dueAt: number, now: Moment): Promise<RequeueAnswer[]>

  /** Lets blocked jobs go that were held by hand; true where one was. */
  release(ids: readonly number[], now: Moment): Promise<boolean[]>

  /** Makes waiting jobs due that are not (`job.replaced` with the new `dueAt`); true where one was. */
  hasten(ids: readonly number[], now: Moment): Promise<boolean[]>

  /** Stops or allows claiming from a queue, which is created if need be. */
  setPaused(queue: string, paused: boolean, now: Moment): Promise<void>

  /** Resolves when there may be new work, after `timeoutMs` at the latest; spurious wake-ups are allowed. */
  wait(options: { readonly signal: AbortSignal; readonly timeoutMs: number }): Promise<void>

  /** Lets go of everything; idempotent. */
  close(): Promise<void>
}

/** Which jobs to list; an absent field does not filter. */
export interface JobFilter {
  readonly states?: readonly JobState[]
  readonly queue?: string
  readonly task?: string
  readonly tag?: string
  /** Created at or after this epoch millisecond. */
  readonly since?: number
  readonly limit?: number
  /** Only ids beyond this one, in the direction of `order`. */
  readonly cursor?: number
  /** With `cursor`: only ids no further from it than this, so that a rare filter keeps nobody waiting. */
  readonly reach?: number
  /** By id; default `newest`. */
  readonly order?: 'newest' | 'oldest'
}

/** One queue as `jobq queues` prints it. */
export interface QueueSummary {
  readonly name: string
  readonly paused: boolean
  readonly blocked: number
  readonly queued: number
  /** The part of `queued` that is not due. */
  readonly scheduled: number
  readonly running: number
  readonly succeeded: number
  readonly failed: number
  readonly cancelled: number
  readonly oldestWaitingMs: number | null
  readonly limits: Readonly<Record<string, unknown>>
}

/** The queues at one point of the event log. */
export interface Counts {
  /** The id of the newest event then, 0 for none. */
  readonly cursor: number
  readonly queues: readonly QueueSummary[]
}

/** Which finished jobs to delete; an absent field does not filter. */
export interface PruneFilter {
  readonly states?: readonly Extract<JobState, 'succeeded' | 'failed' | 'cancelled'>[]
  readonly queue?: string
  /** Finished before this epoch millisecond. */
  readonly finishedBefore?: number
  /** Leave the newest this many of those that match. */
  readonly keep?: number
  /** Delete at most this many in one call. */
  readonly limit?: number
  /** Count, delete nothing. */
  readonly dryRun?: boolean
}

/** A payload as it is stored, and whose it is. */
export interface StoredPayload {
  readonly payload: Payload
  readonly owner: PayloadOwner
}

/** Which signed payloads to read; an absent field does not filter. */
export interface SignedFilter {
  readonly queue?: string
  /** Of jobs with a higher id. */
  readonly after: number
  readonly limit: number
}

/** A signature that is to stand in the place of another one. */
export interface SignatureChange {
  readonly job: number
  readonly from: string
  readonly to: string
}

/** Reads jobs. Holds no transaction open between calls. */
export interface JobIndex {
  get(id: number, now: Moment): Promise<Job | null>
  list(filter: JobFilter, now: Moment): Promise<Job[]>
  /** Every known queue, by name. */
  queues(now: Moment): Promise<QueueSummary[]>
  /** The queues, together with the id of the newest event that they know of: what is told behind it has not happened to them yet. */
  counts(now: Moment): Promise<Counts>
  /** How many jobs a worker of these queues (null: all) could claim now, counted no further than `limit`: cheap, however many wait. */
  countDue(queues: readonly string[] | null, limit: number, now: Moment): Promise<number>
  /** Deletes finished jobs; true where one was deleted. Their events stay until pruned. */
  remove(ids: readonly number[]): Promise<boolean[]>
  /** Deletes (or counts) finished jobs, oldest first; answers their ids. */
  prune(filter: PruneFilter): Promise<number[]>
  /**
   * Forgets the results of jobs that finished before an instant (epoch milliseconds), of the first `limit` jobs with a
   * higher id than `after`; answers how far it came, null at the end.
   */
  dropResults(options: {
    readonly finishedBefore: number
    readonly after: number
    readonly limit: number
  }): Promise<number | null>
  /** The payload of one job; null where there is none with this id. */
  stored(id: number): Promise<StoredPayload | null>
  /** The signed payloads of jobs that are blocked or queued and in no worker's hands, by id. */
  waitingSigned(filter: SignedFilter): Promise<StoredPayload[]>
  /** Replaces signatures, each if its job still waits with the old one; true where it did. */
  resign(changes: readonly SignatureChange[]): Promise<boolean[]>
}

/** Which events to read. */
export interface EventFilter {
  /** Events with a higher id. */
  readonly after: number
  readonly types?: ReadonlySet<EventType>
  readonly job?: number
  readonly limit: number
}

/** A page of the log. */
export interface EventPage {
  readonly events: readonly JobqEvent[]
  /** Events between `after` and the oldest one kept were pruned. */
  readonly pruned: EventsPruned | null
  /** Where to go on: the last id looked at, whether it matched or not. */
  readonly cursor: number
}

/** The event log: ordered, gapless by transaction, pruned by age and count only. */
export interface EventLog {
  append(events: readonly NewEvent[]): Promise<void>
  read(filter: EventFilter): Promise<EventPage>
  /** The id of the newest event, 0 for none. */
  last(): Promise<number>
  /** The cursor behind which all events at or after this epoch millisecond lie. */
  cursorAt(at: number): Promise<number>
  /** Deletes events before an instant, and the oldest beyond `keep`; answers how many. */
  prune(options: { readonly before: number; readonly keep: number; readonly limit: number }): Promise<number>
}

/** A process, known again even if its pid was given to another one. */
export interface ProcessIdentity {
  readonly host: string
  readonly pid: number
  /** Changes with every boot of the machine. */
  readonly boot: string
  /** The process's start, in whatever unit the platform has; null where it has none. */
  readonly startTime: string | null
}

/** A worker that comes online. */
export interface NewWorker {
  readonly name: string
  readonly process: ProcessIdentity
  readonly queues: readonly string[] | null
}

/** What a child process of a worker does now. */
export interface ChildStatus {
  readonly pid: number
  readonly state: 'starting' | 'idle' | 'busy' | 'stopping'
  readonly job: number | null
  readonly task: string | null
  readonly sinceMs: number
  /** For how long it has not answered, though it has work: a job holds its event loop. Null while it answers. */
  readonly stuckMs: number | null
  /** Resident bytes, null where unknown. */
  readonly rss: number | null
  readonly processed: number
  /** Jobs in its hands, with the one that runs. */
  readonly inFlight: number
}

/** What a worker says of itself with each heartbeat. */
export interface WorkerStatus {
  readonly status: 'online' | 'draining' | 'stopping'
  readonly size: number
  readonly busy: number
  readonly processed: number
  readonly children: readonly ChildStatus[]
  /** Why its children do not start; null or absent while they do. */
  readonly trouble?: string | null
  /** The path of the socket on which it takes commands; absent while it takes none. */
  readonly control?: string
}

/** One worker as `jobq workers` prints it. */
export interface WorkerRecord extends NewWorker, WorkerStatus {
  readonly session: number
  readonly startedAt: number
  readonly heartbeatAt: number
}

/** The workers that are online. */
export interface WorkerRegistry {
  /** Registers a worker (`worker.online`) and gives the session under which it claims. */
  join(worker: NewWorker, now: Moment): Promise<number>
  beat(session: number, status: WorkerStatus, now: Moment): Promise<void>
  /** Ends a session (`worker.offline`) and makes its leases run out at once. Also for a session whose process is gone. */
  leave(session: number, now: Moment): Promise<void>
  list(): Promise<WorkerRecord[]>
}

/** How a worker has a cursor for itself. */
export interface CursorLease {
  /** The session that `workers.join` gave. */
  readonly session: number
  /** For how long nobody else gets it. */
  readonly leaseMs: number
}

/**
 * How far consumers have come in the event log, by their names. One session at a time has a cursor: until it lets go of it,
 * leaves, or has not been heard of for its `leaseMs`.
 */
export interface Cursors {
  /** Takes a cursor, or goes on having it: the id of the last event that is dealt with, `start` for a name that is new; null while another session has it. */
  take(name: string, lease: CursorLease & { readonly start: number }, now: Moment): Promise<number | null>
  /** Moves a cursor, never back, and renews the lease; false, with nothing done, where the session does not have it any more. */
  move(name: string, lease: CursorLease & { readonly to: number }, now: Moment): Promise<boolean>
  /** Lets go of a cursor that the session has. */
  release(name: string, session: number): Promise<void>
}

/** What workers have published of the tasks they can run. */
export interface TaskCatalog {
  publish(tasks: readonly TaskDefaults[]): Promise<void>
  /** The tasks ever published, by name. */
  list(): Promise<TaskDefaults[]>
  /**
   * Limits how often jobs of a task are handed out, over all workers; null takes the limit away. While a task has no start
   * left, its jobs wait and others pass them.
   */
  limitStarts(task: string, rate: Rate | null): Promise<void>
  /** The limits that are set, by name of the task. */
  startRates(): Promise<StartRate[]>
}
