import type { Moment } from '../../clock.ts'
import { JobqError } from '../../errors.ts'
import { isFinished } from '../../job.ts'
import type { CancelAnswer, CancelTarget, RequeueAnswer } from '../broker.ts'
import { cancelRows, letGo, mustWait, reviveDependents } from './dependents.ts'
import { admit } from './enqueue.ts'
import type { MemoryStore } from './memory-store.ts'
import { isWaiting, type JobRow, unrun } from './row.ts'

/** Makes finished jobs run again, and what was cancelled for their sake wait for them again. */
export const requeueJobs = (
  store: MemoryStore,
  ids: readonly number[],
  when: { readonly dueAt: number; readonly now: Moment },
): RequeueAnswer[] => {
  const again: JobRow[] = []
  const answers = ids.map((id): RequeueAnswer => {
    const row = store.jobs.get(id)
    if (row === undefined) return 'not-found'
    if (!isFinished(row.state)) return 'unfinished'
    checkUnique(store, row)
    // Who asks for another run wants it run: an expiry and a hold have had their say, and attempts count on.
    const { attempt } = row
    const { dueAt } = when
    again.push(store.put({ ...row, ...unrun, spent: attempt, base: attempt, dueAt, expiresAt: null, held: false }))
    return 'requeued'
  })
  for (const row of again) admit(store, row, { type: 'job.requeued', now: when.now })
  for (const { id } of again) reviveDependents(store, id, when.now)
  return answers
}

const checkUnique = (store: MemoryStore, row: JobRow): void => {
  const holder = row.uniqueKey === null ? undefined : store.holderOf(row.uniqueKey)
  if (holder === undefined) return
  throw new JobqError(
    'conflict',
    `job ${row.id} cannot run again: job ${holder.id} holds its unique key '${row.uniqueKey}'`,
  )
}

/** Lets go of jobs that were held by hand; those that still need others stay blocked. */
export const releaseJobs = (store: MemoryStore, ids: readonly number[], now: Moment): boolean[] =>
  ids.map((id) => {
    const row = store.jobs.get(id)
    if (row === undefined || row.state !== 'blocked' || !row.held) return false
    const released = store.put({ ...row, held: false })
    if (!mustWait(store, released)) letGo(store, released, now)
    return true
  })

/** Makes jobs due that wait for their time. */
export const hastenJobs = (store: MemoryStore, ids: readonly number[], now: Moment): boolean[] =>
  ids.map((id) => {
    const row = store.jobs.get(id)
    if (row === undefined || row.state !== 'queued' || !isWaiting(row) || row.dueAt <= now.at) return false
    const due = store.put({ ...row, dueAt: now.at })
    store.logJob('job.replaced', now.at, { row: due, data: { dueAt: now.at } })
    return true
  })

const messages = { Cancelled: 'cancelled', Purged: 'purged with its queue' }

/** Cancels what waits and asks for the end of what a worker holds. */
export const cancelJobs = (
  store: MemoryStore,
  target: CancelTarget,
  request: { readonly reason: 'Cancelled' | 'Purged'; readonly now: Moment },
): CancelAnswer[] => {
  const error = { type: request.reason, message: messages[request.reason] }
  const ids = 'ids' in target ? target.ids : waitingIn(store, target.queue)
  const ended = new Map<number, JobRow>()
  const answers = ids.map((id): CancelAnswer => {
    const row = store.jobs.get(id)
    if (row === undefined) return 'not-found'
    if (isFinished(row.state) || ended.has(id)) return 'finished'
    if (isWaiting(row)) {
      ended.set(id, row)
      return 'cancelled'
    }
    store.put({ ...row, cancelling: true })
    return 'cancelling'
  })
  cancelRows(store, [...ended.values()], { error, now: request.now })
  return answers
}

const waitingIn = (store: MemoryStore, queue: string): number[] => {
  if (!store.queues.has(queue)) throw new JobqError('not-found', `no queue '${queue}'`)
  return [...store.jobs.values()].filter((row) => row.queue === queue && isWaiting(row)).map((row) => row.id)
}
