/**
 * One job while a child runs it: the context that its task is given, its output, and how it is ended before
 * its time. Everything that costs anything (the signal, the output files) comes into being on first use, since
 * most short jobs use none of it.
 */

import { checkTarget } from '../client/check-input.ts'
import { toItem } from '../client/enqueue-arguments.ts'
import type { Codecs } from '../envelope/codecs.ts'
import { Cancelled, JobqError, ShuttingDown, SoftTimeLimitExceeded } from '../errors.ts'
import type { Payload, Progress } from '../job.ts'
import type { JobOptions } from '../job-options.ts'
import { encodeJson } from '../json.ts'
import type { JobItem } from '../new-job.ts'
import type { OutputStream } from '../output/output-path.ts'
import { OutputWriter } from '../output/output-writer.ts'
import { isPlain } from '../plain-payload.ts'
import type { Coding } from '../sealing.ts'
import { checkProgress, type EnqueueSettings, isTaskDefinition, type JobContext, type TaskDefinition } from '../task.ts'
import { inTrace, type TraceContext } from '../trace-context.ts'
import { isTraced, tracedEnqueue } from '../tracing.ts'
import type { JobBatch } from './job-batch.ts'
import type { AskedCause } from './pool.ts'
import type { CallRequest, ChildSettings } from './protocol.ts'

/** What a running job needs of the child that it runs in. */
export interface JobHost {
  readonly settings: ChildSettings
  readonly codecs: Codecs
  /** How results of a task are written. */
  codingOf(task: string): Coding
  /** Tells the worker that the job has begun, and in which process, unless that was told already. */
  announce(job: RunningJob): void
  progress(job: RunningJob, progress: Progress): void
  call(job: RunningJob, request: CallRequest): Promise<unknown>
}

const progressEveryMs = 100

/** A job in the hands of a child, from just before its start to its end. */
export class RunningJob implements JobContext {
  readonly seq: number
  readonly id: number
  readonly token: number
  readonly attempt: number
  readonly task: string
  readonly queue: string
  readonly createdAt: number
  readonly trace: TraceContext | null
  /** Its start is to be told before any of its code runs. */
  readonly toAnnounce: boolean
  /** It has a time limit, and its start is to be noted on the time card. */
  readonly limited: boolean
  /** What is stored as its payload. */
  readonly payload: Payload
  /** Milliseconds on the clock of `performance.now`. */
  startedTick = 0
  /** The program that runs for it; null while none does, and for tasks in JavaScript. */
  pid: number | null = null
  /** The process that the worker was told of; null while it was not told of the start. */
  announcedAs: number | null = null
  ended = false
  /** Why it was asked to end; null while nobody has. */
  cause: AskedCause | null = null
  /** True once its soft time limit has passed. */
  warned = false
  /** How a program is asked to end, while one runs. */
  onEnd: ((cause: AskedCause) => void) | null = null
  /** How a program is told of its soft limit, while one runs. */
  onWarn: ((signal: NodeJS.Signals) => void) | null = null
  readonly #host: JobHost
  #abort: AbortController | null = null
  #output: OutputWriter | null = null
  #progress: { timer: NodeJS.Timeout; next: Progress | null } | null = null

  /** `place` is that of the job in its batch. */
  constructor(host: JobHost, { seq, head, ids, createdAt, texts }: JobBatch, place: number) {
    this.#host = host
    this.seq = seq + place
    this.id = ids[place] ?? 0
    this.token = head.token
    this.attempt = head.attempt
    this.task = head.task
    this.queue = head.queue
    this.createdAt = createdAt[place] ?? 0
    this.trace = head.trace
    this.toAnnounce = head.announce
    this.limited = head.limited
    const { serializer } = head
    const text = texts[place] ?? ''
    this.payload = serializer === 'json' ? { serializer, text } : { ...serializer, text }
  }

  get settings(): ChildSettings {
    return this.#host.settings
  }

  /**
   * The value of its payload.
   * @throws Rejected, and what JSON throws
   */
  readPayload(): unknown {
    return this.#host.codecs.decode(this.payload, this.settings.codecs.maxPayloadBytes)
  }

  /**
   * A result as it is to be stored: JSON text, or what says otherwise.
   * @throws JobqError `usage` for what cannot be kept or is too large
   */
  writeResult(value: unknown): string | Payload {
    const stored = this.#host.codecs.encode(value, this.#host.codingOf(this.task), this.settings.maxResultBytes)
    return isPlain(stored) ? stored.text : stored
  }

  /** True where results are plain JSON. */
  get writesPlainResults(): boolean {
    const { serializer, compress } = this.#host.codingOf(this.task)
    return serializer === undefined && compress === undefined
  }

  get shared(): Readonly<Record<string, unknown>> {
    return this.settings.shared
  }

  /** Epoch milliseconds. */
  get startedAt(): number {
    return Math.round(Date.now() - (performance.now() - this.startedTick))
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController()
    if (this.warned) this.#abort.abort(new SoftTimeLimitExceeded())
    else if (this.cause !== null) this.#abort.abort(reasonOf(this.cause))
    return this.#abort.signal
  }

  progress(fraction: number, text?: string): void {
    this.report(checkProgress(fraction, text === undefined ? undefined : String(text)))
  }

  log(line: unknown): void {
    this.write('stdout', Buffer.from(`${String(line)}\n`))
  }

  async heartbeat(): Promise<void> {
    await this.#call({ method: 'heartbeat' })
  }

  enqueue<Input, Given, Result>(
    task: TaskDefinition<Input, Given, Result>,
    payload: NoInfer<Input>,
    options?: EnqueueSettings,
  ): Promise<number>
  enqueue(task: string, payload?: unknown, options?: EnqueueSettings): Promise<number>
  enqueue(argv: readonly string[], options?: EnqueueSettings): Promise<number>
  async enqueue(target: unknown, ...rest: readonly unknown[]): Promise<number> {
    // What needs no check is asked for at once, so that a job may end right after.
    if (isTaskDefinition(target) && target.input !== undefined) await checkTarget(target, rest[0])
    const { goal, payload, said } = partsOf(toItem(target, rest))
    const options: Readonly<Record<string, unknown>> = JSON.parse(encodeJson(said))
    const written = payload === undefined ? null : this.#writePayload(payload, goal, said)
    const add = (traced: Readonly<Record<string, unknown>>): Promise<unknown> =>
      this.#call({ method: 'enqueue', target: goal, payload: written, options: traced })
    if (!isTraced()) return Number(await add(inTrace(options, this.trace)))
    const described = { ...options, ...(typeof goal === 'string' ? { task: goal } : {}) }
    return Number(
      await tracedEnqueue([described], ([traced = described]) => {
        const { task: _task, ...rest } = traced
        return add(rest)
      }),
    )
  }

  /** Serialized here, where the value is; the worker does the rest, and knows what others have published. */
  #writePayload(value: unknown, goal: string | readonly string[], { serializer }: JobOptions): Payload {
    const asked = serializer ?? (typeof goal === 'string' ? this.#host.codingOf(goal).serializer : undefined)
    const coding = asked === undefined ? {} : { serializer: asked }
    return this.#host.codecs.encode(value, coding, this.settings.codecs.maxPayloadBytes)
  }

  /** Its output, for a program to write into; made on first use. */
  get output(): OutputWriter {
    this.#output ??= this.#newOutput()
    return this.#output
  }

  /** Appends to its output, also after its end. A full disk costs a job its output, not its life. */
  write(stream: OutputStream, data: Uint8Array): void {
    const output = this.ended ? this.#newOutput() : this.output
    try {
      output.write(stream, data)
      if (this.ended) output.close()
    } catch {
      // Nobody is left to tell but the job itself, which could do nothing about it.
    }
  }

  /** Tells progress on, at once or, soon after another one, a moment later. */
  report(progress: Progress): void {
    if (this.ended) return
    if (this.#progress) {
      this.#progress.next = progress
      return
    }
    this.#host.progress(this, progress)
    const timer = setTimeout(() => this.#reportNext(), progressEveryMs)
    this.#progress = { timer, next: null }
  }

  /** Tells that a program runs for it, as the process `pid`. */
  runsAs(pid: number): void {
    this.pid = pid
    this.#host.announce(this)
  }

  /** Its soft limit has passed: it may clean up, and end as it likes. Nothing to tell one that is asked to end already. */
  warn(signal: NodeJS.Signals): void {
    if (this.warned || this.cause !== null || this.ended) return
    this.warned = true
    this.#abort?.abort(new SoftTimeLimitExceeded())
    this.onWarn?.(signal)
  }

  /** Asks it to end; the first cause wins. */
  end(cause: AskedCause): void {
    if (this.cause !== null || this.ended) return
    this.cause = cause
    this.#abort?.abort(reasonOf(cause))
    this.onEnd?.(cause)
  }

  /** It has ended: lets go of its output and tells the last of its progress. */
  finish(): void {
    if (this.#progress) this.#reportNext()
    clearTimeout(this.#progress?.timer)
    this.ended = true
    this.#output?.close()
    this.#output = null
  }

  #reportNext(): void {
    const next = this.#progress?.next ?? null
    this.#progress = null
    if (next) this.report(next)
  }

  async #call(request: CallRequest): Promise<unknown> {
    if (this.ended) throw new JobqError('conflict', `job ${this.id} has ended`)
    if (this.cause !== null) throw reasonOf(this.cause)
    const { signal } = this
    // A soft limit ends the calls that wait; those that come after it belong to the cleaning up.
    if (signal.aborted) return this.#host.call(this, request)
    const aborted = Promise.withResolvers<never>()
    const abort = () => aborted.reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    try {
      return await Promise.race([this.#host.call(this, request), aborted.promise])
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  #newOutput(): OutputWriter {
    return new OutputWriter(this.settings.outputFolder, this, this.settings.maxOutputBytes)
  }
}

const reasonOf = (cause: AskedCause): Error => (cause === 'cancelled' ? new Cancelled() : new ShuttingDown())

const partsOf = (
  item: JobItem,
): { readonly goal: string | readonly string[]; readonly payload: unknown; readonly said: JobOptions } => {
  if ('argv' in item) {
    const { argv: goal, ...said } = item
    return { goal, payload: undefined, said }
  }
  if ('task' in item) {
    const { task: goal, payload, ...said } = item
    return { goal, payload, said }
  }
  throw new JobqError('usage', 'enqueue needs a task or the words of a command')
}
