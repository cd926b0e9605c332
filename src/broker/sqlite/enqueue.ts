/**
 * Adding jobs. A batch whose jobs differ in their payload only, which is how bulk producers write, goes in by
 * one statement; any other job by the row. Only inside a write.
 */

import { JobqError } from '../../errors.ts'
import type { Enqueued, NewJob, TaskDefaults } from '../../job.ts'
import { type ResolvedJob, withTaskDefaults } from '../defaults.ts'
import { cancelDependent, dependentRow, failedNeed, needsAreMet } from './dependents.ts'
import { logJobEvent, logJobEvents } from './event-writer.ts'
import { stateName, stored, waitingState } from './state.ts'
import type { Store } from './store.ts'

/** Adds the jobs in their order; `now` is epoch milliseconds. */
export const enqueueJobs = (store: Store, jobs: readonly NewJob[], now: number): Enqueued[] => {
  const defaults = new Map<string, TaskDefaults | undefined>()
  const added: Enqueued[] = []
  for (let from = 0; from < jobs.length; ) {
    const first = jobs[from] as NewJob
    let to = from + 1
    if (isPlain(first)) while (to < jobs.length && isAlike(first, jobs[to] as NewJob)) to += 1
    const resolved = withTaskDefaults(first, taskDefaults(store, defaults, first.task), now)
    if (to - from > 1) added.push(...insertAlike(store, resolved, { jobs: jobs.slice(from, to), now }))
    else added.push(insertOne(store, resolved, now))
    from = to
  }
  return added
}

const taskDefaults = (
  store: Store,
  known: Map<string, TaskDefaults | undefined>,
  task: string,
): TaskDefaults | undefined => {
  if (!known.has(task)) {
    const text = store.value('SELECT defaults FROM jobq_tasks WHERE name = ?', task)
    known.set(task, typeof text === 'string' ? (JSON.parse(text) as TaskDefaults) : undefined)
  }
  return known.get(task)
}

const isEmpty = (object: object): boolean => {
  for (const _ in object) return false
  return true
}

const isPlain = (job: NewJob): boolean =>
  job.uniqueKey === null &&
  job.ref === null &&
  job.name === null &&
  job.meta === null &&
  !job.hold &&
  job.tags.length === 0 &&
  job.after.length === 0 &&
  job.afterAny.length === 0 &&
  isEmpty(job.options)

const isAlike = (first: NewJob, job: NewJob): boolean =>
  job.task === first.task &&
  job.queue === first.queue &&
  job.priority === first.priority &&
  job.dueAt === first.dueAt &&
  job.expiresAt === first.expiresAt &&
  job.retries === first.retries &&
  job.payload.serializer === first.payload.serializer &&
  isPlain(job)

const insertAlike = (
  store: Store,
  shared: ResolvedJob,
  batch: { readonly jobs: readonly NewJob[]; readonly now: number },
): Enqueued[] => {
  const { jobs, now } = batch
  const queue = store.queueId(shared.queue)
  const task = store.taskId(shared.task)
  const state = waitingState(shared.dueAt, now)
  const payloads = JSON.stringify(jobs.map((job) => job.payload.text))
  const { lastInsertRowid } = store
    .sql(
      `INSERT INTO jobq_jobs(queue, task, state, priority, due_at, created_at, retries, expires_at, serializer, payload)
       SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, value FROM json_each(?)`,
    )
    .run(
      queue,
      task,
      state,
      shared.priority,
      shared.dueAt,
      now,
      shared.retries,
      shared.expiresAt,
      serializerColumn(shared),
      payloads,
    )
  const firstId = Number(lastInsertRowid) - jobs.length + 1
  const ids = jobs.map((_, index) => firstId + index)
  logJobEvents(store, 'job.queued', JSON.stringify(ids), {
    at: now,
    task,
    queue,
    worker: null,
    attempt: 0,
    data: JSON.stringify({ dueAt: shared.dueAt }),
  })
  return ids.map((id) => ({ id, duplicate: false, state: 'queued', dueAt: shared.dueAt }))
}

const serializerColumn = (job: NewJob): string | null =>
  job.payload.serializer === 'json' ? null : job.payload.serializer

const insertOne = (store: Store, job: ResolvedJob, now: number): Enqueued => {
  const holder = job.uniqueKey === null ? undefined : uniqueHolder(store, job.uniqueKey)
  if (holder !== undefined) return meetHolder(store, job, { holder, now })
  const queue = store.queueId(job.queue)
  const task = store.taskId(job.task)
  const needs = [...new Set([...job.after, ...job.afterAny])]
  checkNeeds(store, needs)
  if (job.ref !== null && store.value('SELECT 1 FROM jobq_jobs WHERE ref = ?', job.ref) !== undefined) {
    throw new JobqError('duplicate', `another job has the ref '${job.ref}'`)
  }
  const blocked = job.hold || needs.length > 0
  const state = blocked ? stored.blocked : waitingState(job.dueAt, now)
  const { lastInsertRowid } = store
    .sql(
      `INSERT INTO jobq_jobs(queue, task, state, priority, due_at, created_at, retries, expires_at, serializer, payload,
         held, unique_key, ref, name, tags, meta, options)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      queue,
      task,
      state,
      job.priority,
      job.dueAt,
      now,
      job.retries,
      job.expiresAt,
      serializerColumn(job),
      job.payload.text,
      job.hold ? 1 : 0,
      job.uniqueKey,
      job.ref,
      job.name,
      job.tags.length === 0 ? null : JSON.stringify(job.tags),
      job.meta === null || isEmpty(job.meta) ? null : JSON.stringify(job.meta),
      isEmpty(job.options) ? null : JSON.stringify(job.options),
    )
  const id = Number(lastInsertRowid)
  for (const need of needs) {
    store
      .sql('INSERT INTO jobq_dependencies(job, needs, any_end) VALUES (?, ?, ?)')
      .run(id, need, job.after.includes(need) ? 0 : 1)
  }
  const final = needs.length > 0 ? settleNeeds(store, id, { job, now }) : state
  const stillBlocked = final === stored.blocked || (blocked && final === stored.cancelled)
  logJobEvent(store, 'job.queued', now, {
    job: id,
    task,
    queue,
    attempt: 0,
    data: stillBlocked ? { dueAt: job.dueAt, blocked: true } : { dueAt: job.dueAt },
  })
  if (final === stored.cancelled) cancelForNeed(store, id, now)
  return { id, duplicate: false, state: stateName(final), dueAt: job.dueAt }
}

const checkNeeds = (store: Store, needs: readonly number[]): void => {
  for (const need of needs) {
    if (store.value('SELECT 1 FROM jobq_jobs WHERE id = ?', need) === undefined) {
      throw new JobqError('not-found', `no job ${need} to run after`)
    }
  }
}

/** Decides where a job with dependencies begins: cancelled if one failed already, waiting if all are met. */
const settleNeeds = (store: Store, id: number, added: { readonly job: ResolvedJob; readonly now: number }): number => {
  if (failedNeed(store, id) !== undefined) return stored.cancelled
  if (added.job.hold || !needsAreMet(store, id)) return stored.blocked
  const state = waitingState(added.job.dueAt, added.now)
  store.sql('UPDATE jobq_jobs SET state = ? WHERE id = ?').run(state, id)
  return state
}

const cancelForNeed = (store: Store, id: number, now: number): void => {
  const row = dependentRow(store, id)
  const culprit = failedNeed(store, id)
  if (row !== undefined && culprit !== undefined) cancelDependent(store, row, { culprit, now })
}

interface Holder {
  readonly id: number
  readonly state: number
  readonly dueAt: number
  readonly attempt: number
}

const uniqueHolder = (store: Store, key: string): Holder | undefined =>
  store
    .sql<Holder>('SELECT id, state, due_at AS dueAt, attempt FROM jobq_jobs WHERE unique_key = ? AND state < 5')
    .get(key)

const meetHolder = (
  store: Store,
  job: ResolvedJob,
  met: { readonly holder: Holder; readonly now: number },
): Enqueued => {
  const { holder, now } = met
  if (job.onConflict === 'fail') {
    throw new JobqError('duplicate', `job ${holder.id} holds the unique key '${job.uniqueKey}'`)
  }
  const answer = { id: holder.id, duplicate: true, state: stateName(holder.state), dueAt: holder.dueAt }
  if (job.onConflict === 'ignore' || holder.state >= stored.claimed) return answer
  const queue = store.queueId(job.queue)
  const task = store.taskId(job.task)
  const state = holder.state === stored.blocked ? stored.blocked : waitingState(job.dueAt, now)
  store
    .sql(
      `UPDATE jobq_jobs SET queue = ?, task = ?, state = ?, priority = ?, due_at = ?, retries = ?, expires_at = ?,
         serializer = ?, payload = ?, name = ?, tags = ?, meta = ?, options = ? WHERE id = ?`,
    )
    .run(
      queue,
      task,
      state,
      job.priority,
      job.dueAt,
      job.retries,
      job.expiresAt,
      serializerColumn(job),
      job.payload.text,
      job.name,
      job.tags.length === 0 ? null : JSON.stringify(job.tags),
      job.meta === null || isEmpty(job.meta) ? null : JSON.stringify(job.meta),
      isEmpty(job.options) ? null : JSON.stringify(job.options),
      holder.id,
    )
  logJobEvent(store, 'job.replaced', now, {
    job: holder.id,
    task,
    queue,
    attempt: holder.attempt,
    data: { dueAt: job.dueAt },
  })
  return { ...answer, state: stateName(state), dueAt: job.dueAt }
}
