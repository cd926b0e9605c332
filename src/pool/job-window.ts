/**
 * The jobs in a child's hands: one runs, the others wait in order. Ends are told in batches, because short jobs
 * come by the hundred thousand; whatever takes longer than a moment is told at once. A batch goes out when the
 * window is empty, after a millisecond, when it is large, before a job that may be slow, and when a job waits
 * for something. A job that is not known to be short is announced before any of its code runs.
 */

import { AsyncLocalStorage } from 'node:async_hooks'
import type { Codecs } from '../envelope/codecs.ts'
import type { Progress } from '../job.ts'
import type { Outcome } from '../outcome.ts'
import type { Coding } from '../sealing.ts'
import type { JobBatch } from './job-batch.ts'
import type { AskedCause } from './pool.ts'
import type { CallRequest, ChildReport, ChildSettings, EndTuple } from './protocol.ts'
import { plainSuccess } from './run-module.ts'
import { type JobHost, RunningJob } from './running-job.ts'
import { UntoldEnds } from './untold-ends.ts'
import { WaitingJobs } from './waiting-jobs.ts'

/** What a window works with. */
export interface WindowParts {
  readonly settings: ChildSettings
  readonly codecs: Codecs
  readonly codingOf: (task: string) => Coding
  readonly send: (...reports: readonly ChildReport[]) => void
  /** Runs one job to its end and never rejects. */
  readonly run: (job: RunningJob) => Promise<Outcome>
  /** True for tasks that are programs, whose start is told with their process. */
  readonly isProgram: (task: string) => boolean
  /** Notes the start of a job with a time limit, at a moment of `performance.now`. */
  readonly punch: (seq: number, tick: number) => void
  /** Called once there is nothing more to do after `leave`. */
  readonly left: () => void
}

const flushAfterMs = 1
const shortMs = 1
const recency = 0.2
/** How many times its usual duration a run may count for. */
const outlier = 8
/** Jobs that take less than this together cannot fill much memory. */
const measureEveryMs = 1
/** No child holds more ends than this back; the worker reckons with it when a child dies. */
export const maxUntoldEnds = 256

/** The window of one child. */
export class JobWindow implements JobHost {
  readonly settings: ChildSettings
  readonly codecs: Codecs
  readonly #parts: WindowParts
  readonly #waiting = new WaitingJobs()
  #current: RunningJob | null = null
  #working = false
  #leaving = false
  #full = false
  #measuredTick = 0
  readonly #ends = new UntoldEnds()
  /** The present batch's epoch milliseconds, and `performance.now` at the same moment. */
  #base = Date.now()
  #baseTick = performance.now()
  #armed = false
  /** Tasks' usual durations in milliseconds, recent runs counting most. */
  readonly #usualMs = new Map<string, number>()
  readonly #calls = new Map<number, PromiseWithResolvers<unknown>>()
  #lastCall = 0
  readonly #jobOfContext = new AsyncLocalStorage<RunningJob>()

  constructor(parts: WindowParts) {
    this.#parts = parts
    this.settings = parts.settings
    this.codecs = parts.codecs
  }

  codingOf(task: string): Coding {
    return this.#parts.codingOf(task)
  }

  /** The job that runs now. */
  get current(): RunningJob | null {
    return this.#current
  }

  /** The job whose code is running now, which may be one that has ended and left something behind; null outside of any. */
  get culprit(): RunningJob | null {
    return this.#jobOfContext.getStore() ?? this.#current
  }

  /** Takes jobs on, behind those that it has. */
  add(batches: readonly JobBatch[]): void {
    this.#waiting.add(batches)
    if (this.#full) this.recall()
    else if (!this.#working) void this.#work()
  }

  /** Gives back all that have not begun. */
  recall(): void {
    this.#parts.send({ type: 'returned', seqs: this.#waiting.takeAll() })
  }

  /** Takes jobs again, until the memory is measured anew. */
  renew(): void {
    this.#full = false
  }

  /** Ends one job, waiting or running; does nothing for one that is not here any more. */
  end(seq: number, cause: AskedCause): void {
    if (this.#current?.seq === seq) this.#current.end(cause)
    if (!this.#waiting.remove(seq)) return
    if (cause === 'shutdown') this.#parts.send({ type: 'returned', seqs: [seq] })
    else {
      this.#ends.addUnstarted(seq, { type: 'cancelled', reason: 'cancelled before it started' })
      this.flush()
    }
  }

  /** The soft limit of a job has passed; does nothing if it does not run any more. */
  warn(seq: number, signal: NodeJS.Signals): void {
    if (this.#current?.seq === seq) this.#current.warn(signal)
  }

  /** Answers a call of a task. */
  answer(call: number, settle: (waiting: PromiseWithResolvers<unknown>) => void): void {
    const waiting = this.#calls.get(call)
    this.#calls.delete(call)
    if (waiting) settle(waiting)
  }

  /** Finishes what runs and leaves. */
  leave(): void {
    this.#leaving = true
    this.recall()
    if (!this.#working) this.#parts.left()
  }

  /** Tells the ends that have not been told. */
  flush(...more: readonly ChildReport[]): void {
    if (this.#ends.size > 0) {
      this.#parts.send({ type: 'finished', base: this.#base, ends: this.#ends.take() }, ...more)
    } else if (more.length > 0) this.#parts.send(...more)
    this.#base = Date.now()
    this.#baseTick = performance.now()
  }

  /** Takes the running job's end from outside, because the child goes down. */
  cutShort(outcome: Outcome): void {
    const job = this.#current
    if (job) this.#finish(job, outcome, performance.now())
  }

  announce(job: RunningJob): void {
    const pid = job.pid ?? process.pid
    if (job.announcedAs === pid || job.ended) return
    job.announcedAs = pid
    this.flush({ type: 'started', seq: job.seq, at: job.startedAt, pid })
  }

  progress(job: RunningJob, { fraction, text }: Progress): void {
    this.announce(job)
    this.#parts.send({ type: 'progress', seq: job.seq, at: Date.now(), fraction, text })
  }

  call(job: RunningJob, request: CallRequest): Promise<unknown> {
    this.announce(job)
    const call = ++this.#lastCall
    const waiting = Promise.withResolvers<unknown>()
    this.#calls.set(call, waiting)
    this.#parts.send({ type: 'call', call, seq: job.seq, request })
    return waiting.promise
  }

  async #work(): Promise<void> {
    this.#working = true
    this.flush()
    for (let job = this.#take(); job !== undefined; job = this.#take()) {
      this.#current = job
      this.#jobOfContext.enterWith(job)
      job.startedTick = performance.now()
      if (job.limited) this.#parts.punch(job.seq, job.startedTick)
      if (this.#mustAnnounce(job)) this.announce(job)
      if (!this.#armed) this.#arm()
      const outcome = await this.#parts.run(job)
      const now = performance.now()
      this.#finish(job, outcome, now)
      if (this.settings.maxBytes !== null && !this.#full) this.#measure(this.settings.maxBytes, now)
      // Nothing behind an announced job may begin before its end is told, so that a death is blamed on the right one.
      if (job.announcedAs !== null || now - this.#baseTick >= flushAfterMs) {
        this.flush()
        await letMessagesIn()
      } else if (this.#ends.size >= maxUntoldEnds) this.flush()
    }
    this.flush()
    this.#working = false
    if (this.#leaving) this.#parts.left()
  }

  /** Above the limit this child begins nothing more: what waits is given back. */
  #measure(maxBytes: number, now: number): void {
    if (now - this.#measuredTick < measureEveryMs) return
    this.#measuredTick = now
    if (process.memoryUsage.rss() <= maxBytes) return
    this.#full = true
    this.flush({ type: 'full' })
    this.recall()
  }

  #take(): RunningJob | undefined {
    return this.#leaving ? undefined : this.#waiting.take(this.#begin)
  }

  readonly #begin = (batch: JobBatch, place: number): RunningJob => new RunningJob(this, batch, place)

  #mustAnnounce(job: RunningJob): boolean {
    if (job.toAnnounce) return true
    if (this.#parts.isProgram(job.task)) return false
    const usualMs = this.#usualMs.get(job.task)
    return usualMs === undefined || usualMs > shortMs
  }

  // The event loop turns only when nothing is left to run: the job, if there still is one, waits for something.
  #arm(): void {
    this.#armed = true
    setImmediate(() => {
      this.#armed = false
      const job = this.#current
      if (job === null) return
      this.flush()
      if (job.announcedAs !== null || this.#parts.isProgram(job.task)) return
      setTimeout(() => {
        if (this.#current === job) this.announce(job)
      }, shortMs)
    })
  }

  #finish(job: RunningJob, outcome: Outcome, now: number): void {
    job.finish()
    this.#current = null
    const runMs = Math.round((now - job.startedTick) * 1_000) / 1_000
    const usualMs = this.#usualMs.get(job.task) ?? runMs
    // One that stood still with the machine says little of the others.
    const tellingMs = Math.min(runMs, Math.max(shortMs, usualMs * outlier))
    this.#usualMs.set(job.task, usualMs * (1 - recency) + tellingMs * recency)
    const startedAfter = Math.round(job.startedTick - this.#baseTick)
    if (job.cause === null && outcome === plainSuccess) this.#ends.addSuccess(job.seq, startedAfter, runMs)
    else this.#ends.add(endTuple(job, [job.seq, startedAfter, runMs], outcome))
  }
}

// A cancel, a recall, more jobs. The event loop reads between two rounds of immediates, not before the first.
const letMessagesIn = async (): Promise<void> => {
  await new Promise(setImmediate)
  await new Promise(setImmediate)
}

const endTuple = (job: RunningJob, run: readonly [number, number, number], outcome: Outcome): EndTuple => {
  if (job.cause !== null) return [...run, causedOutcome(job.cause, outcome), job.pid]
  const text = outcome.type === 'succeeded' && outcome.exitCode === undefined ? outcome.result : null
  return typeof text === 'string' ? [...run, text] : [...run, outcome, job.pid]
}

// However it went: once it was told to end, that is why it ended.
const causedOutcome = (cause: AskedCause, outcome: Outcome): Outcome => {
  if (cause === 'shutdown') return { type: 'returned', started: true, cause }
  const { exitCode = null, signal = null } = { exitCode: undefined, signal: undefined, ...outcome }
  return { type: 'cancelled', reason: 'cancelled while it ran', exitCode, signal }
}
