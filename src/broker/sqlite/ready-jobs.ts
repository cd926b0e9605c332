/** The first ready jobs of a queue as they are read for a claim, and put together where they are alike. */
import { type BurstColumns, smallestBurst } from '../../burst.ts'
import { maxStoredBytes } from './payload-columns.ts'
import { unreadyUntil } from './ready.ts'
import type { Store } from './store.ts'

/** Payloads of bursts are small, in characters: a burst goes to a child in one piece. */
const maxBurstPayload = 4_096

/** A ready job as it is read. */
export type ReadyRow = [
  id: number,
  task: number,
  queue: number,
  dueAt: number,
  createdAt: number,
  retries: number | null,
  /** Null where it is too large. */
  payload: string | Buffer | null,
  /** Its rank, for a job that has nothing rare; else `Rare` as JSON. */
  rankOrRare: number | string,
]

/** What most jobs do not have, and their rank. */
export type Rare = [
  rank: number,
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

/** What is rare of a job. */
export const rareOf = ([, , , , , , , rankOrRare]: ReadyRow): Rare =>
  typeof rankOrRare === 'string'
    ? (JSON.parse(rankOrRare) as Rare)
    : [rankOrRare, 0, 0, 0, 0, null, null, null, null, null, 1, null, null]

/** What somebody else has written instead of JSON must not end the claim of all. */
const fromMeta = (key: string): string => `iif(json_valid(j.meta), j.meta ->> '$.${key}', NULL)`

/** True in SQL of a job that has nothing rare: one that was never started has used nothing up. */
const isUsual = `j.attempt = 0 AND j.alone = 0
  AND coalesce(j.expires_at, j.unique_key, j.options, j.serializer, j.coding, j.meta) IS NULL`

/** Ready jobs that are alike; none of them has anything rare. */
export interface ReadyBurst {
  readonly task: number
  readonly queue: number
  readonly rank: number
  readonly retries: number | null
  readonly columns: BurstColumns
}

/** Takes the first jobs of a queue off the list, as many as there are up to `limit`. */
export const takeReadyOf = (store: Store, queue: number, limit: number): ReadyRow[] => {
  const rows = store.sql<ReadyRow>(selectReady).raw().all(queue, limit)
  const last = rows.at(-1)
  if (last !== undefined) unreadyUntil(store, { queue, rank: rareOf(last)[0], dueAt: last[3] }, last[0])
  return rows
}

const selectReady = `
  SELECT j.id, j.task, j.queue, r.due_at, j.created_at, j.retries, iif(octet_length(j.payload) <= ${maxStoredBytes}, j.payload, NULL),
    iif(${isUsual}, r.rank,
      json_array(r.rank, j.spent, j.base, j.crashes, j.alone, iif(j.attempt = 0, j.expires_at, NULL), CAST(j.options AS TEXT),
        CAST(j.serializer AS TEXT), CAST(j.coding AS TEXT), CAST(j.signature AS TEXT),
        j.attempt = 0 AND j.expires_at IS NULL AND j.unique_key IS NULL, ${fromMeta('traceparent')}, ${fromMeta('tracestate')}))
  FROM jobq_ready r CROSS JOIN jobq_jobs j ON j.id BETWEEN r.job AND r.last
  WHERE r.queue = ? ORDER BY r.rank, r.due_at, r.job, j.id LIMIT ?`

/** Puts alike jobs that stand one behind the other together, at most `size` of them. */
export const together = (rows: readonly ReadyRow[], size: number): (ReadyRow | ReadyBurst)[] => {
  const jobs: (ReadyRow | ReadyBurst)[] = []
  for (let from = 0; from < rows.length; ) {
    const to = endOfAlike(rows, from, size)
    const rank = rows[from]?.[7]
    if (to - from >= smallestBurst && typeof rank === 'number') jobs.push(burstOf(rows.slice(from, to), rank))
    else jobs.push(...rows.slice(from, to))
    from = to
  }
  return jobs
}

/** The place behind the last of the rows that are like the one at `from`. */
const endOfAlike = (rows: readonly ReadyRow[], from: number, size: number): number => {
  const first = rows[from] as ReadyRow
  const most = Math.min(rows.length, from + size)
  let to = from + 1
  if (isPlain(first)) while (to < most && isLike(first, rows[to] as ReadyRow)) to += 1
  return to
}

// By their places: taking thousands of rows apart costs more than looking at two of their columns.
const isPlain = (row: ReadyRow): boolean => {
  const payload = row[6]
  return (
    typeof row[7] === 'number' &&
    typeof payload === 'string' &&
    payload.length <= maxBurstPayload &&
    !payload.includes('\n')
  )
}

const isLike = (first: ReadyRow, row: ReadyRow): boolean =>
  row[7] === first[7] && row[1] === first[1] && row[2] === first[2] && row[5] === first[5] && isPlain(row)

const burstOf = (rows: readonly ReadyRow[], rank: number): ReadyBurst => {
  const [, task = 0, queue = 0, , , retries = null] = rows[0] ?? []
  const columns = {
    ids: rows.map((row) => row[0]),
    dueAt: rows.map((row) => row[3]),
    createdAt: rows.map((row) => row[4]),
    payloads: rows.map((row) => row[6]).join('\n'),
  }
  return { task, queue, rank, retries, columns }
}
