/** The first ready jobs of a queue as they are read for a claim, and put together where they are alike. */
import type { BurstColumns } from '../../burst.ts'
import { maxStoredBytes } from './payload-columns.ts'
import type { Store } from './store.ts'

/** Fewer jobs than this are not worth a burst. */
const smallestBurst = 16
/** Payloads of bursts are small, in characters: a burst goes to a child in one piece. */
const maxBurstPayload = 4_096

/** A ready job as it is read. */
export type ReadyRow = [
  id: number,
  task: number,
  queue: number,
  rank: number,
  dueAt: number,
  createdAt: number,
  retries: number | null,
  /** Null where it is too large. */
  payload: string | Buffer | null,
  /** A JSON array of what most jobs do not have; null for them. */
  rare: string | null,
]

/** What most jobs do not have. */
export type Rare = [
  spent: number,
  base: number,
  crashes: number,
  alone: number,
  expiresAt: number | null,
  options: string | null,
  serializer: string | null,
  coding: string | null,
  signature: string | null,
  plain: number,
  traceparent: string | null,
  tracestate: string | null,
]

/** What holds for a job that has nothing of it. */
export const usual: Rare = [0, 0, 0, 0, null, null, null, null, null, 1, null, null]

/** What somebody else has written instead of JSON must not end the claim of all. */
const fromMeta = (key: string): string => `iif(json_valid(j.meta), j.meta ->> '$.${key}', NULL)`

/** Ready jobs that are alike; none of them has anything rare. */
export interface ReadyBurst {
  readonly task: number
  readonly queue: number
  readonly rank: number
  readonly retries: number | null
  readonly columns: BurstColumns
}

/** Reads the first jobs of a queue, as many as there are up to `limit`. */
export const readReady = (store: Store, queue: number, limit: number): ReadyRow[] =>
  store
    .sql<ReadyRow>(
      `SELECT j.id, j.task, j.queue, r.rank, r.due_at, j.created_at, j.retries,
         iif(octet_length(j.payload) <= ${maxStoredBytes}, j.payload, NULL),
         iif(j.attempt = 0 AND j.spent = 0 AND j.base = 0 AND j.crashes = 0 AND j.alone = 0 AND j.expires_at IS NULL AND j.unique_key IS NULL
             AND j.options IS NULL AND j.serializer IS NULL AND j.coding IS NULL AND ${fromMeta('traceparent')} IS NULL, NULL,
           json_array(j.spent, j.base, j.crashes, j.alone, iif(j.attempt = 0, j.expires_at, NULL), CAST(j.options AS TEXT),
             CAST(j.serializer AS TEXT), CAST(j.coding AS TEXT), CAST(j.signature AS TEXT),
             j.attempt = 0 AND j.expires_at IS NULL AND j.unique_key IS NULL, ${fromMeta('traceparent')}, ${fromMeta('tracestate')}))
       FROM jobq_ready r CROSS JOIN jobq_jobs j ON j.id = r.job WHERE r.queue = ? ORDER BY r.rank, r.due_at, r.job LIMIT ?`,
    )
    .raw()
    .all(queue, limit)

/** Takes what was read off the list of ready jobs: of each queue that is its beginning, so one range of the list. */
export const takeOff = (store: Store, rows: readonly ReadyRow[]): void => {
  const last = new Map(rows.map((row) => [row[2], row]))
  for (const [queue, [id, , , rank, dueAt]] of last) {
    store.sql('DELETE FROM jobq_ready WHERE queue = ? AND (rank, due_at, job) <= (?, ?, ?)').run(queue, rank, dueAt, id)
  }
}

/** Puts alike jobs that stand one behind the other together, at most `size` of them. */
export const together = (rows: readonly ReadyRow[], size: number): (ReadyRow | ReadyBurst)[] => {
  const jobs: (ReadyRow | ReadyBurst)[] = []
  for (let from = 0; from < rows.length; ) {
    const to = endOfAlike(rows, from, size)
    if (to - from >= smallestBurst) jobs.push(burstOf(rows.slice(from, to)))
    else jobs.push(...rows.slice(from, to))
    from = to
  }
  return jobs
}

/** The place behind the last of the rows that are like the one at `from`. */
const endOfAlike = (rows: readonly ReadyRow[], from: number, size: number): number => {
  const first = rows[from]
  let to = from + 1
  if (first === undefined || !isUsual(first)) return to
  for (let row = rows[to]; row !== undefined && to - from < size && isUsual(row) && isAlike(first, row); row = rows[to])
    to += 1
  return to
}

const isUsual = ([, , , , , , , payload, rare]: ReadyRow): boolean =>
  rare === null && typeof payload === 'string' && payload.length <= maxBurstPayload && !payload.includes('\n')

const isAlike = (one: ReadyRow, other: ReadyRow): boolean =>
  one[1] === other[1] && one[3] === other[3] && one[6] === other[6] && one[2] === other[2]

const burstOf = (rows: readonly ReadyRow[]): ReadyBurst => {
  const [, task = 0, queue = 0, rank = 0, , , retries = null] = rows[0] ?? []
  const columns = {
    ids: rows.map((row) => row[0]),
    dueAt: rows.map((row) => row[4]),
    createdAt: rows.map((row) => row[5]),
    payloads: rows.map((row) => row[7]).join('\n'),
  }
  return { task, queue, rank, retries, columns }
}
