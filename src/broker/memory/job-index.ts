import type { Moment } from '../../clock.ts'
import { finishedStates, isFinished, type Job, type JobState, type PayloadReader } from '../../job.ts'
import type {
  Counts,
  JobFilter,
  JobIndex,
  PruneFilter,
  QueueSummary,
  SignatureChange,
  SignedFilter,
  StoredPayload,
} from '../broker.ts'
import type { MemoryStore } from './memory-store.ts'
import { isWaiting, type JobRow, toJob } from './row.ts'

/** Reads and deletes the jobs of a memory broker. */
export class MemoryJobIndex implements JobIndex {
  readonly #store: MemoryStore
  readonly #read: PayloadReader

  constructor(store: MemoryStore, read: PayloadReader) {
    this.#store = store
    this.#read = read
  }

  async get(id: number, now: Moment): Promise<Job | null> {
    const row = this.#store.jobs.get(id)
    return row === undefined ? null : this.#show(row, now)
  }

  async list(filter: JobFilter, now: Moment): Promise<Job[]> {
    const { states, queue, task, tag, since, cursor, reach } = filter
    const oldest = filter.order === 'oldest'
    const rows = [...this.#store.jobs.values()].filter(
      (row) =>
        (states === undefined || states.includes(row.state)) &&
        (queue === undefined || row.queue === queue) &&
        (task === undefined || row.task === task) &&
        (tag === undefined || row.tags.includes(tag)) &&
        (since === undefined || row.createdAt >= since) &&
        (cursor === undefined || (oldest ? row.id > cursor : row.id < cursor)) &&
        (cursor === undefined || reach === undefined || Math.abs(row.id - cursor) <= reach),
    )
    rows.sort((one, other) => (oldest ? one.id - other.id : other.id - one.id))
    return rows.slice(0, filter.limit).map((row) => this.#show(row, now))
  }

  async queues(now: Moment): Promise<QueueSummary[]> {
    const names = [...this.#store.queues.keys()].sort()
    return names.map((name) => this.#summarize(name, now.at))
  }

  async counts(now: Moment): Promise<Counts> {
    return { cursor: this.#store.last.event, queues: await this.queues(now) }
  }

  async countDue(queues: readonly string[] | null, limit: number, now: Moment): Promise<number> {
    const due = [...this.#store.jobs.values()].filter(
      (row) =>
        row.state === 'queued' &&
        isWaiting(row) &&
        row.dueAt <= now.at &&
        (queues === null || queues.includes(row.queue)) &&
        this.#store.queues.get(row.queue)?.paused !== true,
    )
    return Math.min(due.length, limit)
  }

  async remove(ids: readonly number[]): Promise<boolean[]> {
    return ids.map((id) => {
      const row = this.#store.jobs.get(id)
      return row !== undefined && isFinished(row.state) && this.#store.jobs.delete(id)
    })
  }

  async prune(filter: PruneFilter): Promise<number[]> {
    const { states = finishedStates, queue, finishedBefore = Number.POSITIVE_INFINITY, keep = 0 } = filter
    const ids = [...this.#store.jobs.values()]
      .filter(
        (row) => (states as readonly JobState[]).includes(row.state) && (queue === undefined || row.queue === queue),
      )
      .filter((row) => (row.finishedAt ?? 0) < finishedBefore)
      .map((row) => row.id)
      .sort((one, other) => one - other)
      .slice(0, keep === 0 ? undefined : -keep)
      .slice(0, filter.limit)
    if (filter.dryRun !== true) await this.remove(ids)
    return ids
  }

  async dropResults(options: {
    readonly finishedBefore: number
    readonly after: number
    readonly limit: number
  }): Promise<number | null> {
    const rows = this.#behind(options.after).slice(0, options.limit)
    for (const row of rows) {
      const old = isFinished(row.state) && row.finishedAt !== null && row.finishedAt < options.finishedBefore
      if (old && row.result !== null) this.#store.put({ ...row, result: null })
    }
    return rows.at(-1)?.id ?? null
  }

  async stored(id: number): Promise<StoredPayload | null> {
    const row = this.#store.jobs.get(id)
    return row === undefined ? null : toStored(row)
  }

  async waitingSigned({ queue, after, limit }: SignedFilter): Promise<StoredPayload[]> {
    return this.#behind(after)
      .filter((row) => isWaiting(row) && row.payload.signature !== undefined)
      .filter((row) => queue === undefined || row.queue === queue)
      .slice(0, limit)
      .map(toStored)
  }

  async resign(changes: readonly SignatureChange[]): Promise<boolean[]> {
    return changes.map(({ job, from, to }) => {
      const row = this.#store.jobs.get(job)
      if (row === undefined || !isWaiting(row) || row.payload.signature !== from) return false
      this.#store.put({ ...row, payload: { ...row.payload, signature: to } })
      return true
    })
  }

  /** Jobs with higher ids, by id. */
  #behind(after: number): JobRow[] {
    return [...this.#store.jobs.values()].filter(({ id }) => id > after).sort((one, other) => one.id - other.id)
  }

  #show(row: JobRow, now: Moment): Job {
    return toJob(row, {
      read: this.#read,
      now: now.at,
      worker: this.#store.workerName(row.worker),
      defaults: this.#store.tasks.get(row.task),
    })
  }

  #summarize(name: string, now: number): QueueSummary {
    const rows = [...this.#store.jobs.values()].filter((row) => row.queue === name)
    const count = (state: JobState): number => rows.filter((row) => row.state === state).length
    const queued = rows.filter((row) => row.state === 'queued')
    const due = queued.filter((row) => row.dueAt <= now || row.lease !== null)
    return {
      name,
      paused: this.#store.queues.get(name)?.paused === true,
      blocked: count('blocked'),
      queued: queued.length,
      scheduled: queued.length - due.length,
      running: count('running'),
      succeeded: count('succeeded'),
      failed: count('failed'),
      cancelled: count('cancelled'),
      oldestWaitingMs: due.length === 0 ? null : Math.max(0, ...due.map((row) => now - row.dueAt)),
      limits: {},
    }
  }
}

const toStored = ({ id, task, queue, payload }: JobRow): StoredPayload => ({
  payload,
  owner: { part: 'payload', job: id, task, queue },
})
