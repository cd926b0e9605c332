import type { Report, Succeeded } from '../broker/broker.ts'
import type { Progress } from '../job.ts'
import type { Transition } from '../outcome.ts'
import type { Flight } from './flight.ts'

/** Between two progress events of one job, in milliseconds. */
const progressEveryMs = 200

/** How a run ended, as it is reported. Instants are epoch milliseconds. */
export interface RunEnded {
  readonly at: number
  /** Null where it never ran. */
  readonly startedAt: number | null
  readonly pid: number | null
  readonly transition: Transition
}

/** What is to be written of the jobs in hand, in its order, until a transaction takes it. */
export class Reports {
  readonly #progressing = new Set<Flight>()
  #due: Report[] = []
  #size = 0

  /** So many jobs have something to be written. */
  get size(): number {
    return this.#size
  }

  /** A job starts; one that is on record already is told again only with its process. */
  started(flight: Flight, start: { readonly at: number; readonly pid: number | null }): void {
    if (flight.started && start.pid === null) return
    flight.started = true
    const { id, token, attempt } = flight.job
    this.#add({ kind: 'started', id, token, attempt, ...start })
  }

  /** A job says how far it is; that is written now and then. */
  progressed(flight: Flight, progress: Progress & { readonly at: number }): void {
    flight.progress = progress
    this.#progressing.add(flight)
  }

  /** A job has ended; what it said last is written before. */
  ended(flight: Flight, { at, startedAt, pid, transition }: RunEnded): void {
    if (flight.progress !== null) this.#progress(flight, Number.POSITIVE_INFINITY)
    const { id, token, attempt } = flight.job
    const started = startedAt ?? (flight.started ? at : null)
    this.#add({ kind: 'finished', id, token, attempt, at, startedAt: started, pid, transition })
  }

  /** Jobs of a burst have succeeded. */
  succeeded(report: Omit<Succeeded, 'kind'>): void {
    this.#add({ kind: 'succeeded', ...report })
  }

  /** Nothing more is to be written of a job. */
  forget(flight: Flight): void {
    this.#progressing.delete(flight)
  }

  /** Gives what is due at this instant. */
  take(at: number): Report[] {
    for (const flight of this.#progressing) this.#progress(flight, at)
    const due = this.#due
    this.#due = []
    this.#size = 0
    return due
  }

  /** Puts in front again what could not be written. */
  giveBack(reports: readonly Report[]): void {
    this.#due = [...reports, ...this.#due]
    for (const report of reports) this.#size += jobsOf(report)
  }

  #add(report: Report): void {
    this.#due.push(report)
    this.#size += jobsOf(report)
  }

  #progress(flight: Flight, at: number): void {
    const { progress, job } = flight
    if (progress === null || at - flight.progressAt < progressEveryMs) return
    flight.progress = null
    flight.progressAt = at
    this.#progressing.delete(flight)
    const { id, token, attempt } = job
    const { fraction, text } = progress
    this.#add({ kind: 'progress', id, token, attempt, at: progress.at, fraction, text })
  }
}

const jobsOf = (report: Report): number => (report.kind === 'succeeded' ? report.ids.length : 1)
