/** Reading jobs from their rows, and deleting finished ones. */
import type { Moment } from '../../clock.ts'
import type { Job, JobError, JobState, PayloadReader } from '../../job.ts'
import { serializerName, shown, signerOf } from '../../plain-payload.ts'
import type {
  Counts,
  JobFilter,
  JobIndex,
  PruneFilter,
  QueueSummary,
  SignatureChange,
  SignedFilter,
  StoredPayload,
} from '../broker.ts'
import { countFinished } from './dependents.ts'
import { removeEnd } from './ends.ts'
import { jsonColumn, objectColumn } from './json-column.ts'
import { leaseOf } from './leases.ts'
import { toPayload, toResult } from './payload-columns.ts'
import { readQueues } from './queue-counts.ts'
import { toRunOptions } from './run-options-column.ts'
import { stateCodes, stateName, stored } from './state.ts'
import type { Store, Value } from './store.ts'
import { dropResults, replaceSignature, resultsToDrop, storedPayload, waitingSigned } from './stored-values.ts'

interface JobRow {
  readonly id: number
  readonly task: string
  readonly queue: string
  readonly state: number
  readonly priority: number
  readonly due_at: number
  readonly created_at: number
  readonly attempt: number
  readonly spent: number
  readonly base: number
  readonly retries: number | null
  readonly published_retries: number | null
  readonly crashes: number
  readonly worker: string | null
  readonly pid: number | null
  /** Null where no worker has the job. */
  readonly cancelling: number | null
  readonly started_at: number | null
  readonly finished_at: number | null
  readonly expires_at: number | null
  readonly exit_code: number | null
  readonly signal: string | null
  readonly progress: number | null
  readonly progress_text: string | null
  readonly unique_key: string | null
  readonly ref: string | null
  readonly name: string | null
  readonly tags: string | null
  readonly meta: string | null
  readonly options: string | null
  readonly serializer: string | null
  readonly coding: string | null
  readonly signature: string | null
  readonly payload: string | Buffer
  readonly result: string | Buffer | null
  readonly result_coding: string | null
  readonly error: string | null
}

const selectJobs = `SELECT j.*, l.cancelling, t.name AS task, q.name AS queue, w.name AS worker, t.defaults ->> '$.retries' AS published_retries
  FROM jobq_current j JOIN jobq_tasks t ON t.id = j.task JOIN jobq_queues q ON q.id = j.queue
  LEFT JOIN jobq_leases l ON ${leaseOf('j.id')} LEFT JOIN jobq_workers w ON w.id = coalesce(l.worker, j.worker)`

/** The states for which an index finds the rows; others are found by going through the table in id order. */
const indexed: Partial<Record<JobState, string>> = {
  blocked: 'j.row_state IN (0, 3, 5, 6) AND j.row_state = 0',
  running: 'j.row_state IN (0, 3, 5, 6) AND j.row_state = 3',
  failed: 'j.row_state IN (0, 3, 5, 6) AND j.row_state = 5',
  cancelled: 'j.row_state IN (0, 3, 5, 6) AND j.row_state = 6',
}

/** The jobs of a SQLite broker. */
export class SqliteJobIndex implements JobIndex {
  readonly #store: Store
  readonly #read: PayloadReader

  constructor(store: Store, read: PayloadReader) {
    this.#store = store
    this.#read = read
  }

  async get(id: number, now: Moment): Promise<Job | null> {
    return this.#store.read(() => {
      const row = this.#store.sql<JobRow>(`${selectJobs} WHERE j.id = ?`).get(id)
      return row === undefined ? null : this.#toJob(row, now.at)
    })
  }

  async list(filter: JobFilter, now: Moment): Promise<Job[]> {
    return this.#store.read(() => {
      const { where, values } = this.#conditions(filter)
      const direction = filter.order === 'oldest' ? 'ASC' : 'DESC'
      const rows = this.#store
        .sql<JobRow>(`${selectJobs} WHERE ${where} ORDER BY j.id ${direction} LIMIT ?`)
        .all(...values, filter.limit ?? -1)
      return rows.map((row) => this.#toJob(row, now.at))
    })
  }

  async queues(now: Moment): Promise<QueueSummary[]> {
    return this.#store.read(() => readQueues(this.#store, now.at))
  }

  async counts(now: Moment): Promise<Counts> {
    return this.#store.read(() => ({
      cursor: Number(this.#store.value("SELECT seq FROM sqlite_sequence WHERE name = 'jobq_events'") ?? 0),
      queues: readQueues(this.#store, now.at),
    }))
  }

  async countDue(queues: readonly string[] | null, limit: number, now: Moment): Promise<number> {
    const names = queues === null ? null : JSON.stringify(queues)
    const served = 'q.paused = 0 AND (? IS NULL OR q.name IN (SELECT value FROM json_each(?)))'
    const ready = `SELECT coalesce(sum(jobs), 0) FROM
      (SELECT last - job + 1 AS jobs FROM jobq_queues q CROSS JOIN jobq_ready r ON r.queue = q.id WHERE ${served} LIMIT ?)`
    // Those whose time has come become ready with the next claim.
    const due = `SELECT count(*) FROM
      (SELECT 1 FROM jobq_jobs j CROSS JOIN jobq_queues q ON q.id = j.queue WHERE j.state = 2 AND j.due_at <= ? AND ${served} LIMIT ?)`
    return this.#store.read(() => {
      const count = Math.min(limit, Number(this.#store.value(ready, names, names, limit)))
      return count + Number(this.#store.value(due, now.at, names, names, limit - count))
    })
  }

  async remove(ids: readonly number[]): Promise<boolean[]> {
    return this.#store.write(() => ids.map((id) => this.#delete(id)))
  }

  async prune(filter: PruneFilter): Promise<number[]> {
    const choose = () => this.#prunable(filter)
    if (filter.dryRun === true) return this.#store.read(choose)
    return this.#store.write(() => {
      const ids = choose()
      for (const id of ids) this.#delete(id)
      return ids
    })
  }

  async dropResults(options: {
    readonly finishedBefore: number
    readonly after: number
    readonly limit: number
  }): Promise<number | null> {
    const { last, any } = await this.#store.read(() => resultsToDrop(this.#store, options))
    if (last !== null && any) await this.#store.write(() => dropResults(this.#store, { ...options, last }))
    return last
  }

  async stored(id: number): Promise<StoredPayload | null> {
    return this.#store.read(() => storedPayload(this.#store, id))
  }

  async waitingSigned(filter: SignedFilter): Promise<StoredPayload[]> {
    return this.#store.read(() => waitingSigned(this.#store, filter))
  }

  async resign(changes: readonly SignatureChange[]): Promise<boolean[]> {
    return this.#store.write(() => changes.map((change) => replaceSignature(this.#store, change)))
  }

  #delete(id: number): boolean {
    const store = this.#store
    const state = removeEnd(store, id) ? stored.succeeded : stored.running
    const row = store
      .sql<{ queue: number; state: number }>(
        'DELETE FROM jobq_jobs WHERE id = ? AND max(state, ?) > 3 RETURNING queue, max(state, ?) AS state',
      )
      .get(id, state, state)
    if (row === undefined) return false
    store.sql('DELETE FROM jobq_dependencies WHERE job = ? OR needs = ?').run(id, id)
    countFinished(store, row.queue, { [stateName(row.state)]: -1 })
    return true
  }

  #prunable(filter: PruneFilter): number[] {
    const values: Value[] = []
    const codes = (filter.states ?? (['succeeded', 'failed', 'cancelled'] as const)).flatMap(stateCodes)
    let where = `state IN (${codes.join(', ')})`
    if (filter.finishedBefore !== undefined) {
      where += ' AND finished_at < ? AND id < ?'
      values.push(filter.finishedBefore, firstCreatedFrom(this.#store, filter.finishedBefore + disorderMs))
    }
    if (filter.queue !== undefined) {
      where += ' AND queue = (SELECT id FROM jobq_queues WHERE name = ?)'
      values.push(filter.queue)
    }
    const kept =
      filter.keep === undefined
        ? ''
        : `AND id <= (SELECT id FROM jobq_current WHERE ${where} ORDER BY id DESC LIMIT 1 OFFSET ?)`
    const keptValues = filter.keep === undefined ? [] : [...values, filter.keep]
    return this.#store
      .sql<{ id: number }>(`SELECT id FROM jobq_current WHERE ${where} ${kept} ORDER BY id LIMIT ?`)
      .all(...values, ...keptValues, filter.limit ?? -1)
      .map((row) => row.id)
  }

  #conditions(filter: JobFilter): { where: string; values: Value[] } {
    const parts: string[] = ['1']
    const values: Value[] = []
    const add = (part: string, ...more: Value[]) => {
      parts.push(part)
      values.push(...more)
    }
    if (filter.states !== undefined) {
      const [only, ...others] = filter.states
      const index = only !== undefined && others.length === 0 ? indexed[only] : undefined
      add(index ?? `j.state IN (${filter.states.flatMap(stateCodes).join(', ')})`)
    }
    if (filter.queue !== undefined) add('q.name = ?', filter.queue)
    if (filter.task !== undefined) add('t.name = ?', filter.task)
    if (filter.tag !== undefined)
      add("EXISTS (SELECT 1 FROM json_each(iif(json_valid(j.tags), j.tags, '[]')) WHERE value = ?)", filter.tag)
    if (filter.since !== undefined) add('j.created_at >= ?', filter.since)
    const { cursor, reach, order } = filter
    if (cursor !== undefined) add(order === 'oldest' ? 'j.id > ?' : 'j.id < ?', cursor)
    if (cursor !== undefined && reach !== undefined) {
      if (order === 'oldest') add('j.id <= ?', cursor + reach)
      else add('j.id >= ?', cursor - reach)
    }
    return { where: parts.join(' AND '), values }
  }

  #toJob(row: JobRow, now: number): Job {
    const state = stateName(row.state)
    const needs = this.#store
      .sql<{ needs: number; any_end: number }>(
        'SELECT needs, any_end FROM jobq_dependencies WHERE job = ? ORDER BY needs',
      )
      .all(row.id)
    const stored = toPayload(row.payload, row)
    const owner = { job: row.id, task: row.task, queue: row.queue }
    const payload = shown(this.#read, stored, { ...owner, part: 'payload' })
    const result = shown(this.#read, toResult(row.result, row.result_coding), { ...owner, part: 'result' })
    return {
      id: row.id,
      task: row.task,
      queue: row.queue,
      state,
      label: labelOf(row, state, now),
      priority: row.priority,
      attempt: row.attempt,
      maxAttempts: row.base + (row.retries ?? row.published_retries ?? 0) + 1,
      payload: payload.value,
      result: result.value,
      hidden: {
        ...(payload.hidden === undefined ? {} : { payload: payload.hidden }),
        ...(result.hidden === undefined ? {} : { result: result.hidden }),
      },
      error: row.error === null ? null : toJobError(row.error),
      exitCode: row.exit_code,
      signal: row.signal,
      progress: row.progress === null ? null : { fraction: row.progress, text: row.progress_text },
      createdAt: row.created_at,
      dueAt: row.due_at,
      startedAt: row.started_at,
      finishedAt: row.finished_at,
      expiresAt: row.expires_at,
      worker: row.worker,
      pid: row.pid,
      unique: row.unique_key,
      tags: toTags(row.tags),
      meta: Object.fromEntries(Object.entries(objectColumn(row.meta) ?? {}).map(([key, text]) => [key, String(text)])),
      name: row.name,
      after: needs.filter((need) => need.any_end === 0).map((need) => need.needs),
      afterAny: needs.filter((need) => need.any_end === 1).map((need) => need.needs),
      serializer: serializerName(stored),
      compression: stored.compression ?? null,
      signedBy: signerOf(stored),
      ref: row.ref,
      options: toRunOptions(row.options) ?? {},
      crashes: row.crashes,
      cancelling: row.cancelling === 1,
      claimed: row.cancelling !== null && state === 'queued',
    }
  }
}

/** Clocks are set back by less than this, in milliseconds: until then a job may seem to end before it was created. */
const disorderMs = 3_600_000

/**
 * The lowest id from which on jobs were created at or after `at`, by bisection, because ids rise with time: what is
 * old is found without going through all that is not.
 */
const firstCreatedFrom = (store: Store, at: number): number => {
  let low = Number(store.value('SELECT min(id) FROM jobq_jobs') ?? 1)
  let high = Number(store.value('SELECT max(id) FROM jobq_jobs') ?? 0) + 1
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const row = store
      .sql<{ id: number; createdAt: number }>(
        'SELECT id, created_at AS createdAt FROM jobq_jobs WHERE id >= ? ORDER BY id LIMIT 1',
      )
      .get(middle)
    if (row === undefined || row.createdAt >= at) high = middle
    else low = row.id + 1
  }
  return low
}

const toTags = (column: unknown): string[] => {
  const tags = jsonColumn(column)
  return Array.isArray(tags) ? tags.map(String) : []
}

const toJobError = (column: unknown): JobError => {
  const { type, message, ...more } = objectColumn(column) ?? {}
  return { ...more, type: String(type), message: String(message) }
}

const labelOf = (row: JobRow, state: JobState, now: number): Job['label'] => {
  if (state !== 'queued') return null
  if (row.spent > row.base) return 'retrying'
  return row.state === stored.scheduled && row.due_at > now ? 'scheduled' : null
}
