/**
 * The values that a flag, an environment variable, the configuration file or a built-in default decides, in this
 * order: the global options and those of `jobq run`. Each is read by the same parser wherever it comes from, and
 * remembers its origin for `jobq config`.
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { CheckedConfig } from '../src/config.ts'
import { formatDuration, parseDuration } from '../src/duration.ts'
import { JobqError } from '../src/errors.ts'
import { checkToken, formatListenAddress, type ListenAddress, parseListenAddress } from '../src/listen-address.ts'
import { checkMetricsFile } from '../src/metrics-file.ts'
import { checkName } from '../src/name.ts'
import { quote } from '../src/quote.ts'
import { formatSize, parseSize } from '../src/size.ts'
import { parseTimeLimit } from '../src/time-limit.ts'
import { checkBounds, type PoolBounds } from '../src/worker/autoscale-rule.ts'
import { absoluteBroker, defaultBroker } from './broker-url.ts'
import type { LoadedConfig } from './config.ts'
import { listOf, named, oneOf, type Parse, wholeNumber } from './values.ts'

/** The variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Where settings are looked up, beside flags. */
export interface Sources {
  readonly environment: Environment
  /** The working directory. */
  readonly folder: string
  /** The configuration file, with its absolute path. */
  readonly config: LoadedConfig | null
}

/** A value and where it came from: `flag`, `environment`, `default`, or the path of the configuration file. */
export interface Origin<T> {
  readonly value: T
  readonly origin: string
}

/** One setting: how to read and show it. */
export interface Setting<T> {
  /** `JOBQ_…` */
  readonly variable: string
  readonly parse: Parse<T>
  readonly fromConfig: (values: CheckedConfig) => T | undefined
  readonly fallback: (sources: Sources) => T
  /** As `jobq config` prints it; default as it is. */
  readonly show?: (value: T) => unknown
}

/** Which queues a worker serves; null means all. `strict` empties them in this order, `weighted` shares. */
export interface QueueChoice {
  readonly queues: readonly { readonly name: string; readonly weight: number }[] | null
  readonly order: 'strict' | 'weighted'
}

const none = (): undefined => undefined
const flag: Parse<boolean> = (text) =>
  ['1', 'true', 'yes'].includes(oneOf('1', '0', 'true', 'false', 'yes', 'no')(text))

const queueChoice: Parse<QueueChoice> = (text) => {
  const parts = listOf((part) => {
    const [, name = part, weight] = /^(.*):(\d+)$/s.exec(part) ?? []
    return { name: checkName('queue', name), weight: weight === undefined ? null : wholeNumber(1, 1000)(weight) }
  })(text)
  const names = parts.map(({ name }) => name)
  const doubled = names.find((name, index) => names.indexOf(name) !== index)
  if (doubled !== undefined) throw new JobqError('usage', `${quote(text)} names queue ${doubled} twice`)
  const weighted = parts.some(({ weight }) => weight !== null)
  return {
    queues: parts.map(({ name, weight }) => ({ name, weight: weight ?? 1 })),
    order: weighted ? 'weighted' : 'strict',
  }
}

/** Reads `MAX,MIN`. */
export const poolBounds: Parse<PoolBounds> = (text) => {
  const [, max, min] = /^(\d{1,9}),(\d{1,9})$/.exec(text) ?? []
  if (max !== undefined) return checkBounds(Number(max), Number(min))
  throw new JobqError('usage', `${quote(text)} is not MAX,MIN, such as 8,2`)
}

const showQueues = ({ queues, order }: QueueChoice): unknown =>
  queues?.map(({ name, weight }) => (order === 'weighted' ? `${name}:${weight}` : name)) ?? 'all'

const taskPaths: Parse<readonly string[]> = (text) => {
  if (text === '' || text.includes('\0')) throw new JobqError('usage', `${quote(text)} is not a path`)
  return text
    .split(path.delimiter)
    .filter((part) => part !== '')
    .map((part) => path.resolve(part))
}

const showLimit = (limitMs: number | null): string => (limitMs === null ? 'none' : formatDuration(limitMs))

const setting = <T>(definition: Setting<T>): Setting<T> => definition

/** Every setting, by the name that `jobq config` prints. */
export const settings = {
  broker: setting<string>({
    variable: 'JOBQ_BROKER',
    parse: (text) => absoluteBroker(text, process.cwd()),
    fromConfig: ({ broker }) => broker?.join(';'),
    fallback: ({ environment }) => defaultBroker(environment),
  }),
  color: setting<'auto' | 'always' | 'never'>({
    variable: 'JOBQ_COLOR',
    parse: oneOf('auto', 'always', 'never'),
    fromConfig: none,
    fallback: () => 'auto',
  }),
  json: setting<boolean>({ variable: 'JOBQ_JSON', parse: flag, fromConfig: none, fallback: () => false }),
  quiet: setting<boolean>({ variable: 'JOBQ_QUIET', parse: flag, fromConfig: none, fallback: () => false }),
  queues: setting<QueueChoice>({
    variable: 'JOBQ_QUEUES',
    parse: queueChoice,
    fromConfig: none,
    fallback: () => ({ queues: null, order: 'strict' }),
    show: showQueues,
  }),
  concurrency: setting<number>({
    variable: 'JOBQ_CONCURRENCY',
    parse: wholeNumber(1, 1024),
    fromConfig: ({ worker }) => worker?.concurrency,
    fallback: () => os.availableParallelism(),
  }),
  autoscale: setting<PoolBounds | null>({
    variable: 'JOBQ_AUTOSCALE',
    parse: poolBounds,
    fromConfig: ({ worker }) => worker?.autoscale,
    fallback: () => null,
    show: (value) => (value === null ? 'off' : `${value.max},${value.min}`),
  }),
  autoscaleKeepalive: setting<number>({
    variable: 'JOBQ_AUTOSCALE_KEEPALIVE',
    parse: parseDuration,
    fromConfig: ({ worker }) => worker?.autoscaleKeepalive,
    fallback: () => 30_000,
    show: formatDuration,
  }),
  maxTasksPerChild: setting<number | null>({
    variable: 'JOBQ_MAX_TASKS_PER_CHILD',
    parse: wholeNumber(1),
    fromConfig: ({ worker }) => worker?.maxTasksPerChild,
    fallback: () => null,
    show: (value) => value ?? 'none',
  }),
  maxMemoryPerChild: setting<number | null>({
    variable: 'JOBQ_MAX_MEMORY_PER_CHILD',
    parse: parseSize,
    fromConfig: ({ worker }) => worker?.maxMemoryPerChild,
    fallback: () => null,
    show: (value) => (value === null ? 'none' : formatSize(value)),
  }),
  tasks: setting<readonly string[]>({
    variable: 'JOBQ_TASKS',
    parse: taskPaths,
    fromConfig: ({ tasks }) => tasks,
    fallback: ({ folder }) => [path.join(folder, 'tasks')].filter((tasks) => fs.existsSync(tasks)),
  }),
  prefetch: setting<number | null>({
    variable: 'JOBQ_PREFETCH',
    parse: wholeNumber(1, 100_000),
    fromConfig: ({ worker }) => worker?.prefetch,
    fallback: () => null,
    show: (value) => value ?? 'automatic',
  }),
  watch: setting<boolean>({
    variable: 'JOBQ_WATCH',
    parse: flag,
    fromConfig: ({ worker }) => (worker?.watch === undefined ? undefined : worker.watch !== false),
    fallback: () => false,
  }),
  drain: setting<'due' | 'all' | false>({
    variable: 'JOBQ_DRAIN',
    parse: (text) => (text === 'all' || text === 'due' ? text : drainFlag(text)),
    fromConfig: none,
    fallback: () => false,
  }),
  softTimeLimit: setting<number | null>({
    variable: 'JOBQ_SOFT_TIME_LIMIT',
    parse: parseTimeLimit,
    fromConfig: ({ worker }) => worker?.softTimeLimit,
    fallback: () => null,
    show: showLimit,
  }),
  timeLimit: setting<number | null>({
    variable: 'JOBQ_TIME_LIMIT',
    parse: parseTimeLimit,
    fromConfig: ({ worker }) => worker?.timeLimit,
    fallback: () => null,
    show: showLimit,
  }),
  killAfter: setting<number>({
    variable: 'JOBQ_KILL_AFTER',
    parse: parseDuration,
    fromConfig: none,
    fallback: () => 5_000,
    show: formatDuration,
  }),
  http: setting<ListenAddress | null>({
    variable: 'JOBQ_HTTP',
    parse: parseListenAddress,
    fromConfig: ({ http }) => http?.listen,
    fallback: () => null,
    show: (value) => (value === null ? 'off' : formatListenAddress(value)),
  }),
  httpToken: setting<string | null>({
    variable: 'JOBQ_HTTP_TOKEN',
    parse: checkToken,
    fromConfig: ({ http }) => http?.token,
    fallback: () => null,
    show: (value) => (value === null ? 'none' : 'set'),
  }),
  metricsTextfile: setting<string | null>({
    variable: 'JOBQ_METRICS_TEXTFILE',
    parse: (text) => path.resolve(checkMetricsFile(text)),
    fromConfig: ({ metrics }) => metrics?.textfile,
    fallback: () => null,
    show: (value) => value ?? 'none',
  }),
  name: setting<string>({
    variable: 'JOBQ_NAME',
    parse: (text) => checkName('worker', text),
    fromConfig: ({ worker }) => worker?.name,
    fallback: () =>
      `${
        os
          .hostname()
          .replace(/[^A-Za-z0-9._-]/g, '-')
          .slice(0, 100) || 'localhost'
      }:${process.pid}`,
  }),
  grace: setting<number>({
    variable: 'JOBQ_GRACE',
    parse: parseDuration,
    fromConfig: ({ worker }) => worker?.grace,
    fallback: () => 30_000,
    show: formatDuration,
  }),
  ui: setting<boolean>({ variable: 'JOBQ_UI', parse: flag, fromConfig: none, fallback: () => false }),
  logLevel: setting<'debug' | 'info' | 'warn' | 'error'>({
    variable: 'JOBQ_LOG_LEVEL',
    parse: oneOf('debug', 'info', 'warn', 'error'),
    fromConfig: none,
    fallback: () => 'info',
  }),
  logFormat: setting<'text' | 'json'>({
    variable: 'JOBQ_LOG_FORMAT',
    parse: oneOf('text', 'json'),
    fromConfig: none,
    fallback: () => 'text',
  }),
} as const

/** The values of a program's global options, as far as they were given. */
export interface GlobalFlags {
  readonly broker?: string
  readonly config?: string
  readonly color?: 'auto' | 'always' | 'never'
  readonly json?: boolean
  readonly quiet?: boolean
}

const drainFlag: Parse<'due' | false> = (text) => (flag(text) ? 'due' : false)

/**
 * The effective value of a setting: the flag if it was given, else the environment, the configuration, the default.
 * An empty variable counts as unset.
 * @throws JobqError `usage` naming the variable
 */
export const resolve = <T>(setting: Setting<T>, given: T | undefined, sources: Sources): Origin<T> => {
  if (given !== undefined) return { value: given, origin: 'flag' }
  const text = sources.environment[setting.variable]
  if (text !== undefined && text !== '') {
    return { value: named(setting.variable, () => setting.parse(text)), origin: 'environment' }
  }
  const configured = sources.config === null ? undefined : setting.fromConfig(sources.config.values)
  if (configured !== undefined) return { value: configured, origin: sources.config?.file ?? 'config' }
  return { value: setting.fallback(sources), origin: 'default' }
}
