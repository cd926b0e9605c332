import type { Moment } from '../../clock.ts'
import { JobqError } from '../../errors.ts'
import type { Enqueued, NewJob } from '../../job.ts'
import { type ResolvedJob, withTaskDefaults } from '../defaults.ts'
import { cancelForNeed, failedNeed, mustWait } from './dependents.ts'
import type { MemoryStore } from './memory-store.ts'
import { isWaiting, type JobRow, newRow } from './row.ts'

/** Adds jobs in their order. */
export const enqueueJobs = (store: MemoryStore, jobs: readonly NewJob[], now: Moment): Enqueued[] =>
  jobs.map((job) => {
    const resolved = withTaskDefaults(job, store.tasks.get(job.task), now.at)
    const holder = job.uniqueKey === null ? undefined : store.holderOf(job.uniqueKey)
    return holder === undefined ? add(store, resolved, now) : meetHolder(store, resolved, { holder, now })
  })

const add = (store: MemoryStore, job: ResolvedJob, now: Moment): Enqueued => {
  checkNeeds(store, job)
  checkRef(store, job.ref, null)
  const row = newRow(job, store.next('job'), now.at)
  return answer(admit(store, row, { type: 'job.queued', now }), false)
}

/**
 * Stores a job that is to run, as its dependencies want it: queued, blocked, or cancelled at once. Logs
 * `type` for its coming.
 */
export const admit = (
  store: MemoryStore,
  row: JobRow,
  coming: { readonly type: 'job.queued' | 'job.requeued' | 'job.replaced'; readonly now: Moment },
): JobRow => {
  const { type, now } = coming
  const need = failedNeed(store, row)
  const blocked = need !== undefined || mustWait(store, row)
  const admitted = store.put({ ...row, state: blocked ? 'blocked' : 'queued' })
  store.logJob(type, now.at, { row, data: blocked ? { dueAt: row.dueAt, blocked } : { dueAt: row.dueAt } })
  if (need !== undefined) cancelForNeed(store, admitted, { need, now })
  return store.jobs.get(row.id) ?? admitted
}

const meetHolder = (
  store: MemoryStore,
  job: ResolvedJob,
  met: { readonly holder: JobRow; readonly now: Moment },
): Enqueued => {
  const { holder, now } = met
  if (job.onConflict === 'fail') {
    throw new JobqError('duplicate', `job ${holder.id} holds the unique key '${job.uniqueKey}'`)
  }
  if (job.onConflict === 'ignore' || !isWaiting(holder)) return answer(holder, true)
  checkNeeds(store, job)
  checkNoCycle(store, job, holder.id)
  checkRef(store, job.ref, holder.id)
  // The new content gets a whole budget of retries; what was used up before stays counted.
  const { createdAt, attempt, spent, token } = holder
  const kept = { attempt, spent, base: spent, token, ref: job.ref ?? holder.ref }
  const replaced = { ...newRow(job, holder.id, createdAt), ...kept }
  return answer(admit(store, replaced, { type: 'job.replaced', now }), true)
}

const answer = (row: JobRow, duplicate: boolean): Enqueued => ({
  id: row.id,
  duplicate,
  state: row.state,
  dueAt: row.dueAt,
})

const checkNeeds = (store: MemoryStore, job: ResolvedJob): void => {
  const unknown = [...job.after, ...job.afterAny].find((id) => !store.jobs.has(id))
  if (unknown !== undefined) throw new JobqError('not-found', `no job ${unknown} to run after`)
}

const checkRef = (store: MemoryStore, ref: string | null, own: number | null): void => {
  if (ref === null) return
  const other = store.jobs.values().find((row) => row.ref === ref && row.id !== own)
  if (other !== undefined) throw new JobqError('duplicate', `job ${other.id} has the ref '${ref}' already`)
}

/** Only a replaced job can come to need itself: any other is newer than what it needs. */
const checkNoCycle = (store: MemoryStore, job: ResolvedJob, holder: number): void => {
  const needs = new Set([...job.after, ...job.afterAny])
  for (const id of needs) {
    if (id === holder) throw new JobqError('usage', `job ${holder} cannot run after itself`)
    const row = store.jobs.get(id)
    for (const need of [...(row?.after ?? []), ...(row?.afterAny ?? [])]) needs.add(need)
  }
}
