/**
 * A broker in the memory of one process: the executable specification of the seam in `broker.ts`, written to
 * be read, and good for tests and for applications whose jobs may end with them. Each operation's rules are a
 * file of their own; here they are made atomic and waiting workers are woken. The store is a plain object, so
 * nothing is ever busy or away.
 */
import type { Moment } from '../../clock.ts'
import { maxTimerMs } from '../../clock.ts'
import { JobqError } from '../../errors.ts'
import type { ClaimedJob, Enqueued, Lease, NewJob, PayloadReader, TaskDefaults } from '../../job.ts'
import { readPlain } from '../../plain-payload.ts'
import type { Rate } from '../../rate.ts'
import type {
  Broker,
  CancelAnswer,
  CancelTarget,
  ClaimRequest,
  LeaseStatus,
  Report,
  RequeueAnswer,
  Settled,
  TaskCatalog,
} from '../broker.ts'
import { claimJobs } from './claim.ts'
import { MemoryCursors } from './cursors.ts'
import { enqueueJobs } from './enqueue.ts'
import { MemoryEventLog } from './event-log.ts'
import { MemoryJobIndex } from './job-index.ts'
import { MemoryStore } from './memory-store.ts'
import { cancelJobs, hastenJobs, releaseJobs, requeueJobs } from './requeue.ts'
import { extendLeases, settleReports } from './settle.ts'
import { limitStarts } from './start-rates.ts'
import { MemoryWorkerRegistry } from './worker-registry.ts'

/** Queues in this process's memory. */
export class MemoryBroker implements Broker {
  readonly url = 'memory:'
  readonly jobs: MemoryJobIndex
  readonly events: MemoryEventLog
  readonly workers: MemoryWorkerRegistry
  readonly tasks: TaskCatalog
  readonly cursors: MemoryCursors
  readonly #store = new MemoryStore()
  readonly #waiting = new Set<() => void>()
  #closed = false

  constructor(options: { readonly read?: PayloadReader } = {}) {
    this.jobs = new MemoryJobIndex(this.#store, options.read ?? readPlain)
    this.events = new MemoryEventLog(this.#store)
    this.workers = new MemoryWorkerRegistry(this.#store)
    this.cursors = new MemoryCursors(this.#store)
    this.tasks = {
      publish: async (tasks: readonly TaskDefaults[]) => {
        for (const defaults of tasks) this.#store.tasks.set(defaults.task, defaults)
      },
      list: async () => [...this.#store.tasks.values()].sort((one, other) => (one.task < other.task ? -1 : 1)),
      limitStarts: async (task: string, rate: Rate | null) => this.#waking(() => limitStarts(this.#store, task, rate)),
      startRates: async () => [...this.#store.rates.values()].sort((one, other) => (one.task < other.task ? -1 : 1)),
    }
  }

  async enqueue(jobs: readonly NewJob[], now: Moment): Promise<Enqueued[]> {
    return this.#waking(() => enqueueJobs(this.#store, jobs, now))
  }

  async settle(reports: readonly Report[], now: Moment, claim?: ClaimRequest): Promise<Settled> {
    const settle = (): Settled => ({
      lost: settleReports(this.#store, reports, now),
      claimed: claim === undefined ? [] : claimJobs(this.#store, claim, now),
    })
    return reports.some((report) => report.kind === 'finished') ? this.#waking(settle) : this.#atomic(settle)
  }

  async claim(request: ClaimRequest, now: Moment): Promise<ClaimedJob[]> {
    return this.#atomic(() => claimJobs(this.#store, request, now))
  }

  async extend(leases: readonly Lease[], leaseMs: number, now: Moment): Promise<LeaseStatus[]> {
    return this.#atomic(() => extendLeases(this.#store, leases, { leaseMs, now }))
  }

  async cancel(target: CancelTarget, reason: 'Cancelled' | 'Purged', now: Moment): Promise<CancelAnswer[]> {
    return this.#waking(() => cancelJobs(this.#store, target, { reason, now }))
  }

  async requeue(ids: readonly number[], dueAt: number, now: Moment): Promise<RequeueAnswer[]> {
    return this.#waking(() => requeueJobs(this.#store, ids, { dueAt, now }))
  }

  async release(ids: readonly number[], now: Moment): Promise<boolean[]> {
    return this.#waking(() => releaseJobs(this.#store, ids, now))
  }

  async hasten(ids: readonly number[], now: Moment): Promise<boolean[]> {
    return this.#waking(() => hastenJobs(this.#store, ids, now))
  }

  async setPaused(queue: string, paused: boolean, now: Moment): Promise<void> {
    this.#waking(() => {
      const known = this.#store.queues.get(queue)
      this.#store.putQueue(queue, { credit: known?.credit ?? 0, paused })
      if ((known?.paused ?? false) !== paused) {
        this.#store.log(paused ? 'queue.paused' : 'queue.resumed', now.at, { queue })
      }
    })
  }

  async wait(options: { readonly signal: AbortSignal; readonly timeoutMs: number }): Promise<void> {
    const { signal, timeoutMs } = options
    if (signal.aborted || this.#closed) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const done = (): void => resolve()
    const timer = setTimeout(done, Math.min(timeoutMs, maxTimerMs))
    this.#waiting.add(done)
    signal.addEventListener('abort', done)
    await promise
    clearTimeout(timer)
    this.#waiting.delete(done)
    signal.removeEventListener('abort', done)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#wake()
  }

  #atomic<T>(work: () => T): T {
    if (this.#closed) throw new JobqError('unavailable', 'the broker is closed')
    return this.#store.transaction(work)
  }

  #waking<T>(work: () => T): T {
    const result = this.#atomic(work)
    this.#wake()
    return result
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve()
  }
}
