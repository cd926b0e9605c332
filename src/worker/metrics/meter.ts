/**
 * What a worker counts of its jobs, children and turns, from its start on. It is told of each end of a run while jobs come
 * by the hundred thousand, so it does no more than find its row and add to it; whoever wants to know reads it when asked.
 * Names of queues and tasks come from outside and may be any number, the rows may not: from a bound on, new ones are
 * counted together as `other`.
 */
import type { ClaimedJob } from '../../job.ts'
import type { Transition, TransitionEvent } from '../../outcome.ts'
import type { ExitReason } from '../../pool/pool.ts'
import type { HookedRun } from '../job-hooks.ts'
import { Durations } from './durations.ts'

/** The name under which all that is beyond the bound is counted. */
export const otherName = 'other'

/** Pairs of queue and task that are counted by themselves. */
const maxRows = 200

/** What a run's end did to its job, beside finishing it. */
export type Turn = 'retried' | 'snoozed' | 'recovered' | 'rejected'

/** What is counted for the jobs of one task in one queue. */
export interface MeterRow {
  readonly queue: string
  readonly task: string
  readonly finished: Record<'succeeded' | 'failed' | 'cancelled', number>
  readonly turns: Record<Turn, number>
  /** From the start to the end of each run. */
  readonly run: Durations
  /** From when each first run was due to its start. */
  readonly wait: Durations
}

/** Counts what happens in a worker. */
export class Meter {
  readonly #byQueue = new Map<string, Map<string, MeterRow>>()
  readonly #rows: MeterRow[] = []
  readonly #exits = new Map<ExitReason, number>()
  /** One transaction with the broker each: reports settled and jobs claimed. */
  readonly transactions = new Durations()
  #stale = 0

  /** What is counted by queue and task, at most `maxRows` and the one for all others. */
  get rows(): readonly MeterRow[] {
    return this.#rows
  }

  /** How many children left, by reason. */
  get exits(): ReadonlyMap<ExitReason, number> {
    return this.#exits
  }

  /** A run has ended, or is over before it began. */
  ended(job: ClaimedJob, { event, to }: Transition, { startedAt, runMs }: HookedRun): void {
    if (event === null) return
    const row = this.#byQueue.get(job.queue)?.get(job.task) ?? this.#add(job.queue, job.task)
    if (to !== 'queued') row.finished[to] += 1
    const turn = turns[event]
    if (turn !== null) row.turns[turn] += 1
    if (startedAt === null) return
    if (runMs !== null) row.run.observe(runMs)
    // What crashed has waited before: its due time tells nothing any more.
    if (job.crashes === 0) row.wait.observe(startedAt - job.dueAt)
  }

  /** Reports that came too late: the lease was lost. */
  get stale(): number {
    return this.#stale
  }

  /** A transaction with the broker has taken so many milliseconds and refused so many reports. */
  settled(durationMs: number, stale: number): void {
    this.transactions.observe(durationMs)
    this.#stale += stale
  }

  /** A child has left. */
  childLeft(reason: ExitReason): void {
    this.#exits.set(reason, (this.#exits.get(reason) ?? 0) + 1)
  }

  #add(queue: string, task: string): MeterRow {
    const full = this.#rows.length >= maxRows
    const known = full ? this.#byQueue.get(otherName)?.get(otherName) : undefined
    if (known !== undefined) return known
    const names = full ? { queue: otherName, task: otherName } : { queue, task }
    const row: MeterRow = {
      ...names,
      finished: { succeeded: 0, failed: 0, cancelled: 0 },
      turns: { retried: 0, snoozed: 0, recovered: 0, rejected: 0 },
      run: new Durations(),
      wait: new Durations(),
    }
    const tasks = this.#byQueue.get(names.queue) ?? new Map<string, MeterRow>()
    this.#byQueue.set(names.queue, tasks.set(names.task, row))
    this.#rows.push(row)
    return row
  }
}

const turns: Readonly<Record<NonNullable<TransitionEvent>, Turn | null>> = {
  'job.succeeded': null,
  'job.failed': null,
  'job.cancelled': null,
  'job.retried': 'retried',
  'job.snoozed': 'snoozed',
  'job.recovered': 'recovered',
  'job.rejected': 'rejected',
}
