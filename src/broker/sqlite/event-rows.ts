/**
 * The event log's rows: appended in the transaction of what they tell, read in pages behind a cursor. A row of a negative
 * type is of a run that was told at its end: it stands for that end and, with the id before it, for the start.
 */
import { type EventsPruned, type EventType, eventTypes, type JobqEvent, type NewEvent } from '../../event.ts'
import type { EventFilter, EventLog, EventPage } from '../broker.ts'
import { eventCode, type Store, type Value } from './store.ts'
import { keyFor } from './stretches.ts'

type EventRow = [
  id: number,
  at: number,
  type: number,
  job: number | null,
  task: number | null,
  queue: number | null,
  worker: number | null,
  attempt: number | null,
  runtimeMs: number | null,
  data: string | null,
]

/** Rows looked at in one page at the most, so that a rare filter holds no long read transaction. */
const pageAtMost = 10_000

/** A page may begin and end within a row that stands for two events: so many rows more are read. */
const beside = 2

/** Events of one time may have ids that lie this far apart in time (a start is told with its end). */
const disorderMs = 60_000

/** The event log of a SQLite broker. */
export class SqliteEventLog implements EventLog {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  async append(events: readonly NewEvent[]): Promise<void> {
    await this.#store.write(() => {
      for (const event of events) this.insert(event)
    })
  }

  async read(filter: EventFilter): Promise<EventPage> {
    return this.#store.look(() => {
      const store = this.#store
      const prunedTo = store.value("SELECT value FROM jobq_meta WHERE key = 'events_pruned'") as number
      const pruned: EventsPruned | null =
        filter.after < prunedTo ? { type: 'events.pruned', from: filter.after + 1, to: prunedTo } : null
      const begin = Math.max(filter.after, prunedTo)
      // An index leads to the events of a job; those of rare types are looked for in stretches.
      const indexed = filter.types === undefined || filter.job !== undefined
      const last = this.#last()
      const end = indexed ? last : Math.min(begin + Math.max(pageAtMost, filter.limit), last)
      const rows = this.#rows(filter, begin, end)
      const found = rows
        .flatMap((row) => this.#toEvents(row))
        .filter(({ id, type }) => id > begin && id <= end && (filter.types?.has(type) ?? true))
      const events = found.slice(0, filter.limit)
      const whole = rows.length < filter.limit + beside && found.length === events.length
      const cursor = whole ? Math.max(begin, end) : (events.at(-1)?.id ?? begin)
      return { events, pruned, cursor }
    })
  }

  /** The rows with events behind `begin` up to `end`, enough of them for a page. */
  #rows({ types, job, limit }: EventFilter, begin: number, end: number): EventRow[] {
    const values: Value[] = [begin, end + 1]
    let where = 'id > ? AND id <= ?'
    if (types !== undefined) {
      const pairs = types.has('job.started') ? 'OR type < 0' : ''
      where += ` AND (abs(type) IN (${[...types].map(eventCode).join(', ')}) ${pairs})`
    }
    if (job !== undefined) {
      where += ` AND id IN (SELECT id FROM jobq_events WHERE job = ? AND type >= 0
        UNION ALL SELECT event_shift + 2 * ? FROM jobq_ends WHERE job = ${keyFor('jobq_ends', '?')} AND last >= ?)`
      values.push(job, job, job, job)
    }
    return this.#store
      .sql<EventRow>(
        `SELECT id, at, type, job, task, queue, worker, attempt, runtime_ms, data FROM jobq_events WHERE ${where} ORDER BY id LIMIT ?`,
      )
      .raw()
      .all(...values, limit + beside)
  }

  async last(): Promise<number> {
    this.#store.checkPlace()
    return this.#store.look(() => this.#last())
  }

  #last(): number {
    return Number(this.#store.value("SELECT seq FROM sqlite_sequence WHERE name = 'jobq_events'") ?? 0)
  }

  async cursorAt(at: number): Promise<number> {
    return this.#store.read(() => {
      const id = this.#firstFrom(at - disorderMs)
      const found = this.#store
        .sql<{ before: number }>(
          `SELECT id - iif(type < 0 AND at - runtime_ms >= ?, 2, 1) AS before FROM jobq_events
           WHERE id >= ? AND at >= ? ORDER BY id LIMIT 1`,
        )
        .get(at, id, at)
      return found?.before ?? this.#last()
    })
  }

  async prune(options: { readonly before: number; readonly keep: number; readonly limit: number }): Promise<number> {
    return this.#store.write(() => {
      const store = this.#store
      const newest = Number(store.value('SELECT max(id) FROM jobq_events') ?? 0)
      const prunedTo = store.value("SELECT value FROM jobq_meta WHERE key = 'events_pruned'") as number
      const first = store.value('SELECT id - (type < 0) FROM jobq_events ORDER BY id LIMIT 1')
      const oldest = Math.max(Number(first ?? 1), prunedTo + 1)
      const byAge = this.#firstFrom(options.before) - 1
      const upTo = Math.min(Math.max(byAge, newest - options.keep), oldest + options.limit - 1, newest)
      if (upTo < oldest) return 0
      const starts = Number(
        store.value('SELECT count(*) FROM jobq_events WHERE id <= ? AND id > ? AND type < 0', upTo + 1, prunedTo + 1),
      )
      const { changes } = store.sql('DELETE FROM jobq_events WHERE id <= ?').run(upTo)
      store.sql("UPDATE jobq_meta SET value = max(value, ?) WHERE key = 'events_pruned'").run(upTo)
      return changes + starts
    })
  }

  /** The lowest id from which on events are at or after `at`, by bisection: times rise with ids but for moments. */
  #firstFrom(at: number): number {
    const store = this.#store
    let low = Number(store.value('SELECT min(id) FROM jobq_events') ?? 1)
    let high = Number(store.value('SELECT max(id) FROM jobq_events') ?? 0) + 1
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const row = store
        .sql<{ id: number; at: number }>('SELECT id, at FROM jobq_events WHERE id >= ? ORDER BY id LIMIT 1')
        .get(middle)
      if (row === undefined || row.at >= at) high = middle
      else low = row.id + 1
    }
    return low
  }

  /** Appends one event; only inside a write. */
  insert(event: NewEvent): void {
    const store = this.#store
    const worker =
      event.worker == null
        ? null
        : Number(store.value('SELECT max(id) FROM jobq_workers WHERE name = ?', event.worker)) || null
    const queue = event.queue == null ? null : store.queueId(event.queue)
    store
      .sql('INSERT INTO jobq_events(at, type, queue, worker, data) VALUES (?, ?, ?, ?, ?)')
      .run(event.at, eventCode(event.type), queue, worker, event.data === undefined ? null : JSON.stringify(event.data))
  }

  #toEvents(row: EventRow): JobqEvent[] {
    const [id, at, type, job, task, queue, worker, attempt, runtimeMs] = row
    if (type >= 0) return [this.#toEvent(row)]
    const started = eventCode('job.started')
    const start: EventRow = [id - 1, at - (runtimeMs ?? 0), started, job, task, queue, worker, attempt, null, null]
    return [this.#toEvent(start), this.#toEvent(row)]
  }

  #toEvent(row: EventRow): JobqEvent {
    const store = this.#store
    const [id, at, type, job, task, queue, worker, attempt, runtimeMs, data] = row
    const added = data === null ? {} : (JSON.parse(data) as Record<string, unknown>)
    return {
      id,
      at,
      type: eventTypes[Math.abs(type)] as EventType,
      job,
      task: store.nameOf('jobq_tasks', task),
      queue: store.nameOf('jobq_queues', queue),
      worker: store.nameOf('jobq_workers', worker),
      attempt,
      data: runtimeMs === null ? added : { ...added, runtimeMs },
    }
  }
}
