/**
 * Adding jobs. A batch whose jobs differ in their payload only, which is how bulk producers write, goes in by
 * one statement; any other job by the row. Only inside a write.
 */

import { JobqError } from '../../errors.ts'
import type { Enqueued, NewJob, TaskDefaults } from '../../job.ts'
import { isPlain } from '../../plain-payload.ts'
import { type ResolvedJob, withTaskDefaults } from '../defaults.ts'
import { admit } from './admit.ts'
import { logJobEvent, logJobEvents } from './event-writer.ts'
import { codingColumn, dataColumn, serializerColumn } from './payload-columns.ts'
import { listReady, makeReady, unready } from './ready.ts'
import { stateName, stored, waitingState } from './state.ts'
import type { Store, Value } from './store.ts'
import { isIn } from './stretches.ts'

/** Adds the jobs in their order; `now` is epoch milliseconds. */
export const enqueueJobs = (store: Store, jobs: readonly NewJob[], now: number): Enqueued[] => {
  const defaults = new Map<string, TaskDefaults | undefined>()
  const added: Enqueued[] = []
  for (let from = 0; from < jobs.length; ) {
    const first = jobs[from] as NewJob
    let to = from + 1
    if (isOrdinary(first)) while (to < jobs.length && isAlike(first, jobs[to] as NewJob)) to += 1
    const resolved = withTaskDefaults(first, taskDefaults(store, defaults, first.task), now)
    if (to - from > 1) {
      // One by one: so many arguments of one call would overflow the stack.
      for (const each of insertAlike(store, resolved, { jobs: jobs.slice(from, to), now })) added.push(each)
    } else added.push(insertOne(store, resolved, now))
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

const isOrdinary = (job: NewJob): boolean =>
  job.sign === undefined &&
  isPlain(job.payload) &&
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
  isOrdinary(job)

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
      `INSERT INTO jobq_jobs(queue, task, state, priority, due_at, created_at, retries, expires_at, payload)
       SELECT ?, ?, ?, ?, ?, ?, ?, ?, value FROM json_each(?)`,
    )
    .run(queue, task, state, shared.priority, shared.dueAt, now, shared.retries, shared.expiresAt, payloads)
  const firstId = Number(lastInsertRowid) - jobs.length + 1
  const ids = jobs.map((_, index) => firstId + index)
  if (state === stored.ready) {
    const { priority, dueAt } = shared
    listReady(store, { queue, rank: -priority, dueAt }, [firstId, Number(lastInsertRowid)])
  }
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

const insertOne = (store: Store, job: ResolvedJob, now: number): Enqueued => {
  const holder = job.uniqueKey === null ? undefined : uniqueHolder(store, job.uniqueKey)
  if (holder !== undefined) return meetHolder(store, job, { holder, now })
  const needs = needsOf(job)
  checkNeeds(store, needs)
  checkRef(store, job.ref, null)
  const queue = store.queueId(job.queue)
  const task = store.taskId(job.task)
  const free = !job.hold && needs.length === 0
  const state = free ? waitingState(job.dueAt, now) : stored.blocked
  const { lastInsertRowid } = store
    .sql(
      `INSERT INTO jobq_jobs(queue, task, state, priority, due_at, retries, expires_at, serializer, coding, payload, held, ref, name, tags,
         meta, options, unique_key, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(queue, task, state, ...content(job), job.uniqueKey, now)
  const id = Number(lastInsertRowid)
  sign(store, job, id)
  if (free) {
    makeReady(store, id)
    logJobEvent(store, 'job.queued', now, { job: id, task, queue, attempt: 0, data: { dueAt: job.dueAt } })
    return { id, duplicate: false, state: 'queued', dueAt: job.dueAt }
  }
  addNeeds(store, id, job)
  const final = admit(store, id, { type: 'job.queued', now })
  return { id, duplicate: false, state: stateName(final), dueAt: job.dueAt }
}

/** Stores the signature that its maker gives for this job. */
const sign = (store: Store, job: ResolvedJob, id: number): void => {
  if (job.sign === undefined) return
  const signature = job.sign({ part: 'payload', job: id, task: job.task, queue: job.queue })
  store
    .sql('UPDATE jobq_jobs SET signature = ?, coding = ? WHERE id = ?')
    .run(signature, codingColumn({ ...job.payload, signature }), id)
}

/** What a job says itself, in the order of the columns above. */
const content = (job: ResolvedJob): Value[] => [
  job.priority,
  job.dueAt,
  job.retries,
  job.expiresAt,
  serializerColumn(job.payload),
  codingColumn(job.payload),
  dataColumn(job.payload),
  job.hold ? 1 : 0,
  job.ref,
  job.name,
  job.tags.length === 0 ? null : JSON.stringify(job.tags),
  job.meta === null || isEmpty(job.meta) ? null : JSON.stringify(job.meta),
  isEmpty(job.options) ? null : JSON.stringify(job.options),
]

const needsOf = (job: NewJob): number[] => [...new Set([...job.after, ...job.afterAny])]

const addNeeds = (store: Store, id: number, job: NewJob): void => {
  const insert = store.sql('INSERT OR IGNORE INTO jobq_dependencies(job, needs, any_end) VALUES (?, ?, ?)')
  for (const need of job.after) insert.run(id, need, 0)
  for (const need of job.afterAny) insert.run(id, need, 1)
}

const checkNeeds = (store: Store, needs: readonly number[]): void => {
  for (const need of needs) {
    if (store.value('SELECT 1 FROM jobq_jobs WHERE id = ?', need) === undefined) {
      throw new JobqError('not-found', `no job ${need} to run after`)
    }
  }
}

const checkRef = (store: Store, ref: string | null, own: number | null): void => {
  const other =
    ref === null ? undefined : store.value('SELECT id FROM jobq_jobs WHERE ref = ? AND id IS NOT ?', ref, own)
  if (other !== undefined) throw new JobqError('duplicate', `job ${other} has the ref '${ref}' already`)
}

/** Only a replaced job can come to need itself: any other is newer than what it needs. */
const checkNoCycle = (store: Store, needs: readonly number[], holder: number): void => {
  const found = store.value(
    `WITH RECURSIVE need(id) AS (
       SELECT value FROM json_each(?) UNION SELECT d.needs FROM need JOIN jobq_dependencies d ON d.job = need.id
     ) SELECT 1 FROM need WHERE id = ?`,
    JSON.stringify(needs),
    holder,
  )
  if (found !== undefined) throw new JobqError('usage', `job ${holder} cannot run after itself`)
}

interface Holder {
  readonly id: number
  readonly state: number
  readonly dueAt: number
  readonly held: number
}

const uniqueHolder = (store: Store, key: string): Holder | undefined =>
  store
    .sql<Holder>(
      `SELECT id, state, due_at AS dueAt, ${isIn('jobq_leases', 'jobq_jobs.id')} AS held FROM jobq_jobs WHERE unique_key = ? AND state < 4`,
    )
    .get(key)

const meetHolder = (
  store: Store,
  job: ResolvedJob,
  met: { readonly holder: Holder; readonly now: number },
): Enqueued => {
  const { holder, now } = met
  const { id } = holder
  if (job.onConflict === 'fail') throw new JobqError('duplicate', `job ${id} holds the unique key '${job.uniqueKey}'`)
  if (job.onConflict === 'ignore' || holder.held === 1) {
    return { id, duplicate: true, state: stateName(holder.state), dueAt: holder.dueAt }
  }
  const needs = needsOf(job)
  checkNeeds(store, needs)
  if (needs.length > 0) checkNoCycle(store, needs, id)
  checkRef(store, job.ref, id)
  unready(store, id)
  // The new content gets a whole budget of retries; what was used up before stays counted.
  store
    .sql(
      `UPDATE jobq_jobs SET queue = ?, task = ?, priority = ?, due_at = ?, retries = ?, expires_at = ?, serializer = ?, coding = ?, payload = ?, held = ?, signature = NULL,
         ref = coalesce(?, ref), name = ?, tags = ?, meta = ?, options = ?, base = spent, crashes = 0, alone = 0, error = NULL, exit_code = NULL,
         signal = NULL, progress = NULL, progress_text = NULL, started_at = NULL, worker = NULL, pid = NULL WHERE id = ?`,
    )
    .run(store.queueId(job.queue), store.taskId(job.task), ...content(job), id)
  sign(store, job, id)
  store.sql('DELETE FROM jobq_dependencies WHERE job = ?').run(id)
  addNeeds(store, id, job)
  const state = admit(store, id, { type: 'job.replaced', now })
  return { id, duplicate: true, state: stateName(state), dueAt: job.dueAt }
}
