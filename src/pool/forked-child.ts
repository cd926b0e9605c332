/**
 * A child process as its worker sees it: hands it jobs, hears their ends, and knows at every moment which jobs
 * it holds and which of them may have begun. Whatever way the process goes, each job comes back exactly once.
 */

import { randomUUID } from 'node:crypto'
import type { ChildStatus } from '../broker/broker.ts'
import { JobqError } from '../errors.ts'
import { commandTask } from '../job.ts'
import type { OutputStream } from '../output/output-path.ts'
import { OutputWriter } from '../output/output-writer.ts'
import { ChildLink } from './child-link.ts'
import { cutShort } from './cut-short.ts'
import { deathDetail } from './death-detail.ts'
import { Endings } from './endings.ts'
import { type Finished, InFlight } from './in-flight.ts'
import { BatchBuilder, batchOf } from './job-batch.ts'
import { toJobError } from './job-error.ts'
import { killTree } from './kill-tree.ts'
import { LimitWatch } from './limit-watch.ts'
import type {
  AskedCause,
  ChildExit,
  ChildProgram,
  ExitReason,
  Found,
  PoolChild,
  PoolListener,
  RunBurst,
  RunJob,
  RunLimits,
} from './pool.ts'
import { jobMarks } from './program-environment.ts'
import { ProgramWatch } from './program-watch.ts'
import type { ChildReport, ChildSettings } from './protocol.ts'
import { Pulse } from './pulse.ts'
import { residentBytes } from './resident-bytes.ts'
import type { Sentinel } from './sentinel.ts'
import { freeze, thaw } from './signal-process.ts'
import type { TaskSummary } from './task-summary.ts'
import { machineTick, newTimeCard, type Punch } from './time-card.ts'

/** What a child is started with. */
export interface ChildParts<J extends RunJob> {
  readonly program: ChildProgram
  readonly env: NodeJS.ProcessEnv
  readonly settings: ChildSettings
  readonly listener: PoolListener<J>
  readonly sentinel: Sentinel
  readonly limitsOf: ((job: J) => RunLimits | null) | null
  /** It may be given so many jobs; endless where that is not limited. */
  readonly maxJobs: number
  /** Called when it was given jobs, has ended some, or is full; null where nobody wants to know. */
  readonly changed: ((child: ForkedChild<J>) => void) | null
  /** Called once, when it has loaded the tasks. */
  readonly ready: (child: ForkedChild<J>, found: Found) => void
  /** Called once, when the process is gone and everything that it said has been heard. */
  readonly exited: (child: ForkedChild<J>, exit: Omit<ChildExit<J>, 'replacedInMs'>) => void
}

const keptErrorText = 4_096

/** One forked process of a pool. */
export class ForkedChild<J extends RunJob> implements PoolChild<J> {
  readonly pid: number
  /** Of `performance.now`. */
  readonly begunTick = performance.now()
  processed = 0
  readonly #parts: ChildParts<J>
  readonly #link: ChildLink
  readonly #program: ProgramWatch
  readonly #jobs = new InFlight<J>((burst, jobs) => this.#parts.listener.separated?.(this, burst, jobs))
  readonly #endings: Endings<J>
  readonly #card = newTimeCard()
  /** What JavaScript tasks start has this in its environment, unless they see to it. */
  readonly #mark = { JOBQ_CHILD: randomUUID() }
  readonly #limits: LimitWatch
  /** Its tasks that are programs. */
  #programs: ReadonlySet<string> = new Set([commandTask])
  /** What it starts for the running job, it starts after this moment of `machineTick`. */
  #sinceTick = machineTick()
  /** The job that it is killed for, because its time was up. */
  #overdue: (Punch & { readonly limits: RunLimits }) | null = null
  #ready = false
  #leaving = false
  #killed = false
  /** Its memory is above the limit. */
  #full = false
  #reason: ExitReason | null = null
  #lastSeq = 0
  #heardTick = 0
  #stateTick = performance.now()
  /** It may be given so many jobs. */
  #mostJobs: number
  readonly #pulse = new Pulse()
  #errorText = ''
  #lastWords: Extract<ChildReport, { type: 'leaving' }> | null = null

  constructor(parts: ChildParts<J>) {
    this.#parts = parts
    this.#mostJobs = parts.maxJobs
    this.#program = new ProgramWatch(parts.sentinel)
    this.#endings = new Endings({
      jobs: this.#jobs,
      killAfterMs: parts.settings.killAfterMs,
      warn: (seq, signal) => this.#link.send({ type: 'warn', seq, signal }),
      ask: (seq, cause) => this.#link.send({ type: 'end', seq, cause }),
      kill: () => this.kill(),
      child: () => ({ pid: this.pid, heardTick: this.#heardTick }),
    })
    this.#limits = new LimitWatch({
      current: () => this.#current(),
      holds: (seq) => this.#jobs.get(seq) !== null,
      size: () => this.#jobs.size,
      soft: (seq, { softSignal }) => this.#endings.warn(seq, softSignal),
      hard: (punch, limits) => void this.#expire(punch, limits),
    })
    this.#link = new ChildLink({
      program: parts.program,
      env: { ...parts.env, ...this.#mark },
      card: this.#card,
      hear: (report) => this.#hear(report),
      text: (stream, data) => this.#keepText(stream, data),
      exited: (code, signal) => this.#conclude(code, signal),
    })
    this.pid = this.#link.pid
    if (this.pid !== 0) parts.sentinel.add(this.pid)
    this.#link.send({ type: 'begin', settings: parts.settings })
  }

  get state(): PoolChild<J>['state'] {
    if (this.going) return 'stopping'
    if (!this.#ready) return 'starting'
    if (this.#jobs.size > 0) return 'busy'
    return this.remaining > 0 ? 'idle' : 'stopping'
  }

  /** True once it has taken up its work. */
  get wasReady(): boolean {
    return this.#ready
  }

  /** True once it was told to go. */
  get going(): boolean {
    return this.#leaving || this.#killed
  }

  get inFlight(): number {
    return this.#jobs.size
  }

  get remaining(): number {
    return this.#full ? 0 : this.#mostJobs - this.processed - this.#jobs.size
  }

  /** Lets it go on for as long again, worn as it is: nothing can take its place. */
  renew(): void {
    this.#mostJobs = this.processed + this.#jobs.size + this.#parts.maxJobs
    if (!this.#full) return
    this.#full = false
    this.#link.send({ type: 'renew' })
  }

  run(jobs: readonly (J | RunBurst<J>)[]): void {
    if (this.#jobs.size === 0) {
      this.#stateTick = performance.now()
      this.#sinceTick = machineTick(this.#stateTick)
    }
    const { limitsOf } = this.#parts
    const builder = new BatchBuilder()
    for (const job of jobs) {
      const seq = this.#lastSeq + 1
      if ('columns' in job) {
        this.#lastSeq += job.size
        this.#jobs.addBurst(seq, job)
        builder.addBatch(batchOf(job, seq))
        continue
      }
      this.#lastSeq = seq
      this.#jobs.add(seq, job)
      const limits = limitsOf === null ? null : limitsOf(job)
      if (limits !== null) this.#limits.add(seq, limits)
      // Without a card to note it on, a start must be told.
      const limited = limits !== null && this.#card !== null
      builder.add(job, seq, { limited, announce: job.recovered || (limits !== null && !limited) })
    }
    this.#link.send({ type: 'run', jobs: builder.batches })
    this.#parts.changed?.(this)
  }

  recall(): void {
    this.#link.send({ type: 'recall' })
  }

  end(id: number, cause: AskedCause): void {
    const seq = this.#jobs.seqOf(id)
    if (seq !== null) this.#endings.begin(seq, cause)
  }

  /** Ends everything that it has. */
  endAll(cause: AskedCause): void {
    for (const seq of this.#jobs.seqs) this.#endings.begin(seq, cause)
  }

  /** Looks whether it still answers; `now` is of the monotonic clock. */
  feelPulse(now: number): void {
    const finding = this.#pulse.look(now, { busy: this.#ready && this.#jobs.size > 0, heardTick: this.#heardTick })
    if (finding === 'ask') this.#link.send({ type: 'ping' })
    else if (finding === 'stuck') this.#parts.listener.stuck?.(this, this.#jobs.running?.job ?? this.#jobs.first)
  }

  /** Why it is to be replaced: it has run all the jobs that it may, or has grown too large. */
  get wornBy(): 'max-tasks' | 'max-memory' {
    return this.#full ? 'max-memory' : 'max-tasks'
  }

  /** Lets it give back what has not started, finish what runs, and go. */
  leave(reason: ExitReason): void {
    if (this.#leaving) return
    this.#leaving = true
    this.#reason ??= reason
    this.#link.send({ type: 'leave' })
  }

  /** Kills it, and all that it started for the job that it runs, at once. */
  kill(reason: ExitReason = 'killed'): void {
    this.#killed = true
    this.#reason ??= reason
    if (this.#jobs.size > 0 && this.#link.alive) this.#killTree(this.pid, this.#jobs.all)
    this.#link.kill()
    this.#program.kill()
  }

  status(): ChildStatus {
    const now = performance.now()
    const job = this.#jobs.running?.job ?? this.#jobs.first
    const { pid, state, processed, inFlight } = this
    return {
      pid,
      state,
      job: job?.id ?? null,
      task: job?.task ?? null,
      sinceMs: Math.round(now - this.#stateTick),
      stuckMs: this.#pulse.isStuck(this.#heardTick) ? Math.round(now - this.#heardTick) : null,
      rss: residentBytes(pid),
      processed,
      inFlight,
    }
  }

  // What a child writes past its own capture of stdout and stderr: from native code, or as it dies.
  #keepText(stream: OutputStream, data: Buffer): void {
    const text = data.toString('utf8')
    if (stream === 'stderr') this.#errorText = (this.#errorText + text).slice(-keptErrorText)
    const job = this.#jobs.running?.job ?? this.#jobs.first
    if (job === null) this.#parts.listener.output(this, stream, text)
    else {
      const { outputFolder, maxOutputBytes } = this.#parts.settings
      const output = new OutputWriter(outputFolder, job, maxOutputBytes)
      try {
        output.write(stream, data)
      } catch {
        // On a full disk a job loses its output; nobody could do anything about it.
      }
      output.close()
    }
  }

  #hear(report: ChildReport): void {
    this.#heardTick = performance.now()
    switch (report.type) {
      case 'finished':
        this.#finish(this.#jobs.finish(report, this.pid))
        break
      case 'started':
        this.#start(report)
        break
      case 'progress': {
        const job = this.#jobs.get(report.seq)
        if (job) this.#parts.listener.progress(this, job, report)
        break
      }
      case 'returned':
        this.#return(report.seqs)
        break
      case 'call':
        void this.#answer(report)
        break
      case 'ready':
        this.#ready = true
        this.#programs = programsOf(report.tasks)
        this.#stateTick = performance.now()
        this.#parts.ready(this, report)
        break
      case 'imported':
        this.#parts.listener.imported?.(this, report.file, report.hash)
        break
      case 'full':
        this.#full = true
        this.#parts.changed?.(this)
        break
      case 'leaving':
        this.#lastWords = report
        break
      case 'pong':
        // Being heard is all that it is for.
        break
    }
  }

  #start(report: Extract<ChildReport, { type: 'started' }>): void {
    const job = this.#jobs.start(report)
    if (!job) return
    this.#stateTick = performance.now()
    this.#sinceTick = tickOf(report.at)
    if (report.pid !== this.pid) this.#program.begin(report.pid)
    this.#parts.listener.started(this, job, report)
  }

  #finish({ single, bursts }: Finished<J>): void {
    this.processed += bursts.reduce((sum, { count }) => sum + count, single.length)
    const lastAt = Math.max(single.at(-1)?.at ?? 0, bursts.at(-1)?.at ?? 0)
    if (lastAt > 0) this.#sinceTick = tickOf(lastAt)
    this.#settle()
    if (bursts.length > 0) this.#parts.listener.succeeded?.(this, bursts)
    if (single.length > 0) this.#parts.listener.finished(this, single)
    this.#parts.changed?.(this)
  }

  #return(seqs: readonly number[]): void {
    const jobs = seqs.flatMap((seq) => this.#jobs.take(seq) ?? [])
    this.#settle()
    this.#parts.listener.returned(this, jobs)
    this.#parts.changed?.(this)
  }

  async #answer({ call, seq, request }: Extract<ChildReport, { type: 'call' }>): Promise<void> {
    const job = this.#jobs.get(seq)
    if (!job) return
    try {
      const value = await this.#parts.listener.call(this, { ...request, job })
      this.#link.send({ type: 'answer', call, value: value ?? null })
    } catch (error) {
      const { message } = toJobError(error)
      this.#link.send({ type: 'refusal', call, message, code: error instanceof JobqError ? error.code : null })
    }
  }

  /** The job that has begun last: as it noted, or where it could not, as it said. */
  #current(): Punch | null {
    if (this.#card !== null) return this.#card.read()
    const { running } = this.#jobs
    return running && { seq: running.seq, tick: tickOf(running.at) }
  }

  /** Kills it for a job whose time is up, unless that ends just now: stopped, it cannot say more than it has said. */
  async #expire(punch: Punch, limits: RunLimits): Promise<void> {
    if (!this.#link.alive) return
    freeze(this.pid)
    await this.#link.heard()
    if (!this.#link.alive) return
    if (this.#jobs.get(punch.seq) === null || this.#current()?.seq !== punch.seq) {
      thaw(this.pid)
      return
    }
    this.#overdue = { ...punch, limits }
    this.#sinceTick = punch.tick
    this.#endings.expire(punch.seq)
  }

  get #ownMarks(): readonly string[] {
    return Object.entries(this.#mark).map(([name, value]) => `${name}=${value}`)
  }

  #killTree(pid: number | null, jobs: readonly J[]): void {
    const { sentinel, settings } = this.#parts
    const marks = jobs.filter(({ task }) => this.#programs.has(task)).map((job) => jobMarks(job, settings.brokerUrl))
    const sinceTick = this.#sinceTick
    if (pid !== null) killTree({ pid, sinceTick, marks: [...marks, this.#ownMarks] }, sentinel)
    else if (marks.length > 0) killTree({ pid, sinceTick, marks }, sentinel)
  }

  // After jobs have left.
  #settle(): void {
    if (this.#jobs.running === null) this.#program.end()
    if (this.#jobs.size === 0) this.#stateTick = performance.now()
    this.#endings.settle()
  }

  #conclude(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.pid !== 0) this.#parts.sentinel.remove(this.pid)
    this.#program.kill()
    this.#program.end()
    this.#limits.stop()
    this.#card?.close()
    const overdue = this.#overdue && { running: this.#overdue.seq, startedAt: dateOf(this.#overdue.tick) }
    const jobs = this.#jobs.interrupt(this.#lastWords ?? overdue)
    const ended = jobs.flatMap((job) => {
      const cause = this.#endings.causeOf(job.seq)
      if (cause === null) return []
      const limitMs = this.#overdue?.limits.hardMs ?? 0
      return [cutShort(job, { cause, limitMs, isProgram: this.#programs.has(job.job.task), pid: this.pid })]
    })
    const others = jobs.filter(({ seq }) => this.#endings.causeOf(seq) === null)
    // Where nobody is to blame, what had not begun is as it was.
    const untouched = others.filter(({ started }) => this.#killed && started === 'no')
    const interrupted = others.filter((job) => !untouched.includes(job))
    // A program that it had started without having been able to say so.
    if (!this.#killed) {
      this.#killTree(
        null,
        others.filter(({ started }) => started !== 'no').map(({ job }) => job),
      )
    }
    this.#endings.settle()
    if (ended.length > 0) this.#parts.listener.finished(this, ended)
    if (untouched.length > 0) {
      this.#parts.listener.returned(
        this,
        untouched.map(({ job }) => job),
      )
    }
    const detail = deathDetail({
      code,
      signal,
      lastWords: this.#lastWords?.detail ?? null,
      errorText: this.#errorText,
      ready: this.#ready,
    })
    const expected = this.#killed || (this.#leaving && code === 0)
    const reason = this.#reason ?? (this.#ready ? 'died' : 'not-started')
    this.#parts.exited(this, { code, signal, expected, reason, jobs: interrupted, detail })
  }
}

const programsOf = (tasks: readonly TaskSummary[]): ReadonlySet<string> =>
  new Set([commandTask, ...tasks.filter(({ kind }) => kind === 'executable').map(({ name }) => name)])

/** Between epoch milliseconds and the machine's monotonic clock, as both stand now. */
const tickOf = (at: number): number => machineTick() - (Date.now() - at)
const dateOf = (tick: number): number => Math.round(Date.now() - (machineTick() - tick))
