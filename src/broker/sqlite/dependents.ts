/**
 * What the end of a job means for those that wait for it: they are let go when all they need is there,
 * cancelled (and theirs, transitively) when it failed, blocked again when it is retried. Only inside a write.
 */
import { logJobEvent } from './event-writer.ts'
import { makeReady } from './ready.ts'
import { stored, waitingState } from './state.ts'
import type { Store } from './store.ts'

interface Dependent {
  readonly id: number
  readonly task: number
  readonly queue: number
  readonly attempt: number
  readonly dueAt: number
  readonly held: number
}

const dependentColumns = 'j.id, j.task, j.queue, j.attempt, j.due_at AS dueAt, j.held'

/** Lets go or cancels the jobs that waited for these finished ones. */
export const releaseDependents = (store: Store, finished: readonly number[], now: number): void => {
  if (store.value('SELECT 1 FROM jobq_dependencies LIMIT 1') === undefined) return
  let ended: readonly number[] = finished
  while (ended.length > 0) {
    const waiting = store
      .sql<Dependent>(
        `SELECT DISTINCT ${dependentColumns} FROM jobq_dependencies d JOIN jobq_jobs j ON j.id = d.job
         WHERE d.needs IN (SELECT value FROM json_each(?)) AND j.state = ${stored.blocked}`,
      )
      .all(JSON.stringify(ended))
    const cancelled: number[] = []
    for (const job of waiting) {
      const culprit = failedNeed(store, job.id)
      if (culprit !== undefined) {
        cancelDependent(store, job, { culprit, now })
        cancelled.push(job.id)
      } else if (job.held === 0 && needsAreMet(store, job.id)) letGo(store, job, now)
    }
    ended = cancelled
  }
}

/** The first needed job that can no longer succeed, or undefined. */
export const failedNeed = (store: Store, id: number): number | undefined =>
  store.value(
    `SELECT n.id FROM jobq_dependencies d JOIN jobq_jobs n ON n.id = d.needs
     WHERE d.job = ? AND d.any_end = 0 AND n.state IN (${stored.failed}, ${stored.cancelled}) ORDER BY n.id LIMIT 1`,
    id,
  ) as number | undefined

/** True when nothing a job needs is still to come. A needed job that was pruned had finished. */
export const needsAreMet = (store: Store, id: number): boolean =>
  store.value(
    `SELECT 1 FROM jobq_dependencies d JOIN jobq_current n ON n.id = d.needs
     WHERE d.job = ? AND NOT (n.state = ${stored.succeeded} OR (d.any_end = 1 AND n.state > ${stored.running})) LIMIT 1`,
    id,
  ) === undefined

/** Makes a blocked job wait for a worker. */
export const letGo = (store: Store, job: Dependent, now: number): void => {
  const dueAt = Math.max(job.dueAt, now)
  store
    .sql('UPDATE jobq_jobs SET state = ?, due_at = ?, held = 0 WHERE id = ?')
    .run(waitingState(dueAt, now), dueAt, job.id)
  makeReady(store, job.id)
  logJobEvent(store, 'job.released', now, {
    job: job.id,
    task: job.task,
    queue: job.queue,
    attempt: job.attempt,
    data: { dueAt },
  })
}

/** The row of a job as the functions here take it, or undefined. */
export const dependentRow = (store: Store, id: number): Dependent | undefined =>
  store.sql<Dependent>(`SELECT ${dependentColumns} FROM jobq_jobs j WHERE id = ?`).get(id)

/** Cancels a blocked job because one that it needs failed. */
export const cancelDependent = (
  store: Store,
  job: Dependent,
  cause: { readonly culprit: number; readonly now: number },
): void => {
  const { culprit, now } = cause
  const error = { type: 'DependencyFailed', message: `job ${culprit}, which it was to run after, did not succeed` }
  store
    .sql(`UPDATE jobq_jobs SET state = ${stored.cancelled}, finished_at = ?, error = ?, token = 0 WHERE id = ?`)
    .run(now, JSON.stringify(error), job.id)
  countFinished(store, job.queue, { cancelled: 1 })
  logJobEvent(store, 'job.cancelled', now, {
    job: job.id,
    task: job.task,
    queue: job.queue,
    attempt: job.attempt,
    data: { error },
  })
}

/** Blocks again the jobs that were cancelled because this one had failed, and theirs. One whose unique key is taken stays cancelled. */
export const reviveDependents = (store: Store, id: number, now: number): void => {
  // One at a time: reviving one, and its own dependents, may revive the next or take its unique key.
  for (;;) {
    const job = store
      .sql<Dependent>(
        `SELECT ${dependentColumns} FROM jobq_dependencies d JOIN jobq_jobs j ON j.id = d.job
         WHERE d.needs = ? AND d.any_end = 0 AND j.state = ${stored.cancelled} AND j.error ->> '$.type' = 'DependencyFailed'
           AND NOT EXISTS (SELECT 1 FROM jobq_jobs h WHERE h.unique_key = j.unique_key AND h.state < 4)
         ORDER BY j.id LIMIT 1`,
      )
      .get(id)
    if (job === undefined) return
    store
      .sql(`UPDATE jobq_jobs SET state = ${stored.blocked}, finished_at = NULL, error = NULL WHERE id = ?`)
      .run(job.id)
    countFinished(store, job.queue, { cancelled: -1 })
    logJobEvent(store, 'job.requeued', now, {
      job: job.id,
      task: job.task,
      queue: job.queue,
      attempt: job.attempt,
      data: { dueAt: job.dueAt, blocked: true },
    })
    reviveDependents(store, job.id, now)
  }
}

/** Adds to a queue's counts of finished jobs. */
export const countFinished = (
  store: Store,
  queue: number,
  by: { readonly succeeded?: number; readonly failed?: number; readonly cancelled?: number },
): void => {
  store
    .sql(
      'UPDATE jobq_queues SET succeeded = succeeded + ?, failed = failed + ?, cancelled = cancelled + ? WHERE id = ?',
    )
    .run(by.succeeded ?? 0, by.failed ?? 0, by.cancelled ?? 0, queue)
}
