/**
 * Handing out jobs. Before the queues are read, jobs whose time has come become ready, those past their
 * expiry are cancelled, and those whose lease ran out go back to ready, so that the claim itself is one
 * index seek a queue, whatever else the file holds. Only inside a write.
 */
import type { Moment } from '../../clock.ts'
import type { ClaimedJob, RunOptions } from '../../job.ts'
import type { ClaimRequest } from '../broker.ts'
import { countFinished, releaseDependents } from './dependents.ts'
import { logJobEvent } from './event-writer.ts'
import type { QueueTurns } from './queue-turns.ts'
import { stored } from './state.ts'
import type { Store } from './store.ts'

/** What the broker remembers of a job it handed out, so that settling it need not read the row. */
export interface HeldJob {
  readonly token: number
  readonly task: number
  readonly queue: number
  readonly worker: number
  readonly attempt: number
  started: boolean
}

/** Jobs that become ready in one turn at the most; more follow in the next, so that no turn is long. */
const promoteAtMost = 5_000

/** Takes due jobs for a worker and adds to `taken` what the broker should remember of them once this is committed. */
export const claimJobs = (
  store: Store,
  request: ClaimRequest,
  context: { readonly now: Moment; readonly turns: QueueTurns; readonly taken: [number, HeldJob][] },
): ClaimedJob[] => {
  const { now, turns, taken } = context
  promoteDue(store, now.at)
  recoverExpiredLeases(store, now)
  cancelExpired(store, now.at)
  const rows = turns.take(readyQueues(store, request), request.limit, (queue, limit) => readyRows(store, queue, limit))
  if (rows.length === 0) return []
  const token = store.value("UPDATE jobq_meta SET value = value + 1 WHERE key = 'token' RETURNING value") as number
  store
    .sql(
      `UPDATE jobq_jobs SET state = ${stored.claimed}, token = ?, worker = ?, lease_until = ?
       WHERE id IN (SELECT value FROM json_each(?))`,
    )
    .run(token, request.worker, Math.round(now.tick + request.leaseMs), JSON.stringify(rows.map((row) => row[0])))
  return rows.map((row) => handOut(store, row, { token, worker: request.worker, taken }))
}

type ReadyRow = [
  id: number,
  task: number,
  queue: number,
  priority: number,
  spent: number,
  base: number,
  retries: number | null,
  crashes: number,
  alone: number,
  createdAt: number,
  expiresAt: number | null,
  options: string | null,
  serializer: string | null,
  payload: string,
]

const readyRows = (store: Store, queue: number, limit: number): ReadyRow[] =>
  store
    .sql<ReadyRow>(
      `SELECT id, task, queue, priority, spent, base, retries, crashes, alone, created_at, expires_at, options, serializer, payload
       FROM jobq_jobs WHERE state = 1 AND queue = ? ORDER BY priority DESC, due_at, id LIMIT ?`,
    )
    .raw()
    .all(queue, limit)

const noOptions: RunOptions = {}

const handOut = (
  store: Store,
  row: ReadyRow,
  claim: { readonly token: number; readonly worker: number; readonly taken: [number, HeldJob][] },
): ClaimedJob => {
  const [
    id,
    task,
    queue,
    priority,
    spent,
    base,
    retries,
    crashes,
    alone,
    createdAt,
    expiresAt,
    options,
    serializer,
    payload,
  ] = row
  const { token, worker, taken } = claim
  const attempt = spent + 1
  taken.push([id, { token, task, queue, worker, attempt, started: false }])
  return {
    id,
    token,
    task: store.nameOf('jobq_tasks', task) ?? '',
    queue: store.nameOf('jobq_queues', queue) ?? '',
    priority,
    attempt,
    base,
    retries,
    crashes,
    recovered: alone === 1,
    payload: { serializer: serializer ?? 'json', text: payload },
    options: options === null ? noOptions : (JSON.parse(options) as RunOptions),
    createdAt,
    expiresAt,
  }
}

/** The queues with ready jobs that this request may take from, in the order it asked for. */
const readyQueues = (store: Store, request: ClaimRequest): { id: number; weight: number; strict: boolean }[] => {
  const ready = store
    .sql<{ id: number; name: string; paused: number }>(
      `WITH RECURSIVE ready(id) AS (
         SELECT * FROM (SELECT queue FROM jobq_jobs WHERE state = 1 ORDER BY queue LIMIT 1)
         UNION ALL
         SELECT (SELECT queue FROM jobq_jobs WHERE state = 1 AND queue > ready.id ORDER BY queue LIMIT 1) FROM ready WHERE ready.id IS NOT NULL
       )
       SELECT q.id, q.name, q.paused FROM ready JOIN jobq_queues q ON q.id = ready.id`,
    )
    .all()
    .filter((queue) => queue.paused === 0)
  if (request.queues === null) return ready.map((queue) => ({ id: queue.id, weight: 1, strict: false }))
  const strict = request.order === 'strict'
  return request.queues.flatMap((share) => {
    const queue = ready.find((candidate) => candidate.name === share.name)
    return queue === undefined ? [] : [{ id: queue.id, weight: share.weight, strict }]
  })
}

const promoteDue = (store: Store, now: number): void => {
  store
    .sql(
      `UPDATE jobq_jobs SET state = 1 WHERE id IN (
         SELECT id FROM jobq_jobs WHERE state = 2 AND due_at <= ? ORDER BY due_at LIMIT ${promoteAtMost})`,
    )
    .run(now)
}

interface Waiting {
  readonly id: number
  readonly task: number
  readonly queue: number
  readonly attempt: number
}

const cancelExpired = (store: Store, now: number): void => {
  const expired = store
    .sql<Waiting>(
      `SELECT id, task, queue, attempt FROM jobq_jobs
       WHERE expires_at IS NOT NULL AND state < 3 AND expires_at <= ? AND attempt = 0 LIMIT 1000`,
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
  store
    .sql(
      `UPDATE jobq_jobs SET state = ${stored.cancelled}, finished_at = ?, error = ?, token = 0, lease_until = NULL, cancelling = 0 WHERE id = ?`,
    )
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

interface Expired extends Waiting {
  readonly state: number
  readonly worker: number
  readonly cancelling: number
}

/** Takes back what a worker has not renewed: to ready, or cancelled if that was asked for. */
const recoverExpiredLeases = (store: Store, now: Moment): void => {
  const expired = store
    .sql<Expired>(
      `SELECT id, task, queue, attempt, state, worker, cancelling FROM jobq_jobs WHERE state IN (3, 4) AND lease_until <= ?`,
    )
    .all(Math.floor(now.tick))
  const cancelled: number[] = []
  for (const job of expired) {
    if (job.cancelling === 1) {
      endWaiting(store, job, { error: { type: 'Cancelled', message: 'cancelled' }, now: now.at })
      cancelled.push(job.id)
      continue
    }
    const crashed = job.state === stored.running
    store
      .sql(
        `UPDATE jobq_jobs SET state = ${stored.ready}, token = 0, lease_until = NULL, pid = NULL, alone = 1, crashes = crashes + ?, due_at = min(due_at, ?) WHERE id = ?`,
      )
      .run(crashed ? 1 : 0, now.at, job.id)
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
