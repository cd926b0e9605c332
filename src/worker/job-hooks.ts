/**
 * Tells the user's steps of the jobs that begin and end in this worker. What happens within one turn of the event loop
 * is told together after it, so that many short jobs cost the dispatcher no more than a push each; a worker without
 * such steps has no `JobHooks` at all.
 */
import type { ClaimedJob } from '../job.ts'
import type { Transition } from '../outcome.ts'
import type { JobEnd, JobStart } from './step-dependencies.ts'

/** One that wants to hear. */
export interface JobListener {
  readonly step: string
  onJobStart?(job: JobStart): unknown
  onJobEnd?(job: JobEnd): unknown
}

/** How a run ended, beside what it leads to. Instants are epoch milliseconds. */
export interface HookedRun {
  readonly at: number
  readonly startedAt: number | null
  readonly runMs: number | null
}

/** Listeners, and what they are still to be told. */
export class JobHooks {
  readonly #onError: (step: string, error: unknown) => void
  readonly #listeners = new Set<JobListener>()
  /** Jobs whose start was told and whose end was not, with the token of their run. */
  readonly #begun = new Map<number, number>()
  #news: ((listener: JobListener) => unknown)[] = []

  /** What a listener throws, or rejects with, is told to `onError`. */
  constructor(onError: (step: string, error: unknown) => void) {
    this.#onError = onError
  }

  /** Adds a listener; the function takes it away again, after it was told what there is to tell. */
  add(listener: JobListener): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#tell()
      this.#listeners.delete(listener)
    }
  }

  /** A run has begun. */
  started(job: ClaimedJob, at: number): void {
    if (this.#begun.get(job.id) === job.token) return
    this.#begun.set(job.id, job.token)
    const start = { id: job.id, task: job.task, queue: job.queue, attempt: job.attempt, startedAt: at }
    this.#push((listener) => listener.onJobStart?.(start))
  }

  /** A run has ended, or is over before it began. */
  ended(job: ClaimedJob, transition: Transition, { at, startedAt, runMs }: HookedRun): void {
    const { id, task, queue, attempt } = job
    const { event } = transition
    if (startedAt !== null) this.started(job, startedAt)
    this.#begun.delete(id)
    if (event === null) return
    const { error = null, exitCode = null, dueAt = null } = transition
    const end = { id, task, queue, attempt, startedAt, endedAt: at, runMs, event, error, exitCode, dueAt }
    this.#push((listener) => listener.onJobEnd?.(end))
  }

  #push(news: (listener: JobListener) => unknown): void {
    if (this.#news.push(news) === 1) setImmediate(() => this.#tell())
  }

  #tell(): void {
    const news = this.#news
    this.#news = []
    for (const tell of news) for (const listener of this.#listeners) this.#call(listener, tell)
  }

  #call(listener: JobListener, tell: (listener: JobListener) => unknown): void {
    try {
      const told = tell(listener)
      if (told instanceof Promise) told.catch((error: unknown) => this.#onError(listener.step, error))
    } catch (error) {
      this.#onError(listener.step, error)
    }
  }
}
