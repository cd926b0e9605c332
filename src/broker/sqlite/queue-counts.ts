/** The queues with their counts, from the tables that hold what waits and the indexes by state. */
import type { QueueSummary } from '../broker.ts'
import { type Depth, readyDepths } from './ready-depths.ts'
import { scheduledDepths } from './scheduled-depths.ts'
import type { Store, Value } from './store.ts'

/** Every known queue by name; `now` is epoch milliseconds. */
export const readQueues = (store: Store, now: number): QueueSummary[] => {
  const depths = (source: string, ...values: Value[]) =>
    new Map(
      store
        .sql<Depth>(source)
        .all(...values)
        .map((row) => [row.queue, row]),
    )
  const blocked = depths(
    'SELECT queue, count(*) AS jobs, NULL AS oldest FROM jobq_jobs WHERE state IN (0, 3, 5, 6) AND state = 0 GROUP BY queue',
  )
  const ready = new Map(readyDepths(store).map((row) => [row.queue, row]))
  // CROSS JOIN keeps SQLite from going through all jobs for the few that are claimed or throttled.
  const throttled = depths(
    'SELECT j.queue, count(*) AS jobs, min(j.due_at) AS oldest FROM jobq_throttled t CROSS JOIN jobq_jobs j ON j.id = t.job GROUP BY j.queue',
  )
  const claimed = depths(
    `SELECT j.queue, count(*) AS jobs, min(j.due_at) AS oldest FROM jobq_leases l CROSS JOIN jobq_jobs j ON j.id BETWEEN l.job AND l.last
     WHERE j.state = 1 GROUP BY j.queue`,
  )
  const due = depths(
    'SELECT queue, count(*) AS jobs, min(due_at) AS oldest FROM jobq_jobs WHERE state = 2 AND due_at <= ? GROUP BY queue',
    now,
  )
  const later = new Map(scheduledDepths(store, now).map((row) => [row.queue, row]))
  const running = depths(
    'SELECT queue, count(*) AS jobs, NULL AS oldest FROM jobq_jobs WHERE state IN (0, 3, 5, 6) AND state = 3 GROUP BY queue',
  )
  const queues = store
    .sql<{ id: number; name: string; paused: number; succeeded: number; failed: number; cancelled: number }>(
      'SELECT id, name, paused, succeeded, failed, cancelled FROM jobq_queues ORDER BY name',
    )
    .all()
  return queues.map(({ id, name, paused, succeeded, failed, cancelled }) => {
    const count = (of: Map<number, Depth>) => of.get(id)?.jobs ?? 0
    const oldest = [ready, throttled, due, claimed].flatMap((of) => of.get(id)?.oldest ?? [])
    return {
      name,
      paused: paused === 1,
      blocked: count(blocked),
      queued: count(ready) + count(throttled) + count(due) + count(later) + count(claimed),
      scheduled: count(later),
      running: count(running),
      succeeded,
      failed,
      cancelled,
      oldestWaitingMs: oldest.length === 0 ? null : Math.max(0, now - Math.min(...oldest)),
      limits: {},
    }
  })
}
