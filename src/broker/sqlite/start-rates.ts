/**
 * Start rates of tasks. A ready job whose task has no start left is moved out of the way of others, to `jobq_throttled`, and
 * back when there are starts again; it is as ready there as in `jobq_ready`. Only inside a write.
 */
import type { Rate } from '../../rate.ts'
import { nextStartAt, payStarts, type StartRate, startsLeft, unpaid } from '../../start-rate.ts'
import type { Store } from './store.ts'

interface RateRow {
  readonly task: number
  readonly count: number
  readonly per_ms: number
  readonly paid_until: number
}

/** A ready job, as far as rates are concerned. */
export type RatedRow = readonly [id: number, task: number, ...rest: readonly unknown[]]

/** The rates that a claim has to keep; null where no task has one. */
export class StartRates {
  readonly #store: Store
  readonly #now: number
  readonly #rates: ReadonlyMap<number, RateRow>
  readonly #left: Map<number, number>
  readonly #started = new Map<number, number>()

  private constructor(store: Store, rows: readonly RateRow[], now: number) {
    this.#store = store
    this.#now = now
    this.#rates = new Map(rows.map((row) => [row.task, row]))
    this.#left = new Map(rows.map((row) => [row.task, startsLeft(rateOf(row), row.paid_until, now)]))
  }

  static read(store: Store, now: number): StartRates | null {
    const rows = store.sql<RateRow>('SELECT task, count, per_ms, paid_until FROM jobq_start_rates').all()
    return rows.length === 0 ? null : new StartRates(store, rows, now)
  }

  /** Puts as many throttled jobs back as may start now. */
  putBack(): void {
    for (const [task, left] of this.#left) if (left > 0) putBack(this.#store, task, left)
  }

  /** Of rows in their order, those that may start; counts them. The others are moved out of the way. */
  admit<Row extends RatedRow>(rows: readonly Row[]): Row[] {
    const throttled: number[] = []
    const admitted = rows.filter(([id, task]) => {
      const left = this.#left.get(task)
      if (left === undefined) return true
      if (left === 0) {
        throttled.push(id)
        return false
      }
      this.#left.set(task, left - 1)
      this.#started.set(task, (this.#started.get(task) ?? 0) + 1)
      return true
    })
    if (throttled.length > 0) {
      this.#store
        .sql(
          `INSERT INTO jobq_throttled(task, rank, due_at, job)
           SELECT task, -priority, due_at, id FROM jobq_jobs WHERE id IN (SELECT value FROM json_each(?))`,
        )
        .run(JSON.stringify(throttled))
    }
    return admitted
  }

  /** Keeps what was counted. */
  pay(): void {
    for (const [task, starts] of this.#started) {
      const row = this.#rates.get(task) as RateRow
      const paidUntil = payStarts(rateOf(row), row.paid_until, { now: this.#now, starts })
      this.#store.sql('UPDATE jobq_start_rates SET paid_until = ? WHERE task = ?').run(paidUntil, task)
    }
  }
}

/** Sets a task's rate; null takes it away. A rate that is set again keeps count of the starts before. */
export const setStartRate = (store: Store, name: string, rate: Rate | null): void => {
  const task = store.taskId(name)
  if (rate === null) {
    store.sql('DELETE FROM jobq_start_rates WHERE task = ?').run(task)
    putBack(store, task, -1)
    return
  }
  store
    .sql(
      `INSERT INTO jobq_start_rates(task, count, per_ms, paid_until) VALUES (?, ?, ?, ?)
       ON CONFLICT(task) DO UPDATE SET count = excluded.count, per_ms = excluded.per_ms`,
    )
    .run(task, rate.count, rate.perMs, unpaid)
}

/** The rates that are set, by the name of the task. */
export const readStartRates = (store: Store): StartRate[] =>
  store
    .sql<RateRow & { readonly name: string }>(
      'SELECT t.name, r.* FROM jobq_start_rates r JOIN jobq_tasks t ON t.id = r.task ORDER BY t.name',
    )
    .all()
    .map((row) => ({ task: row.name, rate: rateOf(row), paidUntil: row.paid_until }))

/** The epoch millisecond at which a throttled job may start; infinite where none waits for that. */
export const throttledUntil = (store: Store, now: number): number => {
  const rows = store
    .sql<RateRow>('SELECT * FROM jobq_start_rates r WHERE EXISTS (SELECT 1 FROM jobq_throttled WHERE task = r.task)')
    .all()
  return Math.min(...rows.map((row) => nextStartAt(rateOf(row), row.paid_until, now)))
}

const rateOf = (row: RateRow): Rate => ({ count: row.count, perMs: row.per_ms })

const putBack = (store: Store, task: number, atMost: number): void => {
  const first = 'SELECT job FROM jobq_throttled WHERE task = ? ORDER BY rank, due_at, job LIMIT ?'
  const { changes } = store
    .sql(
      `INSERT INTO jobq_ready(queue, rank, due_at, job, last)
       SELECT queue, -priority, due_at, id, id FROM jobq_jobs WHERE id IN (${first})`,
    )
    .run(task, atMost)
  if (changes > 0) store.sql(`DELETE FROM jobq_throttled WHERE task = ? AND job IN (${first})`).run(task, task, atMost)
}
