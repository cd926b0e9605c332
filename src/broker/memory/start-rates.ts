import type { Rate } from '../../rate.ts'
import { payStarts, startsLeft, unpaid } from '../../start-rate.ts'
import type { MemoryStore } from './memory-store.ts'

/** Sets a task's start rate; null takes it away. A rate that is set again keeps count of the starts before. */
export const limitStarts = (store: MemoryStore, task: string, rate: Rate | null): void => {
  const paidUntil = store.rates.get(task)?.paidUntil ?? unpaid
  store.putRate(task, rate === null ? null : { task, rate, paidUntil })
}

/** True while a job of this task may start. */
export const mayStart = (store: MemoryStore, task: string, now: number): boolean => {
  const limit = store.rates.get(task)
  return limit === undefined || startsLeft(limit.rate, limit.paidUntil, now) > 0
}

/** Counts one start. */
export const countStart = (store: MemoryStore, task: string, now: number): void => {
  const limit = store.rates.get(task)
  if (limit === undefined) return
  store.putRate(task, { ...limit, paidUntil: payStarts(limit.rate, limit.paidUntil, { now, starts: 1 }) })
}
