import type { Report } from '../broker/broker.ts'
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

  get size(): number {
    return this.#due.length
  }

  /** A job starts; one that is on record already is told again only with its process. */
  started(flight: Flight, start: { readonly at: number; readonly pid: number | null }): void {
    if (flight.started && start.pid === null) return
    flight.started = true
    const { id, token, attempt } = flight.job
    this.#due.push({ kind: 'started', id, token, attempt, ...start })
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
    this.#due.push({ kind: 'finished', id, token, attempt, at, startedAt: started, pid, transition })
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
    return due
  }

  /** Puts in front again what could not be written. */
  giveBack(reports: readonly Report[]): void {
    this.#due = [...reports, ...this.#due]
  }

  #progress(flight: Flight, at: number): void {
    const { progress, job } = flight
    if (progress === null || at - flight.progressAt < progressEveryMs) return
    flight.progress = null
    flight.progressAt = at
    this.#progressing.delete(flight)
    const { id, token, attempt } = job
    const { fraction, text } = progress
    this.#due.push({ kind: 'progress', id, token, attempt, at: progress.at, fraction, text })
  }
}
