/**
 * The ends of small jobs, which are kept beside the jobs' own rows (see `jobq_ends` in the migrations). Readers go through
 * `jobq_current`; whoever is about to write such a job's row, or to delete it, puts the end back first. Only inside a write.
 */
import { logRuns } from './event-writer.ts'
import { eventCode, type Store } from './store.ts'
import { cutOut, keyFor, stretchesOf, stretchTable } from './stretches.ts'

const ends = stretchTable('jobq_ends', 'token, worker, pid, started_at, finished_at, event_shift')

/** What ends that are kept apart have in common. Instants are epoch milliseconds. */
export interface SharedEnd {
  readonly token: number
  readonly task: number
  readonly queue: number
  readonly worker: number
  readonly pid: number | null
  readonly startedAt: number
  readonly finishedAt: number
}

/** Records the success of jobs in their first attempt whose run was not told of before. */
export const insertEnds = (store: Store, ids: readonly number[], end: SharedEnd): void => {
  const { token, worker, pid, startedAt, finishedAt } = end
  let event = logRuns(store, JSON.stringify(ids), { ...end, attempt: 1 })
  const rows = stretchesOf(ids).map(([first, last]) => {
    const row = [first, last, event - 2 * first]
    event += 2 * (last - first + 1)
    return row
  })
  store
    .sql(
      `INSERT INTO jobq_ends(job, last, token, worker, pid, started_at, finished_at, event_shift)
       SELECT value ->> 0, value ->> 1, ?, ?, ?, ?, ?, value ->> 2 FROM json_each(?)`,
    )
    .run(token, worker, pid, startedAt, finishedAt, JSON.stringify(rows))
}

/** Puts the end of a job, if one is kept apart, into its own row. */
export const foldEnd = (store: Store, id: number): void => {
  if (!indexEvents(store, id)) return
  store
    .sql(
      `UPDATE jobq_jobs SET (state, attempt, spent, token, worker, pid, started_at, finished_at) =
         (SELECT state, attempt, spent, token, worker, pid, started_at, finished_at FROM jobq_current WHERE id = jobq_jobs.id)
       WHERE id = ?`,
    )
    .run(id)
  dropEnd(store, id)
}

/** Forgets the end of a job that is to be deleted; true if one was kept apart. Its events stay. */
export const removeEnd = (store: Store, id: number): boolean => {
  const kept = indexEvents(store, id)
  if (kept) dropEnd(store, id)
  return kept
}

const dropEnd = (store: Store, id: number): void => {
  const key = store.value(`SELECT ${keyFor('jobq_ends', '?')}`, id)
  cutOut(store, ends, { key: Number(key), first: id, last: id })
}

/** Makes the events to which an end leads findable without it; false where there is no such end. */
const indexEvents = (store: Store, id: number): boolean => {
  const shift = store.value(
    `SELECT event_shift FROM jobq_ends WHERE job = ${keyFor('jobq_ends', '?')} AND last >= ?`,
    id,
    id,
  )
  if (typeof shift !== 'number') return false
  const event = shift + 2 * id
  store
    .sql(
      `INSERT INTO jobq_events(id, at, type, job, task, queue, worker, attempt)
       SELECT id - 1, at - runtime_ms, ${eventCode('job.started')}, job, task, queue, worker, attempt FROM jobq_events
       WHERE id = ? AND type < 0 AND id - 1 > (SELECT value FROM jobq_meta WHERE key = 'events_pruned')`,
    )
    .run(event)
  store.sql('UPDATE jobq_events SET type = abs(type) WHERE id = ?').run(event)
  return true
}
