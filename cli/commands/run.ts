/** `jobq run`: a worker in the foreground, from its settings to its exit code. */

import fs from 'node:fs'
import path from 'node:path'
import { type Command, Option } from 'commander'
import type { CheckedConfig } from '../../src/config.ts'
import { JobqError } from '../../src/errors.ts'
import type { ListenAddress } from '../../src/listen-address.ts'
import { quote } from '../../src/quote.ts'
import { checkTimeLimits } from '../../src/time-limit.ts'
import type { PoolBounds } from '../../src/worker/autoscale-rule.ts'
import type { StepOptionValues } from '../../src/worker/define-step.ts'
import type { ServiceManager } from '../../src/worker/service-manager.ts'
import {
  createWorker,
  type LogLevel,
  type Worker,
  type WorkerEnd,
  type WorkerOptions,
} from '../../src/worker/worker.ts'
import { Exit, exitCodes } from '../exit.ts'
import { explain } from '../help.ts'
import { type Log, openLog } from '../log.ts'
import { messageConfig } from '../message-config.ts'
import { option, plainText, repeatable } from '../options.ts'
import { findServiceManager } from '../service-manager.ts'
import { openSession, type Session } from '../session.ts'
import { type QueueChoice, resolve, type Sources, settings } from '../settings.ts'
import { listen } from '../signals.ts'
import { addStepOptions, stepValues } from '../step-options.ts'

interface Flags {
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
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error'
  readonly logFormat?: 'text' | 'json'
  readonly ui?: true
  readonly color?: 'auto' | 'always' | 'never'
}

/** Adds `jobq run`. */
export const register = async (program: Command, parameters?: readonly string[]): Promise<void> => {
  const command = program
    .command('run')
    .addOption(
      option(
        '-q, --queues <list>',
        'a,b strictly in this order; a:5,b:1 by weight; default all',
        settings.queues.parse,
      ),
    )
    .addOption(
      option('-c, --concurrency <n>', 'child processes; default the number of CPUs', settings.concurrency.parse),
    )
    .addOption(
      option('--autoscale <max,min>', 'between so many children, as the load needs them', settings.autoscale.parse),
    )
    .addOption(
      option(
        '--autoscale-keepalive <duration>',
        'no shrinking sooner than this after a growth; default 30s',
        settings.autoscaleKeepalive.parse,
      ),
    )
    .addOption(
      option(
        '--max-tasks-per-child <n>',
        'replace a child after n jobs (also --maxtasksperchild)',
        settings.maxTasksPerChild.parse,
      ),
    )
    .addOption(option('--maxtasksperchild <n>', 'the same', settings.maxTasksPerChild.parse).hideHelp())
    .addOption(
      option(
        '--max-memory-per-child <size>',
        'replace a child that holds more after a job',
        settings.maxMemoryPerChild.parse,
      ),
    )
    .addOption(
      repeatable('-t, --tasks <path>', 'file or folder of tasks, repeatable; default ./tasks', (text) => [
        path.resolve(plainText(text)),
      ]),
    )
    .option('--watch', 'reload the tasks when a file that they are made of changes')
    .addOption(new Option('--autoreload', 'the same').hideHelp())
    .addOption(
      option('--prefetch <n>', 'jobs claimed ahead per child; default by how long jobs take', settings.prefetch.parse),
    )
    .addOption(
      option(
        '--drain [scope]',
        'exit once nothing is due or running; =all: once nothing is unfinished',
        settings.drain.parse,
      ).preset('due'),
    )
    .addOption(
      option(
        '--soft-time-limit <duration>',
        'jobs that have none of their own are told so long after their start that time is up',
        settings.softTimeLimit.parse,
      ),
    )
    .addOption(
      option(
        '--time-limit <duration>',
        'jobs that have none of their own are killed so long after their start',
        settings.timeLimit.parse,
      ),
    )
    .addOption(
      option(
        '--kill-after <duration>',
        'between TERM and KILL when a job is cancelled; default 5s',
        settings.killAfter.parse,
      ),
    )
    .addOption(
      option(
        '--http <address>',
        '[HOST:]PORT for /metrics, /healthz and /readyz; without HOST on loopback only',
        settings.http.parse,
      ),
    )
    .addOption(
      option(
        '--metrics-textfile <path>',
        'a .prom file of metrics for node_exporter, written every 15s',
        settings.metricsTextfile.parse,
      ),
    )
    .addOption(option('--name <name>', 'of the worker; default host:pid', settings.name.parse))
    .addOption(
      option('--grace <duration>', 'how long a stop waits for running jobs; default 30s', settings.grace.parse),
    )
    .addOption(option('--log-level <level>', 'debug, info, warn or error; default info', settings.logLevel.parse))
    .addOption(option('--log-format <format>', 'text or json; default text', settings.logFormat.parse))
    .option('--ui', 'the dashboard in the same terminal; q closes it, Ctrl-C stops the worker')
    .description('run a worker in the foreground')
    .action((flags: Flags, command: Command) => run({ ...command.optsWithGlobals(), ...flags }, command))
  explain(
    command,
    [
      ['jobq run', 'work on everything, a child process per CPU'],
      ['jobq run -c 4 -q urgent,bulk', 'bulk only when urgent is empty'],
      ['jobq run -q media:5,mail:1', 'shared five to one'],
      ['jobq run --autoscale 8,2', 'two children, up to eight while there is enough to do'],
      ['jobq run --watch', 'reload the tasks when they are saved'],
      ['jobq run --time-limit 10m', 'no job runs longer, unless it or its task says so'],
      ['jobq run --http 9464', 'metrics for Prometheus and health checks, for this machine only'],
      ['jobq run --drain', 'until nothing is left to do'],
      ['jobq run --ui', 'with the dashboard'],
    ],
    `TERM, or INT once: finish what runs, for up to --grace, then exit 0, or 1 if jobs had to go back to the queue.
INT twice, or QUIT: jobs go back to the queue at once, no attempt is lost; exit 130 or 131. HUP: reload the tasks.
USR1: dump the state to the log.
Every option has an environment variable: JOBQ_CONCURRENCY and so on.`,
  )
  if (parameters !== undefined) await addStepOptions(command, parameters)
}

const run = async (flags: Flags, command: Command): Promise<void> => {
  const session = await openSession(command)
  const { sources, output } = session
  const logLevel = resolve(settings.logLevel, flags.logLevel, sources).value
  const stderrLog = openLog(resolve(settings.logFormat, flags.logFormat, sources).value, logLevel, output)
  const dashboard = resolve(settings.ui, flags.ui, sources).value ? await dashboardOf(stderrLog, logLevel) : null
  const log: Log = dashboard ?? stderrLog
  const name = resolve(settings.name, flags.name, sources).value
  const note = (type: string, message: string): void => log.write({ level: 'info', at: Date.now(), type, message })
  const serviceManager = findServiceManager(process.env, (message) =>
    log.write({ level: 'warn', at: Date.now(), type: 'worker.notice', message }),
  )
  const stepOptions = stepValues(command.opts(), sources)
  const worker = workerOf(flags, session, { name, log, logLevel, stepOptions, serviceManager })
  const signals = listen(worker, (text) => note('worker.notice', text))
  try {
    await worker.start()
    if (!signals.stopping()) note('worker.online', `worker ${name} is online on ${session.broker.value}`)
    await dashboard?.open(session, resolve(settings.color, flags.color, sources).value)
    const end = await worker.done
    await dashboard?.close()
    note(
      'worker.offline',
      `worker ${name} has ended${end.returned === 0 ? '' : `; ${end.returned} running job${end.returned === 1 ? '' : 's'} went back to the queue`}`,
    )
    log.flush()
    finish(end, signals.code())
  } finally {
    await dashboard?.close()
    signals.stop()
    log.flush()
  }
}

const dashboardOf = async (log: Log, logLevel: LogLevel) => {
  const { RunDashboard } = await import('../run-dashboard.ts')
  return new RunDashboard(log, logLevel)
}

interface Surroundings {
  readonly name: string
  readonly log: Log
  readonly logLevel: LogLevel
  readonly serviceManager: ServiceManager | null
  readonly stepOptions: StepOptionValues
}

const workerOf = (
  flags: Flags,
  session: Session,
  { name, log, logLevel, serviceManager, stepOptions }: Surroundings,
): Worker => {
  const { sources, broker, config } = session
  const { queues, order } = resolve(settings.queues, flags.queues, sources).value
  const prefetch = resolve(settings.prefetch, flags.prefetch, sources).value
  const tasksGiven = flags.maxTasksPerChild ?? flags.maxtasksperchild
  const maxTasksPerChild = resolve(settings.maxTasksPerChild, tasksGiven, sources).value
  const maxMemoryPerChild = resolve(settings.maxMemoryPerChild, flags.maxMemoryPerChild, sources).value
  return createWorker({
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
    name,
    env: process.env,
    log: log.write,
    logLevel,
    serviceManager,
    stepOptions,
    config: { ...messageConfig(sources), ...monitoring(flags, sources) },
    ...(config === null ? {} : { configFile: config.file }),
  })
}

/** Where the worker's figures are to be had; nothing where nobody asked. */
const monitoring = (flags: Flags, sources: Sources): Pick<CheckedConfig, 'http' | 'metrics'> => {
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
const poolSize = (flags: Flags, sources: Sources): Pick<WorkerOptions, 'concurrency' | 'autoscale'> => {
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
const watched = (flags: Flags, sources: Sources): NonNullable<WorkerOptions['watch']> => {
  const configured = sources.config?.values.worker?.watch
  const wanted = resolve(settings.watch, flags.watch ?? flags.autoreload, sources).value
  return wanted && typeof configured === 'object' ? configured : wanted
}

const timeLimits = (flags: Flags, sources: Sources): Pick<WorkerOptions, 'softTimeLimit' | 'timeLimit'> => {
  const softTimeLimit = resolve(settings.softTimeLimit, flags.softTimeLimit, sources).value
  const timeLimit = resolve(settings.timeLimit, flags.timeLimit, sources).value
  checkTimeLimits({ softTimeLimit, timeLimit }, { soft: '--soft-time-limit', hard: '--time-limit' })
  return { ...(softTimeLimit === null ? {} : { softTimeLimit }), ...(timeLimit === null ? {} : { timeLimit }) }
}

/** Where its tasks are. A worker with a mistyped path would fail every job of a task as unknown, so it does not start. */
const taskPaths = (flags: Flags, sources: Sources): readonly string[] => {
  const { value, origin } = resolve(settings.tasks, flags.tasks, sources)
  const missing = value.find((file) => !fs.existsSync(file))
  if (missing === undefined) return value
  const place = { flag: '--tasks', environment: 'JOBQ_TASKS' }[origin] ?? `${origin}: tasks`
  throw new JobqError('usage', `${place}: there is no file or folder ${quote(missing)}`)
}

const finish = ({ returned, error }: WorkerEnd, code: number | null): void => {
  if (code !== null) throw new Exit(code)
  if (error instanceof JobqError) throw new Exit(exitCodes[error.code], error.message)
  if (error !== null) throw error
  if (returned > 0) throw new Exit(1)
}
