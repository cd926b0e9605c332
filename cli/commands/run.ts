/** `jobq run`: a worker in the foreground, from its settings to its exit code. */

import path from 'node:path'
import { type Command, Option } from 'commander'
import { JobqError } from '../../src/errors.ts'
import { createWorker, type LogLevel, type WorkerEnd } from '../../src/worker/worker.ts'
import { Exit, exitCodes } from '../exit.ts'
import { explain } from '../help.ts'
import { type Log, openLog } from '../log.ts'
import { option, plainText, repeatable } from '../options.ts'
import { findServiceManager } from '../service-manager.ts'
import { openSession } from '../session.ts'
import { resolve, settings } from '../settings.ts'
import { listen } from '../signals.ts'
import { addStepOptions } from '../step-options.ts'
import { type RunFlags, workerSettings } from '../worker-settings.ts'

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
    .action((_flags: unknown, command: Command) => run(command))
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

const run = async (command: Command): Promise<void> => {
  const flags: RunFlags = command.optsWithGlobals()
  const session = await openSession(command)
  const { sources, output } = session
  const wanted = workerSettings(flags, session)
  const { name, logLevel } = wanted
  const stderrLog = openLog(resolve(settings.logFormat, flags.logFormat, sources).value, logLevel, output)
  const dashboard = resolve(settings.ui, flags.ui, sources).value ? await dashboardOf(stderrLog, logLevel) : null
  const log: Log = dashboard ?? stderrLog
  const note = (type: string, message: string): void => log.write({ level: 'info', at: Date.now(), type, message })
  const serviceManager = findServiceManager(process.env, (message) =>
    log.write({ level: 'warn', at: Date.now(), type: 'worker.notice', message }),
  )
  const worker = createWorker({ ...wanted, env: process.env, log: log.write, serviceManager })
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

const finish = ({ returned, error }: WorkerEnd, code: number | null): void => {
  if (code !== null) throw new Exit(code)
  if (error instanceof JobqError) throw new Exit(exitCodes[error.code], error.message)
  if (error !== null) throw error
  if (returned > 0) throw new Exit(1)
}
