import type { EventType } from '../../event.ts'
import { cancelDependent, dependentRow, failedNeed, needsAreMet, releaseDependents } from './dependents.ts'
import { logJobEvent } from './event-writer.ts'
import { makeReady } from './ready.ts'
import { stored, waitingState } from './state.ts'
import type { Store } from './store.ts'

/**
 * Puts a job that is to run where its hold and dependencies want it: waiting, blocked, or cancelled at once.
 * Logs `type` for its coming and answers its stored state. Only inside a write.
 */
export const admit = (
  store: Store,
  id: number,
  coming: { readonly type: Extract<EventType, 'job.queued' | 'job.requeued' | 'job.replaced'>; readonly now: number },
): number => {
  const { type, now } = coming
  const row = dependentRow(store, id)
  if (row === undefined) throw new Error(`job ${id} is not there`)
  const { task, queue, attempt, dueAt } = row
  const culprit = failedNeed(store, id)
  const blocked = culprit !== undefined || row.held === 1 || !needsAreMet(store, id)
  const state = blocked ? stored.blocked : waitingState(dueAt, now)
  store.sql('UPDATE jobq_jobs SET state = ? WHERE id = ?').run(state, id)
  makeReady(store, id)
  logJobEvent(store, type, now, { job: id, task, queue, attempt, data: blocked ? { dueAt, blocked } : { dueAt } })
  if (culprit === undefined) return state
  cancelDependent(store, row, { culprit, now })
  releaseDependents(store, [id], now)
  return stored.cancelled
}
