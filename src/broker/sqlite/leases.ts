/** Which jobs are in the hands of which worker, and until when. Only inside a write. */
import type { Lease } from '../../job.ts'
import type { LeaseStatus } from '../broker.ts'
import type { Store } from './store.ts'
import { cutOut, keyFor, type Stretch, stretchesOf, stretchTable } from './stretches.ts'

const leases = stretchTable('jobq_leases', 'token, worker, lease_until, cancelling')

/** The lease of job `id`, to be joined as `l`; `id` is an expression in SQL. */
export const leaseOf = (id: string): string => `l.job = ${keyFor('jobq_leases', id)} AND l.last >= ${id}`

/** What the claim of jobs comes to; `until` is of the monotonic clock, in milliseconds. */
export interface LeaseTerms {
  readonly token: number
  readonly worker: number
  readonly until: number
}

/** Puts jobs into the hands of a worker. */
export const grantLeases = (store: Store, ids: readonly number[], { token, worker, until }: LeaseTerms): void => {
  store
    .sql(
      `INSERT INTO jobq_leases(job, last, token, worker, lease_until)
       SELECT value ->> 0, value ->> 1, ?, ?, ? FROM json_each(?)`,
    )
    .run(token, worker, until, JSON.stringify(stretchesOf(ids)))
}

/** Takes jobs out of the hands of the worker that has them under this token, and answers its session; null, with some of it done, where one of them is not there. */
export const endLeases = (store: Store, ids: readonly number[], token: number): number | null => {
  let worker: number | null = null
  for (const stretch of stretchesOf(ids)) {
    worker = endStretch(store, stretch, token)
    if (worker === null) return null
  }
  return worker
}

const endStretch = (store: Store, [first, last]: Stretch, token: number): number | null => {
  const whole = store
    .sql<{ worker: number }>('DELETE FROM jobq_leases WHERE job = ? AND last = ? AND token = ? RETURNING worker')
    .get(first, last, token)
  if (whole !== undefined) return whole.worker
  let worker: number | null = null
  for (let next = first; next <= last; ) {
    const row = covering(store, next)
    if (row === undefined || row.token !== token) return null
    const end = Math.min(last, row.last)
    cutOut(store, leases, { key: row.job, first: next, last: end })
    worker = row.worker
    next = end + 1
  }
  return worker
}

/** Takes a job out of whatever hands it is in. */
export const endLease = (store: Store, id: number): void => {
  const row = covering(store, id)
  if (row !== undefined) cutOut(store, leases, { key: row.job, first: id, last: id })
}

/** Asks for the end of a job that a worker has; false where none has it. */
export const askForEnd = (store: Store, id: number): boolean => {
  const row = covering(store, id)
  if (row === undefined) return false
  setApart(store, row, [id, id])
  store.sql('UPDATE jobq_leases SET cancelling = 1 WHERE job = ?').run(id)
  return true
}

/** Makes leases run until a moment of the monotonic clock, in milliseconds, and says how each of them stands. */
export const renewLeases = (store: Store, renewed: readonly Lease[], until: number): LeaseStatus[] => {
  const answers: LeaseStatus[] = []
  while (answers.length < renewed.length) {
    const stretch = nextStretch(renewed, answers.length)
    const { count, status } = renewStretch(store, stretch, until)
    for (let job = 0; job < count; job += 1) answers.push(status)
  }
  return answers
}

interface LeaseStretch {
  readonly first: number
  readonly last: number
  readonly token: number
}

/** The leases from this place on that are of consecutive jobs under one token. */
const nextStretch = (renewed: readonly Lease[], place: number): LeaseStretch => {
  const { id: first = 0, token = 0 } = renewed[place] ?? {}
  let last = first
  for (let next = renewed[place + 1]; next?.id === last + 1 && next.token === token; ) {
    last += 1
    next = renewed[place + 1 + last - first]
  }
  return { first, last, token }
}

/** Renews leases of a stretch, from its first on, and answers how many these are: those that stand alike. */
const renewStretch = (
  store: Store,
  { first, last, token }: LeaseStretch,
  until: number,
): { readonly count: number; readonly status: LeaseStatus } => {
  const whole = store
    .sql<{ cancelling: number }>(
      'UPDATE jobq_leases SET lease_until = ? WHERE job = ? AND last = ? AND token = ? RETURNING cancelling',
    )
    .get(until, first, last, token)
  if (whole !== undefined) return { count: last - first + 1, status: statusOf(whole) }
  const row = covering(store, first)
  if (row === undefined || row.token !== token) return { count: 1, status: 'lost' }
  const end = Math.min(last, row.last)
  setApart(store, row, [first, end])
  store.sql('UPDATE jobq_leases SET lease_until = ? WHERE job = ?').run(until, first)
  return { count: end - first + 1, status: statusOf(row) }
}

const statusOf = ({ cancelling }: { readonly cancelling: number }): LeaseStatus =>
  cancelling === 1 ? 'cancelling' : 'held'

interface LeaseRow {
  readonly job: number
  readonly last: number
  readonly token: number
  readonly worker: number
  readonly cancelling: number
}

const covering = (store: Store, id: number): LeaseRow | undefined => store.sql<LeaseRow>(selectCovering).get(id, id)

const selectCovering = `SELECT job, last, token, worker, cancelling FROM jobq_leases l WHERE ${leaseOf('?')}`

/** Gives the jobs of a stretch a row of their own. */
const setApart = (store: Store, row: LeaseRow, [first, last]: Stretch): void => {
  if (row.job === first && row.last === last) return
  const own = store.sql(`SELECT ${leases.columns} FROM jobq_leases WHERE job = ?`).raw().get(row.job) as number[]
  cutOut(store, leases, { key: row.job, first, last })
  store.sql(`INSERT INTO jobq_leases(job, last, ${leases.columns}) VALUES (?, ?, ?, ?, ?, ?)`).run(first, last, ...own)
}
