import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase } from '../../src/broker/sqlite/native.ts'

const lookEveryMs = 2
const patienceMs = 60_000

/** How many jobs had succeeded, and when that was seen by the performance clock. */
export interface Seen {
  readonly succeeded: number
  readonly at: number
}

/**
 * Resolves once so many jobs of all queues have succeeded. What is read was committed, and every commit of jobq is
 * synced, so they are settled for good.
 * @throws Error when a job ends otherwise, or nothing ends for a minute
 */
export const untilSucceeded = async (file: string, count: number): Promise<Seen> => {
  const database = openDatabase(file, { readonly: true })
  const read = database
    .prepare<[], [number, number]>('SELECT sum(succeeded), sum(failed + cancelled) FROM jobq_queues')
    .raw()
  try {
    let last = -1
    let changedAt = performance.now()
    for (;;) {
      const [succeeded, others] = read.get() ?? [0, 0]
      const at = performance.now()
      if (others > 0) throw new Error(`${others} jobs failed or were cancelled`)
      if (succeeded >= count) return { succeeded, at }
      if (succeeded !== last) changedAt = at
      if (at - changedAt > patienceMs) throw new Error(`stuck at ${succeeded} of ${count} jobs`)
      last = succeeded
      await sleep(lookEveryMs)
    }
  } finally {
    database.close()
  }
}
