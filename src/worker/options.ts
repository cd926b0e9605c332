/** What a worker is made with, and what that comes to once defaults are filled in. */
import os from 'node:os'
import type { Broker, QueueShare } from '../broker/broker.ts'
import { type Clock, systemClock } from '../clock.ts'
import { type CheckedConfig, type Config, checkConfig } from '../config.ts'
import { parseDuration } from '../duration.ts'
import { JobqError } from '../errors.ts'
import { checkName } from '../name.ts'
import { childProgram } from '../pool/child-program.ts'
import type { ChildProgram } from '../pool/pool.ts'
import { type LogEntry, type LogLevel, logLevels } from './log-entry.ts'

/** What `createWorker` takes. Durations are milliseconds or text (`'30s'`), sizes bytes or text. */
export interface WorkerOptions
  extends Pick<Config, 'defaults' | 'taskOptions' | 'retention' | 'maxResult' | 'maxOutput'> {
  /** A URL, a path, or an open broker, which the worker then leaves open. */
  readonly broker: string | Broker
  /** Files and folders of tasks. */
  readonly tasks?: readonly string[]
  /** Child processes; default the number of CPUs. */
  readonly concurrency?: number
  /** Queues to serve, in this order or by weight; default all. */
  readonly queues?: readonly (string | QueueShare)[] | null
  readonly order?: 'strict' | 'weighted'
  /** Jobs claimed ahead per child; default by how long jobs take. */
  readonly prefetch?: number
  /** Stop by itself: `due` once nothing is due or running, `all` once nothing is unfinished. */
  readonly drain?: 'due' | 'all' | false
  /** Between the polite and the forced end of a cancelled job; default 5 s. */
  readonly killAfter?: string | number
  /** How long a stop waits for running jobs; default 30 s. */
  readonly grace?: string | number
  /** Default `host:pid`. */
  readonly name?: string
  /** Where the output of jobs is kept; default `<file>.logs` beside a SQLite file. */
  readonly outputFolder?: string
  /** The environment that children get, without its `JOBQ_…`; default none but what Node needs. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly program?: ChildProgram
  readonly leaseMs?: number
  readonly log?: (entry: LogEntry) => void
  /** Entries below this level are not made; default `info`. */
  readonly logLevel?: LogLevel
  readonly clock?: Clock
  /** The configuration file's contents where they are checked already; stands for the keys above that it has. */
  readonly config?: CheckedConfig
}

/** Options with every default filled in. */
export interface ResolvedOptions {
  readonly broker: string | Broker
  readonly tasks: readonly string[]
  readonly concurrency: number
  readonly queues: readonly QueueShare[] | null
  readonly order: 'strict' | 'weighted'
  readonly prefetch: number | null
  readonly drain: 'due' | 'all' | false
  readonly killAfterMs: number
  readonly graceMs: number
  readonly name: string
  readonly outputFolder: string | null
  readonly env: Readonly<Record<string, string | undefined>>
  readonly program: ChildProgram
  readonly leaseMs: number
  readonly log: (entry: LogEntry) => void
  /** True where entries of this level are wanted. */
  readonly logs: (level: LogLevel) => boolean
  readonly clock: Clock
  readonly config: CheckedConfig
}

const whole = (name: string, value: number, min: number): number => {
  if (Number.isSafeInteger(value) && value >= min) return value
  throw new JobqError('usage', `${name}: ${value} is not a whole number of at least ${min}`)
}

const checkQueues = (shares: readonly QueueShare[]): void => {
  const names = shares.map(({ name }) => checkName('queue', name))
  const doubled = names.find((name, index) => names.indexOf(name) !== index)
  if (doubled !== undefined) throw new JobqError('usage', `queues: '${doubled}' is named twice`)
  const light = shares.find(({ weight }) => !(weight > 0 && weight < Number.POSITIVE_INFINITY))
  if (light !== undefined)
    throw new JobqError('usage', `queues: '${light.name}' has no weight above 0: ${light.weight}`)
}

/**
 * Checks options and fills in defaults.
 * @throws JobqError `usage` naming the option
 */
export const resolveOptions = (options: WorkerOptions): ResolvedOptions => {
  const { defaults, taskOptions, retention, maxResult, maxOutput } = options
  const given = Object.entries({ defaults, taskOptions, retention, maxResult, maxOutput })
  const level = logLevels.indexOf(options.logLevel ?? 'info')
  const shares =
    options.queues?.map((queue) => (typeof queue === 'string' ? { name: queue, weight: 1 } : queue)) ?? null
  checkQueues(shares ?? [])
  return {
    broker: options.broker,
    tasks: options.tasks ?? [],
    concurrency: whole('concurrency', options.concurrency ?? os.availableParallelism(), 1),
    queues: shares,
    order: options.order ?? 'strict',
    prefetch: options.prefetch === undefined ? null : whole('prefetch', options.prefetch, 0),
    drain: options.drain ?? false,
    killAfterMs: parseDuration(options.killAfter ?? 5_000),
    graceMs: parseDuration(options.grace ?? 30_000),
    name: options.name === undefined ? `${os.hostname()}:${process.pid}` : checkName('worker', options.name),
    outputFolder: options.outputFolder ?? null,
    env: options.env ?? {},
    program: options.program ?? childProgram(),
    leaseMs: whole('leaseMs', options.leaseMs ?? 30_000, 100),
    log: options.log ?? (() => {}),
    logs: options.log === undefined ? () => false : (wanted) => logLevels.indexOf(wanted) >= level,
    clock: options.clock ?? systemClock,
    config: options.config ?? checkConfig(Object.fromEntries(given.filter(([, value]) => value !== undefined))),
  }
}
