/**
 * What a memory broker holds, and the only ways to change it. Everything written inside `transaction` is
 * undone when it throws, so that an operation takes effect as a whole or not at all.
 */

import type { EventType, JobqEvent } from '../../event.ts'
import { isFinished, type TaskDefaults } from '../../job.ts'
import type { StartRate } from '../../start-rate.ts'
import type { WorkerRecord } from '../broker.ts'
import type { JobRow } from './row.ts'

/** What an event says beside its type and time. */
export type EventFields = Partial<Omit<JobqEvent, 'id' | 'at' | 'type'>>

/** A queue: paused or not, and its standing among those that share claims by weight. */
export interface QueueRow {
  readonly paused: boolean
  readonly credit: number
}

/** A consumer's cursor, and who has it until when (monotonic milliseconds); 0 for nobody. */
export interface CursorRow {
  readonly cursor: number
  readonly session: number
  readonly until: number
}

/** Jobs, queues, tasks, workers and events in this process's memory. */
export class MemoryStore {
  readonly jobs = new Map<number, JobRow>()
  readonly queues = new Map<string, QueueRow>([['default', { paused: false, credit: 0 }]])
  readonly tasks = new Map<string, TaskDefaults>()
  readonly rates = new Map<string, StartRate>()
  readonly workers = new Map<number, WorkerRecord>()
  readonly cursors = new Map<string, CursorRow>()
  /** The names of all sessions there ever were. */
  readonly workerNames = new Map<number, string>()
  /** The log without what was pruned: ids without gaps. */
  readonly events: JobqEvent[] = []
  /** The ids given last, of jobs, claims, sessions and events. */
  readonly last = { job: 0, token: 0, session: 0, event: 0 }
  #undo: (() => void)[] = []

  /** Runs `work` as a whole or, when it throws, not at all. */
  transaction<T>(work: () => T): T {
    this.#undo = []
    try {
      return work()
    } catch (error) {
      for (const step of this.#undo.reverse()) step()
      throw error
    }
  }

  /** The next number of a kind. */
  next(kind: keyof MemoryStore['last']): number {
    this.#undo.push(() => {
      this.last[kind] -= 1
    })
    this.last[kind] += 1
    return this.last[kind]
  }

  /** Stores a job, making its queue known, and gives it back. */
  put(row: JobRow): JobRow {
    const before = this.jobs.get(row.id)
    this.#undo.push(() => (before === undefined ? this.jobs.delete(row.id) : this.jobs.set(row.id, before)))
    this.jobs.set(row.id, row)
    if (!this.queues.has(row.queue)) this.putQueue(row.queue, { paused: false, credit: 0 })
    return row
  }

  /** Stores what is known of a queue. */
  putQueue(name: string, queue: QueueRow): void {
    const before = this.queues.get(name)
    this.#undo.push(() => (before === undefined ? this.queues.delete(name) : this.queues.set(name, before)))
    this.queues.set(name, queue)
  }

  /** Stores a task's start rate; null forgets it. */
  putRate(task: string, rate: StartRate | null): void {
    const before = this.rates.get(task)
    this.#undo.push(() => (before === undefined ? this.rates.delete(task) : this.rates.set(task, before)))
    if (rate === null) this.rates.delete(task)
    else this.rates.set(task, rate)
  }

  /** Logs an event; `at` is epoch milliseconds. */
  log(type: EventType, at: number, fields: EventFields): void {
    const id = this.next('event')
    this.#undo.push(() => this.events.pop())
    this.events.push({
      job: null,
      task: null,
      queue: null,
      worker: null,
      attempt: null,
      data: {},
      ...fields,
      id,
      at,
      type,
    })
  }

  /** Logs an event of a job. */
  logJob(type: EventType, at: number, event: { readonly row: JobRow } & EventFields): void {
    const { row, ...fields } = event
    this.log(type, at, { job: row.id, task: row.task, queue: row.queue, attempt: row.attempt, ...fields })
  }

  /** The name of a session, also of one that has left. */
  workerName(session: number | null): string | null {
    return session === null ? null : (this.workerNames.get(session) ?? null)
  }

  /** The unfinished job that has a unique key, if any. */
  holderOf(key: string): JobRow | undefined {
    return this.jobs.values().find((row) => row.uniqueKey === key && !isFinished(row.state))
  }
}
