/**
 * The configuration file's contents: what it may hold, and the check that turns it into plain values (milliseconds,
 * bytes). Every refusal names the place, as in `worker.grace`, and an unknown key the known one it resembles. Only what
 * this version does is known; a key that promises more is refused, never ignored.
 */

import { parseBackoff } from './backoff.ts'
import {
  at,
  duration,
  mapOf,
  name,
  object,
  oneOrMore,
  type Reader,
  refused,
  size,
  text,
  textOrNumber,
  whole,
  word,
} from './config-readers.ts'
import { type MessageSettings, messageReaders } from './envelope/message-settings.ts'
import { JobqError } from './errors.ts'
import type { TaskOptions } from './task.ts'
import { checkTimeLimits, parseSignal, parseTimeLimit, type TimeLimits } from './time-limit.ts'
import {
  type AutoscalerRule,
  type AutoscalerState,
  checkBounds,
  maxPoolSize,
  type PoolBounds,
} from './worker/autoscale-rule.ts'
import { type CameraSettings, cameraReaders } from './worker/camera-settings.ts'
import { type ConsumerSettings, consumerReaders } from './worker/consumer-settings.ts'
import { isStep, type UserStep } from './worker/define-step.ts'
import { type MonitoringSettings, monitoringReaders } from './worker/monitoring-settings.ts'

/** How commands and executables are run: their rights and limits. Sizes are text (`'512M'`) or bytes, durations text or milliseconds. */
export interface ProcessSettings {
  /** What one is sent at its soft time limit; default `SIGTERM`. */
  readonly softSignal?: string
  /** Niceness, from -20 to 19; below the worker's own only for root. */
  readonly nice?: number
  /** `idle`, `best-effort` or `realtime`, the last two with a level from 0 to 7, as in `'best-effort:7'`. */
  readonly ionice?: string
  /** A name or a numeric id; only for a worker that runs as root. */
  readonly user?: string | number
  /** Default that of the user. */
  readonly group?: string | number
  readonly rlimits?: {
    /** Address space. */
    readonly as?: string | number
    /** Processor time. */
    readonly cpu?: string | number
    /** Open files. */
    readonly nofile?: number
    /** Processes of its user. */
    readonly nproc?: number
    /** The largest file that it may write. */
    readonly fsize?: string | number
    /** The largest core dump. */
    readonly core?: string | number
  }
}

/** What a job falls back to where neither it nor its task says. */
export type TaskSettings = Omit<TaskOptions, 'name' | 'unique'> & ProcessSettings

/** What `jobq.config.ts` exports by default. Durations are text (`'5m'`) or milliseconds, sizes text (`'64k'`) or bytes. */
export interface Config extends MessageSettings, MonitoringSettings, ConsumerSettings, CameraSettings {
  /** A path or URL, or several that are tried in turn. */
  readonly broker?: string | readonly string[]
  /** Files and folders of tasks. */
  readonly tasks?: string | readonly string[]
  readonly worker?: {
    readonly concurrency?: number
    /** Instead of `concurrency`: a pool that follows its load, of at most and at least so many children. */
    readonly autoscale?: readonly [max: number, min: number]
    /** No shrinking sooner than this after a growth; default 30 s. */
    readonly autoscaleKeepalive?: string | number
    /** A child is replaced after so many jobs. */
    readonly maxTasksPerChild?: number
    /** A child whose process holds more memory than this after a job is replaced. */
    readonly maxMemoryPerChild?: string | number
    readonly prefetch?: number
    /** Reload the tasks when a file behind them changes, or one of these further files and folders. */
    readonly watch?: boolean | { readonly include?: string | readonly string[] }
    /** For jobs of all tasks that say nothing themselves. */
    readonly softTimeLimit?: string | number
    /** As `softTimeLimit`. */
    readonly timeLimit?: string | number
    readonly grace?: string | number
    readonly name?: string
  }
  /** How large a pool that follows its load should be; default a child for each job that waits or runs. */
  readonly autoscaler?: AutoscalerRule
  /** For all tasks; a task's own definition wins. */
  readonly defaults?: TaskSettings
  /** By task; wins over the task's definition. */
  readonly taskOptions?: Readonly<Record<string, TaskSettings>>
  /** Steps of one's own for the worker, as `defineStep` makes them; one with the name of a built-in step stands in its place. */
  readonly steps?: readonly UserStep[]
  /** Names of built-in steps of the worker to leave out. */
  readonly without?: string | readonly string[]
  /** How long what is finished is kept, and how much of it. */
  readonly retention?: {
    readonly succeeded?: string | number
    readonly failed?: string | number
    readonly cancelled?: string | number
    /** The results of jobs that are kept for longer; default as long as the jobs. */
    readonly results?: string | number
    readonly events?: string | number
    readonly maxEvents?: number
    readonly maxJobs?: number
  }
  /** Kept of one attempt's output; default 10M. */
  readonly maxOutput?: string | number
  /** Keys of payloads and results, and environment variables of commands, whose values are never shown. */
  readonly redact?: string | readonly string[]
}

/** Types the default export of `jobq.config.ts`; gives it back as it is. */
export const defineConfig = (config: Config): Config => config

/** A reader of objects that may hold time limits, which must go together. */
const limited =
  <T extends TimeLimits>(reader: Reader<T>): Reader<T> =>
  (value, place) =>
    checkTimeLimits(reader(value, place), { soft: `${place}.softTimeLimit`, hard: `${place}.timeLimit` })

const timeLimit: Reader<number> = (value, place) => at(place, () => parseTimeLimit(textOrNumber(value, place)))
const ioPriority: Reader<string> = (value, place) => {
  const given = text(value, place)
  if (/^(?:idle|(?:best-effort|realtime)(?::[0-7])?)$/.test(given)) return given
  throw refused(place, value, 'idle, best-effort:0..7 or realtime:0..7')
}
const account: Reader<string> = (value, place) => {
  if (typeof value === 'number') return String(whole(0, 2 ** 32 - 2)(value, place))
  const given = text(value, place)
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]*\$?$/.test(given)) return given
  throw refused(place, value, 'the name or id of an account')
}

const step: Reader<UserStep> = (value, place) => {
  if (isStep(value)) return value
  throw refused(place, value, 'a step; defineStep makes one')
}

/** What is not a number is answered as NaN. */
const autoscaler: Reader<AutoscalerRule> = (value, place) => {
  if (typeof value !== 'function') throw refused(place, value, 'a function')
  return (state: AutoscalerState) => {
    const size: unknown = Reflect.apply(value, undefined, [state])
    return typeof size === 'number' ? size : Number.NaN
  }
}

const autoscale: Reader<PoolBounds> = (value, place) => {
  if (!Array.isArray(value) || value.length !== 2) throw refused(place, value, 'a pair [max, min]')
  return at(place, () => checkBounds(value[0], value[1]))
}

const flagOrName: Reader<string | boolean> = (value, place) =>
  typeof value === 'boolean' ? value : name('key')(value, place)

const taskSettings = limited(
  object({
    queue: name('queue'),
    priority: whole(0, 9),
    retries: whole(0, 1_000_000),
    backoff: (value, place) => at(place, () => parseBackoff(text(value, place))),
    expires: duration,
    ack: word('late', 'early'),
    maxCrashes: whole(1, 1_000_000),
    serializer: name('serializer'),
    compress: name('compressor'),
    sign: flagOrName,
    softTimeLimit: timeLimit,
    timeLimit,
    softSignal: (value, place) => at(place, () => parseSignal(value)),
    nice: whole(-20, 19),
    ionice: ioPriority,
    user: account,
    group: account,
    rlimits: object({
      as: size,
      cpu: duration,
      nofile: whole(1, 2 ** 31),
      nproc: whole(0, 2 ** 31),
      fsize: size,
      core: size,
    }),
  }),
)

const watched = object({ include: oneOrMore(text) })

const config = object({
  broker: oneOrMore(text),
  tasks: oneOrMore(text),
  worker: limited(
    object({
      concurrency: whole(1, maxPoolSize),
      autoscale,
      autoscaleKeepalive: duration,
      maxTasksPerChild: whole(1, Number.MAX_SAFE_INTEGER),
      maxMemoryPerChild: size,
      prefetch: whole(1, 100_000),
      watch: (value, place) => (typeof value === 'boolean' ? value : watched(value, place)),
      softTimeLimit: timeLimit,
      timeLimit,
      grace: duration,
      name: name('worker'),
    }),
  ),
  autoscaler,
  defaults: taskSettings,
  taskOptions: mapOf('task', taskSettings),
  steps: oneOrMore(step),
  without: oneOrMore(name('step')),
  retention: object({
    succeeded: duration,
    failed: duration,
    cancelled: duration,
    results: duration,
    events: duration,
    maxEvents: whole(0, Number.MAX_SAFE_INTEGER),
    maxJobs: whole(0, Number.MAX_SAFE_INTEGER),
  }),
  ...messageReaders,
  ...monitoringReaders,
  ...consumerReaders,
  ...cameraReaders,
  maxOutput: size,
  redact: oneOrMore(text),
})

/** A `Config` that has been checked: durations are milliseconds, sizes bytes, backoffs read, lists always lists. */
export type CheckedConfig = ReturnType<typeof config>

/** `TaskSettings` that have been checked, likewise. */
export type CheckedTaskSettings = ReturnType<typeof taskSettings>

/**
 * Checks what a configuration file exports by default.
 * @throws JobqError `usage` naming the place of the first thing that is wrong
 */
export const checkConfig = (value: unknown): CheckedConfig => {
  const checked = config(value, '')
  const { concurrency, autoscale } = checked.worker ?? {}
  if (concurrency === undefined || autoscale === undefined) return checked
  throw new JobqError('usage', 'worker.autoscale: a pool has a fixed size, worker.concurrency, or follows its load')
}
