import type { Store } from './store.ts'

/** How many jobs of a queue there are, and when the oldest of them was due (epoch milliseconds). */
export interface Depth {
  readonly queue: number
  readonly jobs: number
  readonly oldest: number | null
}

/** Up to so many rows are simply counted, row by row. */
const fewRows = 20_000

/**
 * The depth of each queue's ready jobs. SQLite knows the length of a whole table far sooner than that of a part of it: where
 * there are many rows, those of queues with few are counted, and what is left of the whole is the last one's.
 */
export const readyDepths = (store: Store): Depth[] => {
  const total = Number(store.value('SELECT count(*) FROM jobq_ready'))
  if (total <= fewRows) {
    return store
      .sql<Depth>('SELECT queue, sum(last - job + 1) AS jobs, min(due_at) AS oldest FROM jobq_ready GROUP BY queue')
      .all()
  }
  const more = new Map(
    store
      .sql<[queue: number, jobs: number]>(
        'SELECT queue, sum(last - job) FROM jobq_ready INDEXED BY jobq_ready_several WHERE last > job GROUP BY queue',
      )
      .raw()
      .all(),
  )
  return rowsOf(store, total).map(({ rows, ...queue }) => ({ ...queue, jobs: rows + (more.get(queue.queue) ?? 0) }))
}

interface Rows extends Omit<Depth, 'jobs'> {
  readonly rows: number
}

const rowsOf = (store: Store, total: number): Rows[] => {
  const counted = store
    .sql<Rows>(
      `SELECT q.id AS queue,
         (SELECT count(*) FROM (SELECT 1 FROM jobq_ready WHERE queue = q.id LIMIT ${fewRows})) AS rows,
         (SELECT min((SELECT due_at FROM jobq_ready WHERE queue = q.id AND rank = -p.value ORDER BY due_at LIMIT 1))
          FROM json_each('[0,1,2,3,4,5,6,7,8,9]') p) AS oldest
       FROM jobq_queues q`,
    )
    .all()
    .filter(({ rows }) => rows > 0)
  const [last, ...others] = counted.filter(({ rows }) => rows === fewRows)
  const whole = others.map((queue) => ({
    ...queue,
    rows: Number(store.value('SELECT count(*) FROM jobq_ready WHERE queue = ?', queue.queue)),
  }))
  const known = [...counted.filter(({ rows }) => rows < fewRows), ...whole]
  if (last === undefined) return known
  return [...known, { ...last, rows: total - known.reduce((sum, { rows }) => sum + rows, 0) }]
}
