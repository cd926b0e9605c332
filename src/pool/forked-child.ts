/**
 * A child process as its worker sees it: hands it jobs, hears their ends, and knows at every moment which jobs
 * it holds and which of them may have begun. Whatever way the process goes, each job comes back exactly once.
 */
import type { ChildStatus } from '../broker/broker.ts'
import { JobqError } from '../errors.ts'
import type { Outcome } from '../outcome.ts'
import type { OutputStream } from '../output/output-path.ts'
import { OutputWriter } from '../output/output-writer.ts'
import { ChildLink } from './child-link.ts'
import { deathDetail } from './death-detail.ts'
import { Endings } from './endings.ts'
import { InFlight } from './in-flight.ts'
import { toJobError } from './job-error.ts'
import type {
  ChildExit,
  ChildProgram,
  EndCause,
  Ended,
  Found,
  Interrupted,
  PoolChild,
  PoolListener,
  RunJob,
} from './pool.ts'
import { ProgramWatch } from './program-watch.ts'
import type { ChildReport, ChildSettings } from './protocol.ts'
import { residentBytes } from './resident-bytes.ts'
import type { Sentinel } from './sentinel.ts'

/** What a child is started with. */
export interface ChildParts<J extends RunJob> {
  readonly program: ChildProgram
  readonly env: NodeJS.ProcessEnv
  readonly settings: ChildSettings
  readonly listener: PoolListener<J>
  readonly sentinel: Sentinel
  /** Called once, when it has loaded the tasks. */
  readonly ready: (child: ForkedChild<J>, found: Found) => void
  /** Called once, when the process is gone and everything that it said has been heard. */
  readonly exited: (child: ForkedChild<J>, exit: Omit<ChildExit<J>, 'replacedInMs'>) => void
}

const keptErrorText = 4_096

/** One forked process of a pool. */
export class ForkedChild<J extends RunJob> implements PoolChild<J> {
  readonly pid: number
  processed = 0
  readonly #parts: ChildParts<J>
  readonly #link: ChildLink
  readonly #program: ProgramWatch
  readonly #jobs = new InFlight<J>()
  readonly #endings: Endings<J>
  #ready = false
  #leaving = false
  #killed = false
  #lastSeq = 0
  #heardTick = 0
  #stateTick = performance.now()
  #errorText = ''
  #lastWords: Extract<ChildReport, { type: 'leaving' }> | null = null

  constructor(parts: ChildParts<J>) {
    this.#parts = parts
    this.#program = new ProgramWatch(parts.sentinel)
    this.#endings = new Endings({
      jobs: this.#jobs,
      killAfterMs: parts.settings.killAfterMs,
      ask: (seq, cause) => this.#link.send({ type: 'end', seq, cause }),
      kill: () => this.kill(),
      child: () => ({ pid: this.pid, heardTick: this.#heardTick }),
    })
    this.#link = new ChildLink({
      program: parts.program,
      env: parts.env,
      hear: (report) => this.#hear(report),
      text: (stream, data) => this.#keepText(stream, data),
      exited: (code, signal) => this.#conclude(code, signal),
    })
    this.pid = this.#link.pid
    if (this.pid !== 0) parts.sentinel.add(this.pid)
    this.#link.send({ type: 'begin', settings: parts.settings })
  }

  get state(): PoolChild<J>['state'] {
    if (this.#leaving || this.#killed) return 'stopping'
    if (!this.#ready) return 'starting'
    return this.#jobs.size > 0 ? 'busy' : 'idle'
  }

  /** True once it has taken up its work. */
  get wasReady(): boolean {
    return this.#ready
  }

  get inFlight(): number {
    return this.#jobs.size
  }

  run(jobs: readonly J[]): void {
    if (this.#jobs.size === 0) this.#stateTick = performance.now()
    const tuples = jobs.map((job) => {
      const seq = ++this.#lastSeq
      this.#jobs.add(seq, job)
      const { id, token, attempt, task, queue, createdAt, payload, recovered } = job
      return [seq, id, token, attempt, task, queue, createdAt, payload.serializer, payload.text, recovered] as const
    })
    this.#link.send({ type: 'run', jobs: tuples })
  }

  recall(): void {
    this.#link.send({ type: 'recall' })
  }

  end(id: number, cause: EndCause): void {
    const seq = this.#jobs.seqOf(id)
    if (seq !== null) this.#endings.begin(seq, cause)
  }

  /** Ends everything that it has. */
  endAll(cause: EndCause): void {
    for (const seq of this.#jobs.seqs) this.#endings.begin(seq, cause)
  }

  /** Lets it give back what has not started, finish what runs, and go. */
  leave(): void {
    if (this.#leaving) return
    this.#leaving = true
    this.#link.send({ type: 'leave' })
  }

  /** Kills it, and the program that it runs, at once. */
  kill(): void {
    this.#killed = true
    this.#link.kill()
    this.#program.kill()
  }

  status(): ChildStatus {
    const job = this.#jobs.running?.job ?? this.#jobs.first
    const sinceMs = Math.round(performance.now() - this.#stateTick)
    const { pid, state, processed } = this
    return { pid, state, job: job?.id ?? null, task: job?.task ?? null, sinceMs, rss: residentBytes(pid), processed }
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
        this.#stateTick = performance.now()
        this.#parts.ready(this, report)
        break
      case 'imported':
        this.#parts.listener.imported?.(this, report.file, report.hash)
        break
      case 'leaving':
        this.#lastWords = report
    }
  }

  #start(report: Extract<ChildReport, { type: 'started' }>): void {
    const job = this.#jobs.start(report)
    if (!job) return
    this.#stateTick = performance.now()
    if (report.pid !== this.pid) this.#program.begin(report.pid)
    this.#parts.listener.started(this, job, report)
  }

  #finish(ended: readonly Ended<J>[]): void {
    this.processed += ended.length
    this.#settle()
    if (ended.length > 0) this.#parts.listener.finished(this, ended)
  }

  #return(seqs: readonly number[]): void {
    const jobs = seqs.flatMap((seq) => this.#jobs.take(seq) ?? [])
    this.#settle()
    this.#parts.listener.returned(this, jobs)
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
    const jobs = this.#jobs.interrupt(this.#lastWords)
    const ended = jobs.flatMap((job) => {
      const cause = this.#endings.causeOf(job.seq)
      return cause === null ? [] : [cutShort(job, cause)]
    })
    const interrupted = jobs.flatMap(({ seq, job, started, startedAt }) =>
      this.#endings.causeOf(seq) === null ? [{ job, started, startedAt }] : [],
    )
    this.#endings.settle()
    if (ended.length > 0) this.#parts.listener.finished(this, ended)
    const detail = deathDetail({
      code,
      signal,
      lastWords: this.#lastWords?.detail ?? null,
      errorText: this.#errorText,
      ready: this.#ready,
    })
    const expected = this.#killed || (this.#leaving && code === 0)
    this.#parts.exited(this, { code, signal, expected, jobs: interrupted, detail })
  }
}

const cutShort = <J extends RunJob>(
  { job, started, startedAt, pid }: Interrupted<J> & { readonly pid: number | null },
  cause: EndCause,
): Ended<J> => {
  const at = Date.now()
  const ran = started !== 'no'
  const runMs = startedAt === null ? 0 : Math.max(0, at - startedAt)
  const outcome: Outcome =
    cause === 'shutdown'
      ? { type: 'returned', started: ran }
      : { type: 'cancelled', reason: ran ? 'cancelled while it ran' : 'cancelled before it started' }
  return { job, startedAt, at, runMs, pid, outcome }
}
