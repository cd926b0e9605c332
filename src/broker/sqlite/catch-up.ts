/**
 * What has become of jobs by time alone, brought into the tables before a claim looks at them: jobs whose time has come are
 * ready, those past their expiry cancelled, those whose lease ran out to be had again. Only inside a write.
 */
import type { Moment } from '../../clock.ts'
import { countFinished, releaseDependents } from './dependents.ts'
import { logJobEvent } from './event-writer.ts'
import { endLease } from './leases.ts'
import { makeReady, unready } from './ready.ts'
import { stored } from './state.ts'
import type { Store } from './store.ts'
import { isIn } from './stretches.ts'

/** Jobs that become ready in one turn at the most; more follow in the next, so that no turn is long. */
const promoteAtMost = 5_000

/** Lets the tables say what is so at `now`. */
export const catchUp = (store: Store, now: Moment): void => {
  promoteDue(store, now.at)
  recoverExpiredLeases(store, now)
  cancelExpired(store, now.at)
}

/** True of a job that no worker has in its hands. */
const unheld = `NOT ${isIn('jobq_leases', 'jobq_jobs.id')}`

const promoteDue = (store: Store, now: number): void => {
  const due = store
    .sql(
      `UPDATE jobq_jobs SET state = 1 WHERE id IN (
         SELECT id FROM jobq_jobs WHERE state = 2 AND due_at <= ? ORDER BY due_at LIMIT ${promoteAtMost})
       RETURNING queue, -priority, due_at, id`,
    )
    .raw()
    .all(now)
  if (due.length === 0) return
  store
    .sql(
      `INSERT INTO jobq_ready(queue, rank, due_at, job, last)
       SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 3 FROM json_each(?)`,
    )
    .run(JSON.stringify(due))
}

interface Waiting {
  readonly id: number
  readonly task: number
  readonly queue: number
  readonly attempt: number
  /** Session of the worker that had it until now. */
  readonly worker?: number
}

const cancelExpired = (store: Store, now: number): void => {
  const expired = store
    .sql<Waiting>(
      `SELECT id, task, queue, attempt FROM jobq_jobs
       WHERE expires_at IS NOT NULL AND state < 3 AND expires_at <= ? AND attempt = 0 AND ${unheld} LIMIT 1000`,
    )
    .all(now)
  const error = { type: 'Expired', message: 'it was not started before it expired' }
  for (const job of expired) endWaiting(store, job, { error, now })
  if (expired.length > 0)
    releaseDependents(
      store,
      expired.map((job) => job.id),
      now,
    )
}

/** Cancels a job that no worker has; dependents are the caller's to see to. */
export const endWaiting = (
  store: Store,
  job: Waiting,
  end: { readonly error: { readonly type: string; readonly message: string }; readonly now: number },
): void => {
  const { error, now } = end
  // Its worker may have begun it without having told.
  const interrupted = job.worker === undefined ? {} : { interrupted: true }
  unready(store, job.id)
  store
    .sql(
      `UPDATE jobq_jobs SET state = ${stored.cancelled}, worker = coalesce(?, worker), token = 0, finished_at = ?, error = ? WHERE id = ?`,
    )
    .run(job.worker ?? null, now, JSON.stringify(error), job.id)
  countFinished(store, job.queue, { cancelled: 1 })
  logJobEvent(store, 'job.cancelled', now, {
    job: job.id,
    task: job.task,
    queue: job.queue,
    attempt: job.attempt,
    data: { error, ...interrupted },
  })
}

interface Expired extends Waiting {
  readonly state: number
  readonly worker: number
  readonly cancelling: number
}

/** Takes back what a worker has not renewed: to ready, or cancelled if that was asked for. */
const recoverExpiredLeases = (store: Store, now: Moment): void => {
  const expired = store
    .sql<Expired>(
      `SELECT j.id, j.task, j.queue, j.attempt, j.state, l.worker, l.cancelling
       FROM jobq_leases l CROSS JOIN jobq_jobs j ON j.id BETWEEN l.job AND l.last WHERE l.lease_until <= ?`,
    )
    .all(Math.floor(now.tick))
  const cancelled: number[] = []
  for (const job of expired) {
    endLease(store, job.id)
    if (job.cancelling === 1) {
      endWaiting(store, job, { error: { type: 'Cancelled', message: 'cancelled' }, now: now.at })
      cancelled.push(job.id)
      continue
    }
    const crashed = job.state === stored.running
    store
      .sql(
        `UPDATE jobq_jobs SET state = ${stored.ready}, token = 0, worker = ?, pid = NULL, alone = 1, crashes = crashes + ?, due_at = min(due_at, ?) WHERE id = ?`,
      )
      .run(job.worker, crashed ? 1 : 0, now.at, job.id)
    makeReady(store, job.id)
    logJobEvent(store, 'job.recovered', now.at, {
      job: job.id,
      task: job.task,
      queue: job.queue,
      worker: job.worker,
      attempt: job.attempt,
      data: { reason: crashed ? 'its worker went away' : 'its worker went away before the start', started: crashed },
    })
  }
  if (cancelled.length > 0) releaseDependents(store, cancelled, now.at)
}
