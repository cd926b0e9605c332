/** Which jobs are in the hands of which worker, and until when. Only inside a write. */
import type { Lease } from '../../job.ts'
import type { LeaseStatus } from '../broker.ts'
import type { Store } from './store.ts'
import { cutOut, keyFor, type Stretch, type StretchTable, stretchesOf } from './stretches.ts'

const leases: StretchTable = { name: 'jobq_leases', columns: 'token, worker, lease_until, cancelling' }

/** The lease of job `id`, to be joined as `l`; `id` is an expression in SQL. */
export const leaseOf = (id: string): string => `l.job = ${keyFor(leases.name, id)} AND l.last >= ${id}`

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
  const row = covering(store, first)
  if (row === undefined || row.token !== token || row.last < last) return null
  cutOut(store, leases, { key: row.job, first, last })
  return row.worker
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
  for (let lease = renewed[0]; lease !== undefined; lease = renewed[answers.length]) {
    const { id: first, token } = lease
    const row = covering(store, first)
    if (row === undefined || row.token !== token) {
      answers.push('lost')
      continue
    }
    let last = first
    const at = answers.length - first
    while (last < row.last && renewed[at + last + 1]?.id === last + 1 && renewed[at + last + 1]?.token === token)
      last += 1
    setApart(store, row, [first, last])
    store.sql('UPDATE jobq_leases SET lease_until = ? WHERE job = ?').run(until, first)
    for (let id = first; id <= last; id += 1) answers.push(row.cancelling === 1 ? 'cancelling' : 'held')
  }
  return answers
}

interface LeaseRow {
  readonly job: number
  readonly last: number
  readonly token: number
  readonly worker: number
  readonly cancelling: number
}

const covering = (store: Store, id: number): LeaseRow | undefined =>
  store
    .sql<LeaseRow>(`SELECT job, last, token, worker, cancelling FROM jobq_leases l WHERE ${leaseOf('?')}`)
    .get(id, id)

/** Gives the jobs of a stretch a row of their own. */
const setApart = (store: Store, row: LeaseRow, [first, last]: Stretch): void => {
  if (row.job === first && row.last === last) return
  const own = store.sql(`SELECT ${leases.columns} FROM jobq_leases WHERE job = ?`).raw().get(row.job) as number[]
  cutOut(store, leases, { key: row.job, first, last })
  store.sql(`INSERT INTO jobq_leases(job, last, ${leases.columns}) VALUES (?, ?, ?, ?, ?, ?)`).run(first, last, ...own)
}
