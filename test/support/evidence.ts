// What a fault run leaves behind: the queue file, read with plain SQL, and three files to which one line of JSON is appended
// at a time: what producers were about to ask for, what was acknowledged to them, and what the jobs did.
import fs from 'node:fs'
import path from 'node:path'
import Database from 'better-sqlite3'

/** One thing that a job did. `at` is epoch milliseconds, absent where the program could not tell. */
export interface Effect {
  readonly job: number
  readonly attempt: number
  readonly token: number
  readonly key: string
  /** `fail`: the run is about to end as a failure, `final`: as one that must not be retried. */
  readonly phase: 'begin' | 'end' | 'fail' | 'final'
  readonly at?: number
}

/** One row of `event_view`, what its type adds read from JSON. */
export interface LoggedEvent {
  readonly id: number
  readonly at: number
  readonly type: string
  readonly job: number | null
  readonly worker: string | null
  readonly attempt: number | null
  readonly data: Readonly<Record<string, unknown>>
}

/** One job as it stands, from `job_view` and the private columns that no view has. */
export interface StoredJob {
  readonly id: number
  readonly state: string
  readonly queue: string
  readonly attempt: number
  readonly maxAttempts: number
  readonly dueAt: number
  readonly errorType: string | null
  readonly token: number
  readonly maxCrashes: number
  /** What its producer called it; null for jobs that are not part of the bookkeeping. */
  readonly key: string | null
}

/** A batch that was asked for, and the ids that its producer was told, if it was told. */
export interface Batch {
  readonly keys: readonly string[]
  ids: readonly number[] | null
}

/** All that a run left behind. */
export interface Evidence {
  readonly jobs: ReadonlyMap<number, StoredJob>
  readonly events: readonly LoggedEvent[]
  /** `job` runs after `needs`. */
  readonly needs: readonly { readonly job: number; readonly needs: number; readonly anyEnd: number }[]
  readonly queues: readonly Readonly<Record<string, unknown>>[]
  readonly effects: readonly Effect[]
  readonly batches: ReadonlyMap<string, Batch>
  /** What `integrity_check` and `foreign_key_check` said beyond that all is well, and where the tables disagree. */
  readonly damage: readonly string[]
}

/** Where a run keeps its evidence. */
export interface EvidenceFiles {
  readonly database: string
  readonly asked: string
  readonly acknowledged: string
  readonly effects: string
}

/** The files of evidence beside a database, in `folder` where they must not share its disk. */
export const evidenceFiles = (database: string, folder = path.dirname(database)): EvidenceFiles => ({
  database,
  asked: path.join(folder, 'asked.ndjson'),
  acknowledged: path.join(folder, 'acknowledged.ndjson'),
  effects: path.join(folder, 'effects.ndjson'),
})

/** Appends one line in one write, so that a process killed at any moment leaves it whole or not at all. */
export const appendLine = (file: string, line: unknown): void => {
  const descriptor = fs.openSync(file, 'a', 0o600)
  fs.writeSync(descriptor, `${JSON.stringify(line)}\n`)
  fs.closeSync(descriptor)
}

/** Notes what a producer is about to ask for. */
export const noteAsked = (files: EvidenceFiles, batch: string, keys: readonly string[]): void =>
  appendLine(files.asked, { batch, keys })

/** Notes the ids that a producer was given. */
export const noteAcknowledged = (files: EvidenceFiles, batch: string, ids: readonly number[]): void =>
  appendLine(files.acknowledged, { batch, ids })

/** Reads everything; the queue file as any program would, without jobq. */
export const readEvidence = (files: EvidenceFiles): Evidence => {
  const database = new Database(files.database, { readonly: true, fileMustExist: true })
  try {
    return database.transaction(() => ({
      jobs: new Map(jobs(database).map((job) => [job.id, job])),
      events: events(database),
      needs: database
        .prepare<[], Evidence['needs'][number]>('SELECT job, needs, any_end AS anyEnd FROM jobq_dependencies')
        .all(),
      queues: database.prepare<[], Record<string, unknown>>('SELECT * FROM queue_view').all(),
      effects: lines<Effect>(files.effects),
      batches: batches(files),
      damage: damage(database),
    }))()
  } finally {
    database.close()
  }
}

const jobs = (database: Database.Database): StoredJob[] =>
  database
    .prepare<[], StoredJob>(
      `SELECT v.id, v.state, v.queue, v.attempt, v.max_attempts AS maxAttempts, v.due_at AS dueAt, v.error ->> '$.type' AS errorType,
         j.token, coalesce(j.options ->> '$.maxCrashes', 3) AS maxCrashes, coalesce(v.payload ->> '$.key', v.name) AS key
       FROM job_view v JOIN jobq_current j ON j.id = v.id ORDER BY v.id`,
    )
    .all()

const events = (database: Database.Database): LoggedEvent[] =>
  database
    .prepare<[], Omit<LoggedEvent, 'data'> & { readonly data: string }>(
      'SELECT id, at, type, job, worker, attempt, data FROM event_view ORDER BY id',
    )
    .all()
    .map((row) => ({ ...row, data: JSON.parse(row.data) }))

/** What the private tables must agree on; each query gives the jobs of which it is not true. */
const agreements: Readonly<Record<string, string>> = {
  'waits as it says': `SELECT j.id FROM jobq_ready r CROSS JOIN jobq_current j ON j.id BETWEEN r.job AND r.last
    WHERE j.state <> 1 OR (j.queue, -j.priority, j.due_at) IS NOT (r.queue, r.rank, r.due_at)`,
  'is there, with those that wait together with it': `SELECT job FROM jobq_ready
    WHERE (SELECT count(*) FROM jobq_jobs WHERE id BETWEEN job AND last) <> last - job + 1`,
  'is either waiting or in hand when it is ready': `SELECT id FROM jobq_current
    WHERE state = 1 AND (SELECT count(*) FROM jobq_ready WHERE id BETWEEN job AND last) + (SELECT count(*) FROM jobq_leases WHERE id BETWEEN job AND last)
      + (SELECT count(*) FROM jobq_throttled WHERE job = id) <> 1`,
  'has one end only': `SELECT j.id FROM jobq_ends e CROSS JOIN jobq_jobs j ON j.id BETWEEN e.job AND e.last
    WHERE j.state IS NOT 1 OR j.attempt <> 0 OR j.expires_at IS NOT NULL OR j.unique_key IS NOT NULL`,
  'is in hand when it runs':
    'SELECT id FROM jobq_jobs WHERE state = 3 AND NOT EXISTS (SELECT 1 FROM jobq_leases WHERE id BETWEEN job AND last)',
  'is ready or runs when it is in hand': `SELECT j.id FROM jobq_leases l CROSS JOIN jobq_current j ON j.id BETWEEN l.job AND l.last
    WHERE j.state IS NULL OR j.state NOT IN (1, 3)`,
}

const damage = (database: Database.Database): string[] => {
  const disagreements = Object.entries(agreements).flatMap(([what, sql]) =>
    database
      .prepare(sql)
      .pluck()
      .all()
      .map((job) => `it is not true that job ${job} ${what}`),
  )
  const found = database.prepare('PRAGMA integrity_check').pluck().all().map(String)
  const foreign = database.prepare<[], { table: string }>('PRAGMA foreign_key_check').all()
  return [
    ...disagreements,
    ...found.filter((line) => line !== 'ok'),
    ...foreign.map(({ table }) => `foreign key of ${table}`),
  ]
}

const batches = (files: EvidenceFiles): Map<string, Batch> => {
  const found = new Map<string, Batch>()
  for (const { batch, keys } of lines<{ batch: string; keys: string[] }>(files.asked))
    found.set(batch, { keys, ids: null })
  for (const { batch, ids } of lines<{ batch: string; ids: number[] }>(files.acknowledged)) {
    const asked = found.get(batch)
    if (asked === undefined) throw new Error(`batch ${batch} was acknowledged and never asked for`)
    asked.ids = ids
  }
  return found
}

const lines = <T>(file: string): T[] => {
  if (!fs.existsSync(file)) return []
  const text = fs.readFileSync(file, 'utf8')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T)
}
