/**
 * What `jobq run` makes of its options, the environment and the configuration file: the worker that they ask for. All of
 * it is looked up here, so that a unit for systemd can be refused for what `jobq run` would refuse.
 */
import fs from 'node:fs'
import type { CheckedConfig } from '../src/config.ts'
import { JobqError } from '../src/errors.ts'
import type { ListenAddress } from '../src/listen-address.ts'
import { quote } from '../src/quote.ts'
import { checkTimeLimits } from '../src/time-limit.ts'
import type { PoolBounds } from '../src/worker/autoscale-rule.ts'
import type { LogLevel, WorkerOptions } from '../src/worker/worker.ts'
import { messageConfig } from './message-config.ts'
import type { Session } from './session.ts'
import { type QueueChoice, resolve, type Sources, settings } from './settings.ts'
import { stepValues } from './step-options.ts'

/** The options of `jobq run`, as far as they were given. */
export interface RunFlags {
  readonly queues?: QueueChoice
  readonly concurrency?: number
  readonly autoscale?: PoolBounds
  readonly autoscaleKeepalive?: number
  readonly maxTasksPerChild?: number
  /** As Celery spells it. */
  readonly maxtasksperchild?: number
  readonly maxMemoryPerChild?: number
  readonly tasks?: readonly string[]
  readonly watch?: true
  /** As Celery spells it. */
  readonly autoreload?: true
  readonly prefetch?: number
  readonly drain?: 'due' | 'all' | false
  readonly softTimeLimit?: number
  readonly timeLimit?: number
  readonly killAfter?: number
  readonly http?: ListenAddress
  readonly metricsTextfile?: string
  readonly name?: string
  readonly grace?: number
  readonly logLevel?: LogLevel
  readonly logFormat?: 'text' | 'json'
  readonly ui?: true
  readonly color?: 'auto' | 'always' | 'never'
  /** Those of the configuration's steps. */
  readonly [option: string]: unknown
}

/** Options for a worker in which these are always said; `grace` in milliseconds. */
export type WorkerSettings = WorkerOptions & {
  readonly name: string
  readonly grace: number
  readonly logLevel: LogLevel
}

/**
 * The worker that these options, the environment and the configuration ask for.
 * @throws JobqError `usage` naming the option, or both of two that do not go together
 */
export const workerSettings = (flags: RunFlags, session: Session): WorkerSettings => {
  const { sources, broker, config } = session
  const { queues, order } = resolve(settings.queues, flags.queues, sources).value
  const prefetch = resolve(settings.prefetch, flags.prefetch, sources).value
  const tasksGiven = flags.maxTasksPerChild ?? flags.maxtasksperchild
  const maxTasksPerChild = resolve(settings.maxTasksPerChild, tasksGiven, sources).value
  const maxMemoryPerChild = resolve(settings.maxMemoryPerChild, flags.maxMemoryPerChild, sources).value
  return {
    broker: broker.value,
    tasks: taskPaths(flags, sources),
    ...poolSize(flags, sources),
    autoscaleKeepalive: resolve(settings.autoscaleKeepalive, flags.autoscaleKeepalive, sources).value,
    ...(maxTasksPerChild === null ? {} : { maxTasksPerChild }),
    ...(maxMemoryPerChild === null ? {} : { maxMemoryPerChild }),
    queues,
    order,
    ...(prefetch === null ? {} : { prefetch }),
    watch: watched(flags, sources),
    drain: resolve(settings.drain, flags.drain, sources).value,
    ...timeLimits(flags, sources),
    killAfter: resolve(settings.killAfter, flags.killAfter, sources).value,
    grace: resolve(settings.grace, flags.grace, sources).value,
    name: resolve(settings.name, flags.name, sources).value,
    logLevel: resolve(settings.logLevel, flags.logLevel, sources).value,
    stepOptions: stepValues(flags, sources),
    config: { ...messageConfig(sources), ...monitoring(flags, sources) },
    ...(config === null ? {} : { configFile: config.file }),
  }
}

/** Where the worker's figures are to be had; nothing where nobody asked. */
const monitoring = (flags: RunFlags, sources: Sources): Pick<CheckedConfig, 'http' | 'metrics'> => {
  const listen = resolve(settings.http, flags.http, sources).value
  const token = resolve(settings.httpToken, undefined, sources).value
  const textfile = resolve(settings.metricsTextfile, flags.metricsTextfile, sources).value
  const every = sources.config?.values.metrics?.every
  return {
    ...(listen === null ? {} : { http: { listen, ...(token === null ? {} : { token }) } }),
    ...(textfile === null ? {} : { metrics: { textfile, ...(every === undefined ? {} : { every }) } }),
  }
}

/** A fixed number of children, or one that follows the load: whichever was said nearest to this run. */
const poolSize = (flags: RunFlags, sources: Sources): Pick<WorkerOptions, 'concurrency' | 'autoscale'> => {
  const fixed = resolve(settings.concurrency, flags.concurrency, sources)
  const bounds = resolve(settings.autoscale, flags.autoscale, sources)
  const near = ['flag', 'environment', sources.config?.file ?? 'config', 'default']
  if (bounds.value === null || near.indexOf(fixed.origin) < near.indexOf(bounds.origin)) {
    return { concurrency: fixed.value }
  }
  if (fixed.origin !== bounds.origin) return { autoscale: [bounds.value.max, bounds.value.min] }
  const [one, other] = {
    flag: ['--autoscale', '--concurrency'],
    environment: [settings.autoscale.variable, settings.concurrency.variable],
  }[fixed.origin] ?? ['worker.autoscale', 'worker.concurrency']
  throw new JobqError('usage', `${one}: a pool follows its load or has a fixed size; give it without ${other}`)
}

/** Whether to watch, and what the configuration adds to it. */
const watched = (flags: RunFlags, sources: Sources): NonNullable<WorkerOptions['watch']> => {
  const configured = sources.config?.values.worker?.watch
  const wanted = resolve(settings.watch, flags.watch ?? flags.autoreload, sources).value
  return wanted && typeof configured === 'object' ? configured : wanted
}

const timeLimits = (flags: RunFlags, sources: Sources): Pick<WorkerOptions, 'softTimeLimit' | 'timeLimit'> => {
  const softTimeLimit = resolve(settings.softTimeLimit, flags.softTimeLimit, sources).value
  const timeLimit = resolve(settings.timeLimit, flags.timeLimit, sources).value
  checkTimeLimits({ softTimeLimit, timeLimit }, { soft: '--soft-time-limit', hard: '--time-limit' })
  return { ...(softTimeLimit === null ? {} : { softTimeLimit }), ...(timeLimit === null ? {} : { timeLimit }) }
}

/** Where its tasks are. A worker with a mistyped path would fail every job of a task as unknown, so it does not start. */
const taskPaths = (flags: RunFlags, sources: Sources): readonly string[] => {
  const { value, origin } = resolve(settings.tasks, flags.tasks, sources)
  const missing = value.find((file) => !fs.existsSync(file))
  if (missing === undefined) return value
  const place = { flag: '--tasks', environment: 'JOBQ_TASKS' }[origin] ?? `${origin}: tasks`
  throw new JobqError('usage', `${place}: there is no file or folder ${quote(missing)}`)
}
