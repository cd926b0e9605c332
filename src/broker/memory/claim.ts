/**
 * Handing out jobs. First every lease that has run out is taken back and every waiting job past its expiry
 * is cancelled, in all queues; then due jobs are handed out one by one, each from the queue whose turn it is.
 * Shares are kept over claims by a credit: each pick earns every queue that has work its weight, and the one
 * with the most credit pays the weights of all (smooth weighted round robin).
 */
import type { Moment } from '../../clock.ts'
import type { ClaimedJob } from '../../job.ts'
import type { ClaimRequest, QueueShare } from '../broker.ts'
import { cancelRows } from './dependents.ts'
import type { MemoryStore } from './memory-store.ts'
import { isWaiting, type JobRow, type RowLease, toClaimedJob } from './row.ts'
import { countStart, mayStart } from './start-rates.ts'

/** Takes back what was lost, expires what is late, and hands out up to `limit` due jobs. */
export const claimJobs = (store: MemoryStore, request: ClaimRequest, now: Moment): ClaimedJob[] => {
  recover(store, now)
  expire(store, now)
  const claimed: ClaimedJob[] = []
  while (claimed.length < request.limit) {
    const row = nextRow(store, request, now)
    if (row === undefined) break
    const lease = { worker: request.worker, until: now.tick + request.leaseMs }
    countStart(store, row.task, now.at)
    const token = store.next('token')
    claimed.push(toClaimedJob(store.put({ ...row, lease, token, worker: request.worker })))
  }
  return claimed
}

const recover = (store: MemoryStore, now: Moment): void => {
  for (const row of [...store.jobs.values()]) {
    const { lease } = row
    if (lease !== null && lease.until <= now.tick) takeBack(store, { ...row, lease }, now)
  }
}

const takeBack = (store: MemoryStore, row: JobRow & { readonly lease: RowLease }, now: Moment): void => {
  if (row.cancelling) {
    cancelRows(store, [row], { error: { type: 'Cancelled', message: 'cancelled' }, now })
    return
  }
  const started = row.state === 'running'
  const crashes = row.crashes + (started ? 1 : 0)
  store.put({ ...row, state: 'queued', token: 0, lease: null, recovered: true, crashes, pid: null })
  store.logJob('job.recovered', now.at, { row, worker: store.workerName(row.lease.worker), data: { started } })
}

/** A job that has started once has kept its term. */
const expire = (store: MemoryStore, now: Moment): void => {
  const late = [...store.jobs.values()].filter(
    (row) => isWaiting(row) && row.attempt === 0 && row.expiresAt !== null && row.expiresAt <= now.at,
  )
  const error = { type: 'Expired', message: 'it was not started before it expired' }
  cancelRows(store, late, { error, now })
}

const nextRow = (store: MemoryStore, request: ClaimRequest, now: Moment): JobRow | undefined => {
  const rows = [...store.jobs.values()].filter(
    (row) => row.state === 'queued' && isWaiting(row) && row.dueAt <= now.at && mayStart(store, row.task, now.at),
  )
  const shares = request.queues ?? [...store.queues.keys()].map((name) => ({ name, weight: 1 }))
  const withWork = shares.filter(
    ({ name }) => store.queues.get(name)?.paused !== true && rows.some((row) => row.queue === name),
  )
  const strict = request.queues !== null && request.order === 'strict'
  const queue = strict ? withWork[0]?.name : nextQueue(store, withWork)
  return rows.filter((row) => row.queue === queue).sort(byTurn)[0]
}

const nextQueue = (store: MemoryStore, shares: readonly QueueShare[]): string | undefined => {
  const total = shares.reduce((sum, { weight }) => sum + weight, 0)
  const earned = shares.map(({ name, weight }) => ({ name, credit: (store.queues.get(name)?.credit ?? 0) + weight }))
  const chosen = earned.toSorted((one, other) => other.credit - one.credit)[0]
  for (const { name, credit } of earned) {
    store.putQueue(name, { paused: false, credit: name === chosen?.name ? credit - total : credit })
  }
  return chosen?.name
}

const byTurn = (one: JobRow, other: JobRow): number =>
  other.priority - one.priority || one.dueAt - other.dueAt || one.id - other.id
