/**
 * The table of jobs that may be taken now. Whatever changes where a waiting job stands calls `unready` before it
 * changes the job's row and `makeReady` after. Only inside a write.
 */
import type { Store } from './store.ts'

/** Lists a job as ready, if that is its state. */
export const makeReady = (store: Store, id: number): void => {
  store
    .sql(
      'INSERT INTO jobq_ready(queue, rank, due_at, job) SELECT queue, -priority, due_at, id FROM jobq_jobs WHERE id = ? AND state = 1',
    )
    .run(id)
}

/** Takes a job off the list, if it is there. */
export const unready = (store: Store, id: number): void => {
  store
    .sql(
      'DELETE FROM jobq_ready WHERE (queue, rank, due_at, job) = (SELECT queue, -priority, due_at, id FROM jobq_jobs WHERE id = ?)',
    )
    .run(id)
  store
    .sql(
      'DELETE FROM jobq_throttled WHERE (task, rank, due_at, job) = (SELECT task, -priority, due_at, id FROM jobq_jobs WHERE id = ?)',
    )
    .run(id)
}
