/**
 * The ends of small jobs, which are kept beside the jobs' own rows (see `jobq_ends` in the migrations). Readers go through
 * `jobq_current`; whoever is about to write such a job's row, or to delete it, puts the end back first. Only inside a write.
 */
import type { HeldJob } from './claim.ts'
import { logRuns } from './event-writer.ts'
import type { Store } from './store.ts'

/** Records the success of jobs whose run was not told of before; `ids` is a JSON array of theirs. Instants are epoch milliseconds. */
export const insertEnds = (
  store: Store,
  ids: string,
  run: {
    readonly held: HeldJob
    readonly pid: number | null
    readonly startedAt: number
    readonly finishedAt: number
  },
): void => {
  const { held, pid, startedAt, finishedAt } = run
  const { token, worker } = held
  const firstEvent = logRuns(store, ids, { ...held, startedAt, finishedAt })
  store
    .sql(
      `INSERT INTO jobq_ends(job, token, worker, pid, started_at, finished_at, event)
       SELECT value, ?, ?, ?, ?, ?, ? + 2 * key FROM json_each(?)`,
    )
    .run(token, worker, pid, startedAt, finishedAt, firstEvent, ids)
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
  store.sql('DELETE FROM jobq_ends WHERE job = ?').run(id)
}

/** Makes the events to which an end leads findable without it; false where there is no such end. */
const indexEvents = (store: Store, id: number): boolean => {
  const event = store.value('SELECT event FROM jobq_ends WHERE job = ?', id)
  if (typeof event !== 'number') return false
  store.sql('UPDATE jobq_events SET type = abs(type) WHERE id IN (?, ?)').run(event - 1, event)
  return true
}
