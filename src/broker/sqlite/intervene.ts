/** What people do to jobs by hand: cancel, requeue, release. Only inside a write; `now` is epoch milliseconds. */
import { JobqError } from '../../errors.ts'
import type { CancelAnswer, CancelTarget, RequeueAnswer } from '../broker.ts'
import { endWaiting } from './claim.ts'
import { countFinished, dependentRow, letGo, needsAreMet, releaseDependents, reviveDependents } from './dependents.ts'
import { logJobEvent } from './event-writer.ts'
import { stored, waitingState } from './state.ts'
import type { Store } from './store.ts'

interface Row {
  readonly id: number
  readonly task: number
  readonly queue: number
  readonly attempt: number
  readonly state: number
  readonly uniqueKey: string | null
  readonly retries: number | null
  readonly held: number
}

const rowColumns = 'id, task, queue, attempt, state, unique_key AS uniqueKey, retries, held'

const rowOf = (store: Store, id: number): Row | undefined =>
  store.sql<Row>(`SELECT ${rowColumns} FROM jobq_jobs WHERE id = ?`).get(id)

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
    if (row.state === stored.claimed || row.state === stored.running) {
      store.sql('UPDATE jobq_jobs SET cancelling = 1 WHERE id = ?').run(row.id)
      return 'cancelling'
    }
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
  return store.sql<Row>(`SELECT ${rowColumns} FROM jobq_jobs WHERE queue = ? AND state < 3 ORDER BY id`).all(id)
}

/** Runs finished jobs again, with a fresh budget of retries. */
export const requeueJobs = (
  store: Store,
  ids: readonly number[],
  requeue: { readonly dueAt: number; readonly now: number },
): RequeueAnswer[] => ids.map((id) => requeueJob(store, id, requeue))

const requeueJob = (
  store: Store,
  id: number,
  requeue: { readonly dueAt: number; readonly now: number },
): RequeueAnswer => {
  const { dueAt, now } = requeue
  const row = rowOf(store, id)
  if (row === undefined) return 'not-found'
  if (row.state <= stored.running) return 'unfinished'
  const holder =
    row.uniqueKey === null
      ? undefined
      : store.value('SELECT id FROM jobq_jobs WHERE unique_key = ? AND state < 5', row.uniqueKey)
  if (holder !== undefined) throw new JobqError('conflict', `job ${id}: its unique key is held by job ${holder}`)
  const blocked = row.held === 1 || !needsAreMet(store, id)
  store
    .sql(
      `UPDATE jobq_jobs SET state = ?, due_at = ?, base = attempt, spent = attempt, crashes = 0, alone = 0, cancelling = 0, lease_until = NULL,
         pid = NULL, worker = NULL, started_at = NULL, finished_at = NULL, expires_at = NULL, exit_code = NULL, signal = NULL, progress = NULL,
         progress_text = NULL, result = NULL, error = NULL WHERE id = ?`,
    )
    .run(blocked ? stored.blocked : waitingState(dueAt, now), dueAt, id)
  const before = { [stored.succeeded]: 'succeeded', [stored.failed]: 'failed', [stored.cancelled]: 'cancelled' }[
    row.state
  ]
  if (before !== undefined) countFinished(store, row.queue, { [before]: -1 })
  const data = blocked ? { dueAt, blocked } : { dueAt }
  logJobEvent(store, 'job.requeued', now, { job: id, task: row.task, queue: row.queue, attempt: row.attempt, data })
  reviveDependents(store, id, now)
  return 'requeued'
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
