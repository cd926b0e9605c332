import type { Depth } from './ready-depths.ts'
import type { Store } from './store.ts'

/** Up to so many rows are simply counted by queue, and as many show which queue has most of them. */
const fewRows = 20_000

/**
 * The depth of each queue's jobs that are not due at `now` (epoch milliseconds); of what is due there is no `oldest`. To tell
 * a million rows apart takes ten times as long as to count them: where many wait, the queue that seems to have most of them
 * is what the others leave of the whole.
 */
export const scheduledDepths = (store: Store, now: number): Depth[] => {
  const [most] = store
    .sql<{ queue: number; jobs: number; seen: number }>(
      `SELECT queue, count(*) AS jobs, sum(count(*)) OVER () AS seen
       FROM (SELECT queue FROM jobq_jobs WHERE state = 2 AND due_at > ? LIMIT ${fewRows})
       GROUP BY queue ORDER BY jobs DESC LIMIT 1`,
    )
    .all(now)
  if (most === undefined) return []
  // No queue has the id 0.
  const apart = most.seen < fewRows ? 0 : most.queue
  const others = store
    .sql<Depth>(
      'SELECT queue, count(*) AS jobs, NULL AS oldest FROM jobq_jobs WHERE state = 2 AND due_at > ? AND queue <> ? GROUP BY queue',
    )
    .all(now, apart)
  if (apart === 0) return others
  const total = Number(store.value('SELECT count(*) FROM jobq_jobs WHERE state = 2 AND due_at > ?', now))
  return [...others, { queue: apart, jobs: total - others.reduce((sum, { jobs }) => sum + jobs, 0), oldest: null }]
}
