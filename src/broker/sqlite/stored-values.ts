/** Payloads and results as they are stored: signed anew, and forgotten when they are old. */
import { signerOf } from '../../plain-payload.ts'
import type { SignatureChange, SignedFilter, StoredPayload } from '../broker.ts'
import { toPayload } from './payload-columns.ts'
import type { Store } from './store.ts'
import { isIn } from './stretches.ts'

interface StoredRow {
  readonly id: number
  readonly task: string
  readonly queue: string
  readonly serializer: string | null
  readonly coding: string | null
  readonly signature: string | null
  readonly payload: string | Buffer
}

const selectStored = `SELECT j.id, t.name AS task, q.name AS queue, j.serializer, j.coding, j.signature, j.payload
  FROM jobq_current j JOIN jobq_tasks t ON t.id = j.task JOIN jobq_queues q ON q.id = j.queue`

const toStored = (row: StoredRow): StoredPayload => ({
  payload: toPayload(row.payload, row),
  owner: { part: 'payload', job: row.id, task: row.task, queue: row.queue },
})

/** The payload of one job. Only inside a read. */
export const storedPayload = (store: Store, id: number): StoredPayload | null => {
  const row = store.sql<StoredRow>(`${selectStored} WHERE j.id = ?`).get(id)
  return row === undefined ? null : toStored(row)
}

/** The signed payloads of jobs that wait. Only inside a read. */
export const waitingSigned = (store: Store, { queue, after, limit }: SignedFilter): StoredPayload[] =>
  store
    .sql<StoredRow>(
      `${selectStored} WHERE j.id > ? AND j.signature IS NOT NULL AND j.state < 3 AND (? IS NULL OR q.name = ?)
         AND NOT ${isIn('jobq_leases', 'j.id')} ORDER BY j.id LIMIT ?`,
    )
    .all(after, queue ?? null, queue ?? null, limit)
    .map(toStored)

/** Replaces a signature if its job still waits with it. Only inside a write. */
export const replaceSignature = (store: Store, { job, from, to }: SignatureChange): boolean => {
  const key = signerOf({ serializer: '', text: '', signature: to })
  const { changes } = store
    .sql(
      `UPDATE jobq_jobs SET signature = ?, coding = json_set(coding, '$.key', ?) WHERE id = ? AND signature = ? AND state < 3
         AND NOT ${isIn('jobq_leases', 'jobq_jobs.id')}
         AND NOT ${isIn('jobq_ends', 'jobq_jobs.id')}`,
    )
    .run(to, key, job, from)
  return changes === 1
}

/** Ids up to `limit` jobs behind `after`: the last one, and whether any of them has a result to forget. Only inside a read. */
export const resultsToDrop = (
  store: Store,
  { after, limit, finishedBefore }: { readonly after: number; readonly limit: number; readonly finishedBefore: number },
): { readonly last: number | null; readonly any: boolean } => {
  const last = store.value(
    'SELECT max(id) FROM (SELECT id FROM jobq_jobs WHERE id > ? ORDER BY id LIMIT ?)',
    after,
    limit,
  )
  if (typeof last !== 'number') return { last: null, any: false }
  const found = store.value(`SELECT 1 FROM jobq_jobs WHERE ${dropped} LIMIT 1`, after, last, finishedBefore)
  return { last, any: found !== undefined }
}

/** Forgets the results of jobs behind `after` and not behind `last`. Only inside a write. */
export const dropResults = (
  store: Store,
  { after, last, finishedBefore }: { readonly after: number; readonly last: number; readonly finishedBefore: number },
): void => {
  store
    .sql(`UPDATE jobq_jobs SET result = NULL, result_coding = NULL WHERE ${dropped}`)
    .run(after, last, finishedBefore)
}

const dropped = 'id > ? AND id <= ? AND result IS NOT NULL AND state > 3 AND finished_at < ?'
