import type { EventType } from '../../event.ts'
import { eventCode, type Store } from './store.ts'

/** What an event of one job says beside its type and time; `data` is what the type adds. */
export interface JobEventRow {
  readonly job: number
  readonly task: number
  readonly queue: number
  readonly worker?: number | null
  readonly attempt: number
  readonly data?: Readonly<Record<string, unknown>>
}

/** Logs one event of one job; only inside a write. `at` is epoch milliseconds. */
export const logJobEvent = (store: Store, type: EventType, at: number, row: JobEventRow): void => {
  const data = row.data === undefined || Object.keys(row.data).length === 0 ? null : JSON.stringify(row.data)
  store
    .sql('INSERT INTO jobq_events(at, type, job, task, queue, worker, attempt, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
    .run(at, eventCode(type), row.job, row.task, row.queue, row.worker ?? null, row.attempt, data)
}

/** What a run of jobs has in common, so that one statement can log an event for each of them. */
export interface SharedEvent {
  readonly at: number
  readonly task: number
  readonly queue: number
  readonly worker: number | null
  readonly attempt: number
  readonly runtimeMs?: number
  readonly data?: string
}

/** Logs the same event for every id of a JSON array; only inside a write. */
export const logJobEvents = (store: Store, type: EventType, ids: string, shared: SharedEvent): void => {
  store
    .sql(
      `INSERT INTO jobq_events(at, type, job, task, queue, worker, attempt, runtime_ms, data)
       SELECT ?, ?, value, ?, ?, ?, ?, ?, ? FROM json_each(?)`,
    )
    .run(
      shared.at,
      eventCode(type),
      shared.task,
      shared.queue,
      shared.worker,
      shared.attempt,
      shared.runtimeMs ?? null,
      shared.data ?? null,
      ids,
    )
}

/** What the events of a run that was told at its end have in common. */
export interface SharedRun extends Omit<SharedEvent, 'at' | 'data' | 'runtimeMs'> {
  readonly startedAt: number
  readonly finishedAt: number
}

/**
 * Logs a start and a success, one behind the other, for every id of a JSON array, as one row with the id of the success
 * and answers the first of these; `jobq_ends` is to lead to them, because the index by job does not. Only inside a write.
 */
export const logRuns = (store: Store, ids: string, run: SharedRun): number => {
  const { startedAt, finishedAt, task, queue, worker, attempt } = run
  const first = Number(store.value("SELECT seq FROM sqlite_sequence WHERE name = 'jobq_events'") ?? 0) + 2
  const runtimeMs = Math.max(0, finishedAt - startedAt)
  store.sql(insertRuns).run(first, finishedAt, task, queue, worker, attempt, runtimeMs, ids)
  return first
}

const insertRuns = `INSERT INTO jobq_events(id, at, type, job, task, queue, worker, attempt, runtime_ms)
  SELECT ? + 2 * key, ?, ${-eventCode('job.succeeded')}, value, ?, ?, ?, ?, ? FROM json_each(?)`
