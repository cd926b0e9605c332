/**
 * What jobs mean for those that run after them: the end of one lets its dependents go or cancels them, and
 * a retry of one that failed blocks them again; both go on to theirs in turn.
 */
import type { Moment } from '../../clock.ts'
import { isFinished, type JobError } from '../../job.ts'
import type { MemoryStore } from './memory-store.ts'
import type { JobRow } from './row.ts'

/** The first job that this one needs and that did not succeed, if any. */
export const failedNeed = (store: MemoryStore, row: JobRow): number | undefined =>
  [...row.after]
    .sort((one, other) => one - other)
    .find((id) => {
      const state = store.jobs.get(id)?.state
      return state === 'failed' || state === 'cancelled'
    })

/** True when nothing that a job needs is still to come. One that was deleted had finished. */
export const needsAreMet = (store: MemoryStore, row: JobRow): boolean =>
  row.after.every((id) => (store.jobs.get(id)?.state ?? 'succeeded') === 'succeeded') &&
  row.afterAny.every((id) => isFinished(store.jobs.get(id)?.state ?? 'succeeded'))

/** True when a job must stay blocked. */
export const mustWait = (store: MemoryStore, row: JobRow): boolean => row.held || !needsAreMet(store, row)

/** Cancels jobs that no worker runs, for the reason in `error`; then settles those that need them. */
export const cancelRows = (
  store: MemoryStore,
  rows: readonly JobRow[],
  end: { readonly error: JobError; readonly now: Moment },
): void => {
  const { error, now } = end
  for (const row of rows) {
    store.put({ ...row, state: 'cancelled', error, finishedAt: now.at, token: 0, lease: null, cancelling: false })
    // Its worker may have begun it without having told.
    const interrupted = row.lease === null ? {} : { interrupted: true }
    store.logJob('job.cancelled', now.at, { row, data: { error, ...interrupted } })
  }
  for (const row of rows) settleDependents(store, row.id, now)
}

/** Cancels a job because one that it needs did not succeed. */
export const cancelForNeed = (
  store: MemoryStore,
  row: JobRow,
  cause: { readonly need: number; readonly now: Moment },
): void => {
  const message = `job ${cause.need}, which it was to run after, did not succeed`
  cancelRows(store, [row], { error: { type: 'DependencyFailed', message }, now: cause.now })
}

/** Lets go, or cancels, the jobs that waited for a finished one. */
export const settleDependents = (store: MemoryStore, finished: number, now: Moment): void => {
  for (const row of dependentsOf(store, finished, 'blocked')) {
    const need = failedNeed(store, row)
    if (need !== undefined) cancelForNeed(store, row, { need, now })
    else if (!mustWait(store, row)) letGo(store, row, now)
  }
}

/** Makes a blocked job wait for a worker. */
export const letGo = (store: MemoryStore, row: JobRow, now: Moment): void => {
  const dueAt = Math.max(row.dueAt, now.at)
  store.put({ ...row, state: 'queued', dueAt, held: false })
  store.logJob('job.released', now.at, { row, data: { dueAt } })
}

/** Blocks again the jobs that were cancelled because this one had not succeeded. One whose unique key is taken stays cancelled. */
export const reviveDependents = (store: MemoryStore, id: number, now: Moment): void => {
  for (const row of dependentsOf(store, id, 'cancelled')) {
    if (row.error?.type !== 'DependencyFailed' || !row.after.includes(id)) continue
    if (row.uniqueKey !== null && store.holderOf(row.uniqueKey) !== undefined) continue
    store.put({ ...row, state: 'blocked', error: null, finishedAt: null })
    store.logJob('job.requeued', now.at, { row, data: { dueAt: row.dueAt, blocked: true } })
    reviveDependents(store, row.id, now)
  }
}

/** The jobs in this state that run after another, one at a time: what is done to one may change the state of the next. */
function* dependentsOf(store: MemoryStore, id: number, state: JobRow['state']): Generator<JobRow> {
  for (const known of [...store.jobs.keys()]) {
    const row = store.jobs.get(known)
    if (row?.state === state && (row.after.includes(id) || row.afterAny.includes(id))) yield row
  }
}
