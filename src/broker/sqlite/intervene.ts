/** What people do to jobs by hand: cancel, requeue, release. Only inside a write; `now` is epoch milliseconds. */
import { JobqError } from '../../errors.ts'
import type { CancelAnswer, CancelTarget, RequeueAnswer } from '../broker.ts'
import { admit } from './admit.ts'
import { endWaiting } from './catch-up.ts'
import { countFinished, dependentRow, letGo, needsAreMet, releaseDependents, reviveDependents } from './dependents.ts'
import { foldEnd } from './ends.ts'
import { logJobEvent } from './event-writer.ts'
import { askForEnd } from './leases.ts'
import { makeReady } from './ready.ts'
import { stateName, stored } from './state.ts'
import type { Store } from './store.ts'
import { isIn } from './stretches.ts'

interface Row {
  readonly id: number
  readonly task: number
  readonly queue: number
  readonly attempt: number
  readonly state: number
  readonly uniqueKey: string | null
}

const rowColumns = 'id, task, queue, attempt, state, unique_key AS uniqueKey'

const rowOf = (store: Store, id: number): Row | undefined =>
  store.sql<Row>(`SELECT ${rowColumns} FROM jobq_current WHERE id = ?`).get(id)

/** Cancels what waits and asks for the end of what is held. */
export const cancelJobs = (
  store: Store,
  target: CancelTarget,
  cancel: { readonly reason: 'Cancelled' | 'Purged'; readonly now: number },
): CancelAnswer[] => {
  const rows = 'ids' in target ? target.ids.map((id) => rowOf(store, id)) : waitingIn(store, target.queue)
  const error = { type: cancel.reason, message: cancel.reason === 'Purged' ? 'purged with its queue' : 'cancelled' }
  const ended: number[] = []
  const answers = rows.map((row): CancelAnswer => {
    if (row === undefined) return 'not-found'
    if (row.state > stored.running) return 'finished'
    if (askForEnd(store, row.id)) return 'cancelling'
    endWaiting(store, row, { error, now: cancel.now })
    ended.push(row.id)
    return 'cancelled'
  })
  if (ended.length > 0) releaseDependents(store, ended, cancel.now)
  return answers
}

const waitingIn = (store: Store, queue: string): Row[] => {
  const id = store.knownQueueId(queue)
  if (id === undefined) throw new JobqError('not-found', `no queue '${queue}'`)
  return store
    .sql<Row>(
      `SELECT ${rowColumns} FROM jobq_current j WHERE queue = ? AND state < 3 AND NOT ${isIn('jobq_leases', 'j.id')} ORDER BY id`,
    )
    .all(id)
}

/** Runs finished jobs again, with a fresh budget of retries. Who asks for another run wants it: a hold and an expiry have had their say. */
export const requeueJobs = (
  store: Store,
  ids: readonly number[],
  requeue: { readonly dueAt: number; readonly now: number },
): RequeueAnswer[] => {
  const { dueAt, now } = requeue
  const again: number[] = []
  const answers = ids.map((id): RequeueAnswer => {
    const row = rowOf(store, id)
    if (row === undefined) return 'not-found'
    if (row.state <= stored.running) return 'unfinished'
    resetFinished(store, row, dueAt)
    again.push(id)
    return 'requeued'
  })
  for (const id of again) admit(store, id, { type: 'job.requeued', now })
  for (const id of again) reviveDependents(store, id, now)
  return answers
}

/**
 * Takes a job back to before its first run, except for its number of attempts. Where it stands is left to `admit`; until then
 * it is not blocked, so that the fate of another job of the same request does not cancel it first.
 */
const resetFinished = (store: Store, row: Row, dueAt: number): void => {
  const { id, uniqueKey } = row
  const holder =
    uniqueKey === null
      ? undefined
      : store.value('SELECT id FROM jobq_jobs WHERE unique_key = ? AND state < 4', uniqueKey)
  if (holder !== undefined) {
    throw new JobqError('conflict', `job ${id} cannot run again: job ${holder} holds its unique key '${uniqueKey}'`)
  }
  foldEnd(store, id)
  store
    .sql(
      `UPDATE jobq_jobs SET state = ${stored.scheduled}, due_at = ?, base = attempt, spent = attempt, crashes = 0, alone = 0, held = 0,
         token = 0, pid = NULL, worker = NULL, started_at = NULL, finished_at = NULL, expires_at = NULL, exit_code = NULL,
         signal = NULL, progress = NULL, progress_text = NULL, result = NULL, result_coding = NULL, error = NULL WHERE id = ?`,
    )
    .run(dueAt, id)
  countFinished(store, row.queue, { [stateName(row.state)]: -1 })
}

/** Lets go of jobs that were held by hand. */
export const releaseJobs = (store: Store, ids: readonly number[], now: number): boolean[] =>
  ids.map((id) => {
    const { changes } = store
      .sql(`UPDATE jobq_jobs SET held = 0 WHERE id = ? AND held = 1 AND state = ${stored.blocked}`)
      .run(id)
    const row = changes === 1 ? dependentRow(store, id) : undefined
    if (row !== undefined && needsAreMet(store, id)) letGo(store, row, now)
    return changes === 1
  })

/** Makes jobs due that wait for their time. */
export const hastenJobs = (store: Store, ids: readonly number[], now: number): boolean[] =>
  ids.map((id) => {
    const { changes } = store
      .sql(
        `UPDATE jobq_jobs SET due_at = ?, state = ${stored.ready} WHERE id = ? AND state = ${stored.scheduled} AND due_at > ?`,
      )
      .run(now, id, now)
    const row = changes === 1 ? dependentRow(store, id) : undefined
    if (row === undefined) return false
    makeReady(store, id)
    const { task, queue, attempt } = row
    logJobEvent(store, 'job.replaced', now, { job: id, task, queue, attempt, data: { dueAt: now } })
    return true
  })
