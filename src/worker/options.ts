/** What a worker is made with, and what that comes to once defaults are filled in. */

import os from 'node:os'
import type { Broker, QueueShare } from '../broker/broker.ts'
import { type Clock, systemClock } from '../clock.ts'
import { type CheckedConfig, type Config, checkConfig } from '../config.ts'
import { parseDuration } from '../duration.ts'
import { messagesBy } from '../envelope/message-settings.ts'
import type { Messages } from '../envelope/messages.ts'
import { JobqError } from '../errors.ts'
import { checkName } from '../name.ts'
import { childProgram } from '../pool/child-program.ts'
import type { ChildProgram } from '../pool/pool.ts'
import { parseSize } from '../size.ts'
import { checkTimeLimits, parseTimeLimit } from '../time-limit.ts'
import { checkBounds, type PoolBounds } from './autoscale-rule.ts'
import { checkCodings } from './codings.ts'
import type { StepOptionValues } from './define-step.ts'
import { type LogEntry, type LogLevel, logLevels } from './log-entry.ts'
import type { ServiceManager } from './service-manager.ts'

/** What a worker takes as the configuration file has it. */
const configKeys = [
  'autoscaler',
  'defaults',
  'taskOptions',
  'retention',
  'steps',
  'consumers',
  'cameras',
  'without',
  'serializers',
  'compressors',
  'accept',
  'require',
  'http',
  'metrics',
  'keys',
  'encrypt',
  'maxPayload',
  'maxResult',
  'maxOutput',
] as const

/** What `createWorker` takes. Durations are milliseconds or text (`'30s'`), sizes bytes or text. */
export interface WorkerOptions extends Pick<Config, (typeof configKeys)[number]> {
  /** A URL, a path, or an open broker, which the worker then leaves open. */
  readonly broker: string | Broker
  /** Files and folders of tasks. */
  readonly tasks?: readonly string[]
  /** Child processes; default the number of CPUs. */
  readonly concurrency?: number
  /** Instead of `concurrency`: a pool that follows its load, of at most and at least so many children. */
  readonly autoscale?: readonly [max: number, min: number]
  /** No shrinking sooner than this after a growth; default 30 s. */
  readonly autoscaleKeepalive?: string | number
  /** A child is replaced after so many jobs; default never. */
  readonly maxTasksPerChild?: number
  /** A child whose process holds more memory than this after a job is replaced; default never. */
  readonly maxMemoryPerChild?: string | number
  /** Queues to serve, in this order or by weight; default all. */
  readonly queues?: readonly (string | QueueShare)[] | null
  readonly order?: 'strict' | 'weighted'
  /** Jobs claimed ahead per child; default by how long jobs take. */
  readonly prefetch?: number
  /** Reload the tasks when a file behind them changes, or one of these further files and folders; default false. */
  readonly watch?: boolean | { readonly include?: readonly string[] }
  /** Stop by itself: `due` once nothing is due or running, `all` once nothing is unfinished. */
  readonly drain?: 'due' | 'all' | false
  /** Between the polite and the forced end of a cancelled job; default 5 s. */
  readonly killAfter?: string | number
  /** After running this long a job is asked to end, where neither it nor its task says; default none. */
  readonly softTimeLimit?: string | number
  /** After running this long a job is killed, where neither it nor its task says; default none. */
  readonly timeLimit?: string | number
  /** How long a stop waits for running jobs; default 30 s. */
  readonly grace?: string | number
  /** Default `host:pid`. */
  readonly name?: string
  /** Where the output of jobs is kept; default `<file>.logs` beside a SQLite file. */
  readonly outputFolder?: string
  /** The environment that children get, without its `JOBQ_…`; default none but what Node needs. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly program?: ChildProgram
  /** Values of the options of `steps`, by the step's name and the option's key. */
  readonly stepOptions?: StepOptionValues
  readonly leaseMs?: number
  readonly log?: (entry: LogEntry) => void
  /** Entries below this level are not made; default `info`. */
  readonly logLevel?: LogLevel
  readonly clock?: Clock
  /** Who is to be told how the worker is; default nobody. */
  readonly serviceManager?: ServiceManager | null
  /** The configuration file, if there is one: children read the user's own serializers and compressors from it. */
  readonly configFile?: string
  /** The configuration file's contents where they are checked already; stands for the keys above that it has. */
  readonly config?: CheckedConfig
}

/** Options with every default filled in. */
export interface ResolvedOptions {
  readonly broker: string | Broker
  readonly tasks: readonly string[]
  /** Children at the start. */
  readonly concurrency: number
  /** Null for a pool of fixed size. */
  readonly autoscale: PoolBounds | null
  readonly autoscaleKeepaliveMs: number
  readonly maxTasksPerChild: number | null
  readonly maxMemoryPerChild: number | null
  readonly queues: readonly QueueShare[] | null
  readonly order: 'strict' | 'weighted'
  readonly prefetch: number | null
  /** What to watch beside the tasks and what they import; null where nothing is watched. */
  readonly watch: readonly string[] | null
  readonly drain: 'due' | 'all' | false
  readonly killAfterMs: number
  readonly softTimeLimitMs: number | null
  readonly timeLimitMs: number | null
  readonly graceMs: number
  readonly name: string
  readonly outputFolder: string | null
  readonly env: Readonly<Record<string, string | undefined>>
  readonly program: ChildProgram
  readonly stepOptions: StepOptionValues
  readonly leaseMs: number
  readonly log: (entry: LogEntry) => void
  /** True where entries of this level are wanted. */
  readonly logs: (level: LogLevel) => boolean
  readonly clock: Clock
  readonly serviceManager: ServiceManager | null
  readonly config: CheckedConfig
  readonly configFile: string | null
  readonly messages: Messages
}

const whole = (name: string, value: number, min: number): number => {
  if (Number.isSafeInteger(value) && value >= min) return value
  throw new JobqError('usage', `${name}: ${value} is not a whole number of at least ${min}`)
}

const boundsOf = ({ autoscale, concurrency }: WorkerOptions): PoolBounds | null => {
  if (autoscale === undefined) return null
  if (concurrency === undefined) return checkBounds(...autoscale)
  throw new JobqError('usage', 'autoscale: a pool has a fixed size, concurrency, or follows its load')
}

const timeLimit = (name: string, value: string | number | undefined): number | null => {
  try {
    return value === undefined ? null : parseTimeLimit(value)
  } catch (error) {
    if (!(error instanceof JobqError)) throw error
    throw new JobqError(error.code, `${name}: ${error.message}`, { cause: error })
  }
}

const checkQueues = (shares: readonly QueueShare[]): void => {
  const names = shares.map(({ name }) => checkName('queue', name))
  const doubled = names.find((name, index) => names.indexOf(name) !== index)
  if (doubled !== undefined) throw new JobqError('usage', `queues: '${doubled}' is named twice`)
  const light = shares.find(({ weight }) => !(weight > 0 && weight < Number.POSITIVE_INFINITY))
  if (light !== undefined)
    throw new JobqError('usage', `queues: '${light.name}' has no weight above 0: ${light.weight}`)
}

const watchedBeside = (watch: boolean | { readonly include?: readonly string[] }): readonly string[] | null =>
  typeof watch === 'object' ? (watch.include ?? []) : watch ? [] : null

/**
 * Checks options and fills in defaults.
 * @throws JobqError `usage` naming the option
 */
export const resolveOptions = (options: WorkerOptions): ResolvedOptions => {
  const given = configKeys.map((key) => [key, options[key]] as const)
  const config = options.config ?? checkConfig(Object.fromEntries(given.filter(([, value]) => value !== undefined)))
  const clock = options.clock ?? systemClock
  const { maxTasksPerChild, maxMemoryPerChild } = options
  const autoscale = boundsOf(options)
  const level = logLevels.indexOf(options.logLevel ?? 'info')
  const shares =
    options.queues?.map((queue) => (typeof queue === 'string' ? { name: queue, weight: 1 } : queue)) ?? null
  checkQueues(shares ?? [])
  const softTimeLimitMs = timeLimit('softTimeLimit', options.softTimeLimit)
  const timeLimitMs = timeLimit('timeLimit', options.timeLimit)
  checkTimeLimits({ softTimeLimit: softTimeLimitMs, timeLimit: timeLimitMs })
  const messages = messagesBy(config, clock)
  checkCodings(config, messages.codecs)
  return {
    broker: options.broker,
    tasks: options.tasks ?? [],
    concurrency: autoscale?.min ?? whole('concurrency', options.concurrency ?? os.availableParallelism(), 1),
    autoscale,
    autoscaleKeepaliveMs: parseDuration(options.autoscaleKeepalive ?? 30_000),
    maxTasksPerChild: maxTasksPerChild === undefined ? null : whole('maxTasksPerChild', maxTasksPerChild, 1),
    maxMemoryPerChild: maxMemoryPerChild === undefined ? null : parseSize(maxMemoryPerChild),
    queues: shares,
    order: options.order ?? 'strict',
    prefetch: options.prefetch === undefined ? null : whole('prefetch', options.prefetch, 0),
    watch: watchedBeside(options.watch ?? false),
    drain: options.drain ?? false,
    killAfterMs: parseDuration(options.killAfter ?? 5_000),
    softTimeLimitMs,
    timeLimitMs,
    graceMs: parseDuration(options.grace ?? 30_000),
    name: options.name === undefined ? `${os.hostname()}:${process.pid}` : checkName('worker', options.name),
    outputFolder: options.outputFolder ?? null,
    env: options.env ?? {},
    program: options.program ?? childProgram(),
    stepOptions: options.stepOptions ?? {},
    leaseMs: whole('leaseMs', options.leaseMs ?? 30_000, 100),
    log: options.log ?? (() => {}),
    logs: options.log === undefined ? () => false : (wanted) => logLevels.indexOf(wanted) >= level,
    clock,
    serviceManager: options.serviceManager ?? null,
    config,
    configFile: options.configFile ?? null,
    messages,
  }
}
