/**
 * The table of jobs that may be taken now: those that one statement has added stand in one row, any other job in a row of its
 * own. Whatever changes where a waiting job stands calls `unready` before it changes the job's row and `makeReady` after.
 * Only inside a write.
 */
import type { Store } from './store.ts'
import type { Stretch } from './stretches.ts'

/** Where jobs stand in the order in which they are taken; `dueAt` is epoch milliseconds. */
export interface Place {
  readonly queue: number
  /** The priority, negated. */
  readonly rank: number
  readonly dueAt: number
}

/** Lists a job as ready, if that is its state. */
export const makeReady = (store: Store, id: number): void => {
  store
    .sql(
      'INSERT INTO jobq_ready(queue, rank, due_at, job, last) SELECT queue, -priority, due_at, id, id FROM jobq_jobs WHERE id = ? AND state = 1',
    )
    .run(id)
}

/** Lists consecutive jobs that stand at the same place. */
export const listReady = (store: Store, { queue, rank, dueAt }: Place, [first, last]: Stretch): void => {
  store
    .sql('INSERT INTO jobq_ready(queue, rank, due_at, job, last) VALUES (?, ?, ?, ?, ?)')
    .run(queue, rank, dueAt, first, last)
}

/** Takes a job off the list, if it is there. */
export const unready = (store: Store, id: number): void => {
  const row = store.sql<Covering>(selectCovering).get(id)
  if (row !== undefined) takeOut(store, row, id)
  store
    .sql(
      'DELETE FROM jobq_throttled WHERE (task, rank, due_at, job) = (SELECT task, -priority, due_at, id FROM jobq_jobs WHERE id = ?)',
    )
    .run(id)
}

/** Takes everything of a queue off the list up to this job, which is on it. */
export const unreadyUntil = (store: Store, { queue, rank, dueAt }: Place, id: number): void => {
  const end = store.value(selectLast, queue, rank, dueAt, id) as number
  store.sql('DELETE FROM jobq_ready WHERE queue = ? AND (rank, due_at, job) <= (?, ?, ?)').run(queue, rank, dueAt, id)
  if (end > id) listReady(store, { queue, rank, dueAt }, [id + 1, end])
}

const selectLast = `SELECT last FROM jobq_ready WHERE queue = ? AND rank = ? AND due_at = ? AND job <= ?
  ORDER BY job DESC LIMIT 1`

interface Covering extends Place {
  readonly first: number
  readonly last: number
}

const selectCovering = `SELECT r.queue, r.rank, r.due_at AS dueAt, r.job AS first, r.last
  FROM jobq_jobs j CROSS JOIN jobq_ready r ON r.queue = j.queue AND r.rank = -j.priority AND r.due_at = j.due_at
    AND r.job = (SELECT max(job) FROM jobq_ready WHERE queue = j.queue AND rank = -j.priority AND due_at = j.due_at AND job <= j.id)
  WHERE j.id = ? AND r.last >= j.id`

const takeOut = (store: Store, { first, last, ...place }: Covering, id: number): void => {
  const row = [place.queue, place.rank, place.dueAt, first]
  const isRow = 'queue = ? AND rank = ? AND due_at = ? AND job = ?'
  if (first < id) store.sql(`UPDATE jobq_ready SET last = ? WHERE ${isRow}`).run(id - 1, ...row)
  else store.sql(`DELETE FROM jobq_ready WHERE ${isRow}`).run(...row)
  if (id < last) listReady(store, place, [id + 1, last])
}
