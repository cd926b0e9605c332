/**
 * The SQLite broker: one file, no server, every commit synced. `src/broker/broker.ts` says what each method
 * promises; the files beside this one say how. Writers ring the workers' bells after their commit.
 */

import { oneByOne } from '../../burst.ts'
import { type Clock, type Moment, systemClock } from '../../clock.ts'
import type { NewEvent } from '../../event.ts'
import type { ClaimedJob, Enqueued, Lease, NewJob, PayloadReader } from '../../job.ts'
import { readPlain } from '../../plain-payload.ts'
import type {
  Broker,
  CancelAnswer,
  CancelTarget,
  ClaimRequest,
  LeaseStatus,
  NewWorker,
  Report,
  RequeueAnswer,
  Settled,
} from '../broker.ts'
import { claimJobs, type HeldJob } from './claim.ts'
import { SqliteCursors } from './cursor-rows.ts'
import { adoptDatabase, type FileOptions, openFile } from './database-file.ts'
import type { Doorbell } from './doorbell.ts'
import { enqueueJobs } from './enqueue.ts'
import { SqliteEventLog } from './event-rows.ts'
import { cancelJobs, hastenJobs, releaseJobs, requeueJobs } from './intervene.ts'
import { SqliteJobIndex } from './job-rows.ts'
import { renewLeases } from './leases.ts'
import type { SqliteDatabase } from './native.ts'
import { ringWorkers } from './producer.ts'
import { QueueTurns } from './queue-turns.ts'
import { ring } from './ring.ts'
import { noteSettled, settleReports } from './settle.ts'
import { Store } from './store.ts'
import { Waiter } from './waiter.ts'
import { SqliteTaskCatalog, SqliteWorkerRegistry } from './worker-rows.ts'

/** How to open a SQLite broker. */
export interface SqliteBrokerOptions extends FileOptions {
  /** How long a write waits for other writers before it fails as `unavailable`; default 15 s. */
  readonly busyTimeoutMs?: number
  readonly clock?: Clock
  /** How payloads and results are read to be shown; default plain JSON only. */
  readonly read?: PayloadReader
}

type OpenOptions = Pick<SqliteBrokerOptions, 'clock' | 'read'>

/** The worker registry, with a bell hung up for each session that this process opens. */
class BelledWorkerRegistry extends SqliteWorkerRegistry {
  readonly #file: string
  readonly #onRing: () => void
  readonly #bells = new Map<number, Doorbell>()

  constructor(store: Store, onRing: () => void) {
    super(store)
    this.#file = store.file
    this.#onRing = onRing
  }

  override async join(worker: NewWorker, now: Moment): Promise<number> {
    const session = await super.join(worker, now)
    const { Doorbell } = await import('./doorbell.ts')
    this.#bells.set(session, new Doorbell(this.#file, session, this.#onRing))
    return session
  }

  override async leave(session: number, now: Moment): Promise<void> {
    const bell = this.#bells.get(session)
    if (bell === undefined) {
      const { removeBell } = await import('./doorbell.ts')
      removeBell(this.#file, session)
    }
    bell?.close()
    this.#bells.delete(session)
    await super.leave(session, now)
    // What it held is to be had again.
    for (const { session: other } of await this.list()) ring(this.#file, other)
  }

  close(): void {
    for (const bell of this.#bells.values()) bell.close()
    this.#bells.clear()
  }
}

/** A broker on a SQLite file. */
export class SqliteBroker implements Broker {
  readonly url: string
  readonly jobs: SqliteJobIndex
  readonly events: SqliteEventLog
  readonly workers: SqliteWorkerRegistry
  readonly tasks: SqliteTaskCatalog
  readonly cursors: SqliteCursors
  readonly #store: Store
  readonly #registry: BelledWorkerRegistry
  readonly #turns = new QueueTurns()
  readonly #held = new Map<number, HeldJob>()
  readonly #waiter: Waiter
  readonly #ownsDatabase: boolean
  #closed = false

  private constructor(store: Store, options: OpenOptions & { readonly ownsDatabase: boolean }) {
    this.#store = store
    this.#ownsDatabase = options.ownsDatabase
    this.#waiter = new Waiter(store, options.clock ?? systemClock)
    this.#registry = new BelledWorkerRegistry(store, this.#waiter.ring)
    this.url = `sqlite:${store.file}`
    this.jobs = new SqliteJobIndex(store, options.read ?? readPlain)
    this.events = new SqliteEventLog(store)
    this.workers = this.#registry
    this.tasks = new SqliteTaskCatalog(store)
    this.cursors = new SqliteCursors(store)
  }

  /**
   * Opens the queue file, creating it unless told otherwise.
   * @throws JobqError `unusable`, `permission`, `not-found`, `unavailable`
   */
  static open(file: string, options: SqliteBrokerOptions = {}): SqliteBroker {
    const store = new Store(openFile(file, options), file, options.busyTimeoutMs)
    return new SqliteBroker(store, { ...options, ownsDatabase: true })
  }

  /** Puts the queues into the application's own database; what is written takes part in its running transaction. */
  static attach(
    database: SqliteDatabase,
    options: Pick<SqliteBrokerOptions, 'busyTimeoutMs' | 'clock' | 'read'> = {},
  ): SqliteBroker {
    adoptDatabase(database)
    const store = new Store(database, database.name, options.busyTimeoutMs)
    return new SqliteBroker(store, { ...options, ownsDatabase: false })
  }

  /** The path of the file. */
  get file(): string {
    return this.#store.file
  }

  async enqueue(jobs: readonly NewJob[], now: Moment): Promise<Enqueued[]> {
    return this.#store.write(() => this.#enqueue(jobs, now))
  }

  /** As `enqueue`, without letting go of the thread: inside the caller's transaction if one is running. */
  enqueueSync(jobs: readonly NewJob[], now: Moment): Enqueued[] {
    return this.#store.writeSync(() => this.#enqueue(jobs, now))
  }

  async settle(reports: readonly Report[], now: Moment, claim?: ClaimRequest): Promise<Settled> {
    let taken: [number, HeldJob][] = []
    const settled = await this.#store.write(() => {
      taken = []
      const lost = settleReports(this.#store, reports, { held: this.#held, now: now.at })
      const claimed =
        claim === undefined
          ? []
          : claimJobs(this.#store, claim, { now, turns: this.#turns, taken, again: this.#waiter.ring })
      return { lost, claimed }
    })
    noteSettled(this.#held, reports, settled.lost)
    for (const [id, job] of taken) this.#held.set(id, job)
    return settled
  }

  async claim(request: ClaimRequest, now: Moment): Promise<ClaimedJob[]> {
    const { burst: _burst, ...single } = request
    return oneByOne((await this.settle([], now, single)).claimed)
  }

  async extend(leases: readonly Lease[], leaseMs: number, now: Moment): Promise<LeaseStatus[]> {
    if (leases.length === 0) return []
    const until = Math.round(now.tick + leaseMs)
    return this.#store.write(() => renewLeases(this.#store, leases, until))
  }

  async cancel(target: CancelTarget, reason: 'Cancelled' | 'Purged', now: Moment): Promise<CancelAnswer[]> {
    return this.#writeAndRing(() => cancelJobs(this.#store, target, { reason, now: now.at }))
  }

  async requeue(ids: readonly number[], dueAt: number, now: Moment): Promise<RequeueAnswer[]> {
    return this.#writeAndRing(() => requeueJobs(this.#store, ids, { dueAt, now: now.at }))
  }

  async release(ids: readonly number[], now: Moment): Promise<boolean[]> {
    return this.#writeAndRing(() => releaseJobs(this.#store, ids, now.at))
  }

  async hasten(ids: readonly number[], now: Moment): Promise<boolean[]> {
    return this.#writeAndRing(() => hastenJobs(this.#store, ids, now.at))
  }

  async setPaused(queue: string, paused: boolean, now: Moment): Promise<void> {
    await this.#writeAndRing(() => {
      const id = this.#store.queueId(queue)
      const { changes } = this.#store
        .sql('UPDATE jobq_queues SET paused = ? WHERE id = ? AND paused IS NOT ?')
        .run(paused ? 1 : 0, id, paused ? 1 : 0)
      const event: NewEvent = { type: paused ? 'queue.paused' : 'queue.resumed', at: now.at, queue }
      if (changes === 1) this.events.insert(event)
    })
  }

  async wait(options: { readonly signal: AbortSignal; readonly timeoutMs: number }): Promise<void> {
    await this.#waiter.wait(options)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#waiter.ring()
    this.#registry.close()
    if (this.#ownsDatabase) this.#store.close()
  }

  #enqueue(jobs: readonly NewJob[], now: Moment): Enqueued[] {
    const added = enqueueJobs(this.#store, jobs, now.at)
    this.#ringAfterCommit()
    return added
  }

  #writeAndRing<T>(work: () => T): Promise<T> {
    return this.#store.write(() => {
      const result = work()
      this.#ringAfterCommit()
      return result
    })
  }

  #ringAfterCommit(): void {
    this.#store.afterCommit(this.#waiter.ring)
    ringWorkers(this.#store)
  }
}
