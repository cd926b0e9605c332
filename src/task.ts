/**
 * What a task is: `defineTask` for the people who write one, and the types that carry its payload from the
 * definition to whoever enqueues it. A definition is told by its brand, not by `instanceof`, because a task
 * may have been made by another copy of the library than the one that runs it.
 */
import type { Progress } from './job.ts'
import type { TraceContext } from './trace-context.ts'

/** Any validator that follows Standard Schema (https://standardschema.dev), version 1. */
export interface PayloadSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

/** What a validator answers: the value to go on with, or what is wrong with it. */
export type SchemaResult<Output> = { readonly value: Output; readonly issues?: undefined } | SchemaFailure

/** What is wrong with a payload, each issue with the path to its place. */
export interface SchemaFailure {
  readonly issues: readonly {
    readonly message: string
    readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
  }[]
}

/** What a job's own enqueueing takes beside target and payload: the options of `Queue.enqueue`. */
export type EnqueueSettings = Readonly<Record<string, unknown>>

/** What a task is told about the job that it runs, and what it can do meanwhile. */
export interface JobContext {
  readonly id: number
  /** 1 for the first run; a run that was cut without its fault keeps the number. */
  readonly attempt: number
  readonly queue: string
  readonly task: string
  /** Epoch milliseconds. */
  readonly createdAt: number
  /** The trace that the job belongs to, to hand on to others; null where it belongs to none. */
  readonly trace: TraceContext | null
  /** What the worker's own steps share with tasks, by the name of their component; the same for all jobs of one process. */
  readonly shared: Readonly<Record<string, unknown>>
  /** Aborts when the job shall end before its time; the reason is a `SoftTimeLimitExceeded`, a `Cancelled` or a `ShuttingDown`. */
  readonly signal: AbortSignal
  /**
   * Says how far the job is, from 0 to 1; told on at most ten times a second.
   * @throws RangeError for a fraction outside of that
   */
  progress(fraction: number, text?: string): void
  /** Writes a line into the job's output. */
  log(line: unknown): void
  /** Renews the job's lease now and resolves when that is done; rejects when the lease was lost. Not needed in general: the worker renews leases by itself. */
  heartbeat(): Promise<void>
  /** Adds a job, its payload checked by the definition's `input`, and resolves to its id. */
  enqueue<Input, Payload, Result>(
    task: TaskDefinition<Input, Payload, Result>,
    payload: NoInfer<Input>,
    options?: EnqueueSettings,
  ): Promise<number>
  /** Adds a job and resolves to its id. */
  enqueue(task: string, payload?: unknown, options?: EnqueueSettings): Promise<number>
  /** Adds a command and resolves to its id. */
  enqueue(argv: readonly string[], options?: EnqueueSettings): Promise<number>
}

/** How jobs of a task are treated where they do not say it themselves. Durations are text (`'5m'`) or milliseconds. */
export interface TaskOptions<Payload = unknown> {
  /** Instead of the name that the file's path gives. */
  readonly name?: string
  readonly queue?: string
  /** 0 to 9, higher runs sooner. */
  readonly priority?: number
  /** Attempts after the first. */
  readonly retries?: number
  /** As in `'exponential:2s..10m'`. */
  readonly backoff?: string
  /** Not started this long after it was added: cancelled. */
  readonly expires?: string | number
  /** `early`: at most once; a run that was cut is not repeated. */
  readonly ack?: 'late' | 'early'
  /** `job.signal` aborts after a job has run this long: time to clean up. */
  readonly softTimeLimit?: string | number
  /** A job that has run this long is killed with its process. */
  readonly timeLimit?: string | number
  /** How often its process may die under one job before that job is given up; default 3. */
  readonly maxCrashes?: number
  /** How payloads and results are written: `json` (default), `msgpack`, `yaml`, `v8` or one of the configuration's. */
  readonly serializer?: string
  /** How payloads and results of 1 KiB and more are compressed: `gzip`, `zlib`, `bzip2`, `zstd`, `brotli`, `none` or one of the configuration's. */
  readonly compress?: string
  /** Sign payloads with this key, or with the configuration's `keys.sign`. */
  readonly sign?: boolean | string
  /** At most one unfinished job per key; asked by whoever enqueues through the definition. */
  unique?(payload: Payload): string
}

/** What a task does once in each child process that runs it. */
export interface TaskLifecycle {
  /** Called in each child process before its first job of this task. What it throws fails that job; the next one tries again. */
  setup?(child: Pick<JobContext, 'shared'>): unknown
  /** Called once when a child process in which `setup` was done leaves, be it at a stop or for another one; not when it is killed or dies. At most 5 s are waited for it. */
  teardown?(): unknown
}

/** What a task's code is: its end is the job's end, what it returns the job's result. */
export type RunTask<Payload, Result> = (payload: Payload, job: JobContext) => Result | Promise<Result>

const brand = Symbol.for('jobq.task')

/** A task as `defineTask` makes it. `Input` is what may be enqueued, `Payload` what `run` gets, `Result` what it gives. */
export interface TaskDefinition<Input = unknown, Payload = Input, Result = unknown>
  extends TaskOptions<Input>,
    TaskLifecycle {
  readonly [brand]: true
  readonly input?: PayloadSchema<Input, Payload>
  readonly run: RunTask<Payload, Result>
}

/** Defines the task of a file whose payload is checked by `input` and typed by it. */
export function defineTask<Input, Payload, Result>(
  definition: TaskOptions<Input> &
    TaskLifecycle & {
      readonly input: PayloadSchema<Input, Payload>
      readonly run: RunTask<NoInfer<Payload>, Result>
    },
): TaskDefinition<Input, Payload, Result>
/** Defines the task of a file; its payload is not checked before it runs. */
export function defineTask<Payload, Result>(
  definition: TaskOptions<Payload> & TaskLifecycle & { readonly run: RunTask<Payload, Result> },
): TaskDefinition<Payload, Payload, Result>
export function defineTask(
  definition: TaskOptions & TaskLifecycle & { readonly run: RunTask<never, unknown> },
): object {
  return { ...definition, [brand]: true }
}

/** True for what `defineTask` of any copy of the library has made. */
export const isTaskDefinition = (value: unknown): value is TaskDefinition =>
  typeof value === 'object' && value !== null && Reflect.get(value, brand) === true

/** What a progress report says, checked. */
export const checkProgress = (fraction: number, text?: string): Progress => {
  if (typeof fraction === 'number' && fraction >= 0 && fraction <= 1) return { fraction, text: text ?? null }
  throw new RangeError(`progress goes from 0 to 1, not ${String(fraction)}`)
}
