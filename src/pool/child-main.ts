/**
 * A child of the pool: the program that runs jobs, started by a worker. It loads the tasks, takes jobs through
 * one pipe and reports through another. What tasks print goes into their jobs' output. It
 * leaves when told to, when the worker is gone, and when an error was not caught: nobody knows then what state
 * the tasks' modules are in, so the worker starts a fresh one.
 */

import fs from 'node:fs'
import { Socket } from 'node:net'
import path from 'node:path'
import { JobqError } from '../errors.ts'
import { commandTask } from '../job.ts'
import type { Outcome } from '../outcome.ts'
import type { OutputStream } from '../output/output-path.ts'
import { isTraced, tracedRun } from '../tracing.ts'
import { libraryFolder } from '../user-file.ts'
import { watchUserImports } from '../user-imports.ts'
import { loadCodecs, resultCoding, withKnownCodecs } from './child-codecs.ts'
import { CommandReader } from './command-pipe.ts'
import { findUnexecutable } from './discover-tasks.ts'
import { toJobError } from './job-error.ts'
import { JobWindow } from './job-window.ts'
import { type Launch, planLaunches } from './launch.ts'
import { type LoadedTasks, loadTasks } from './load-tasks.ts'
import { passedEnvironment } from './program-environment.ts'
import { type ChildSettings, type Command, commandFd, reportFd } from './protocol.ts'
import { ReportPipe } from './report-pipe.ts'
import { runCommand, runExecutable } from './run-command.ts'
import { runModule, thrownOutcome } from './run-module.ts'
import type { RunningJob } from './running-job.ts'
import { signalGroup } from './signal-process.ts'
import type { TaskProblem } from './task-summary.ts'
import { cardFd, TimeCard } from './time-card.ts'

/** How long the tasks of a child that leaves may take to undo what they set up, in milliseconds. */
const teardownMs = 5_000

process.title = 'jobq child'
// The worker decides what a signal means; a terminal and a service manager send theirs to all of its processes.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGTERM', 'SIGUSR1'] as const) process.on(signal, () => {})

const card = new TimeCard(cardFd)
const pipe = new ReportPipe(reportFd, () => process.exit(1))
let window: JobWindow | null = null
let lastWords: string | null = null

capture('stdout', process.stdout)
capture('stderr', process.stderr)
process.on('uncaughtException', (error) => goDown(error))
process.on('exit', reportExit)
const commands = new CommandReader()
new Socket({ fd: commandFd, readable: true, writable: false })
  .on('data', (data: Buffer) => {
    for (const command of commands.push(data)) obey(command)
  })
  .on('error', () => process.exit(0))
  .on('close', () => process.exit(0))

function obey(command: Command): void {
  switch (command.type) {
    case 'begin':
      void begin(command.settings)
      break
    case 'run':
      window?.add(command.jobs)
      break
    case 'recall':
      window?.recall()
      break
    case 'renew':
      window?.renew()
      break
    case 'ping':
      pipe.send({ type: 'pong' })
      break
    case 'end':
      window?.end(command.seq, command.cause)
      break
    case 'warn':
      window?.warn(command.seq, command.signal)
      break
    case 'answer':
      window?.answer(command.call, ({ resolve }) => resolve(command.value))
      break
    case 'refusal': {
      const { message, code } = command
      window?.answer(command.call, ({ reject }) =>
        reject(code === null ? new Error(message) : new JobqError(code, message)),
      )
      break
    }
    case 'leave':
      if (window) window.leave()
      else process.exit(0)
  }
}

async function begin(settings: ChildSettings): Promise<void> {
  if (settings.reportImports) {
    watchUserImports((file, hash) => pipe.send({ type: 'imported', file, hash }), libraryFolder())
  }
  const codecs = await loadCodecs(settings.codecs)
  const loaded = withKnownCodecs(await loadTasks(settings.tasks), codecs)
  const env = passedEnvironment(process.env)
  const programs = [{ name: commandTask, isProgram: true }]
  for (const [name, { run }] of loaded.tasks) programs.push({ name, isProgram: run === null })
  const launches = planLaunches(settings.processes, programs, env)
  const plain: Launch = { env, prefix: [], problem: null }
  window = new JobWindow({
    settings,
    codecs,
    codingOf: (task) => resultCoding(settings.codecs, task, loaded.tasks.get(task)?.summary),
    send: (...reports) => pipe.send(...reports),
    run: (job) => {
      const launch = launches.get(job.task) ?? plain
      return isTraced() ? tracedRun(job, () => run(job, loaded, launch)) : run(job, loaded, launch)
    },
    isProgram: (task) => task === commandTask || loaded.tasks.get(task)?.run === null,
    punch: (seq, tick) => card.punch(seq, tick),
    left: () => void depart(loaded),
  })
  const tasks = [...loaded.tasks.values()].map(({ summary }) => summary)
  pipe.send({ type: 'ready', tasks, problems: [...loaded.problems, ...launchProblems(loaded, launches)] })
}

/** Leaves, once the tasks have undone what they set up. */
async function depart({ tasks }: LoadedTasks): Promise<void> {
  setTimeout(() => {
    fs.writeSync(2, `a task's teardown has not ended within ${teardownMs / 1_000} s\n`)
    process.exit(0)
  }, teardownMs)
  for (const { summary, life } of tasks.values()) {
    try {
      await life?.end()
    } catch (error) {
      fs.writeSync(2, `the teardown of task ${summary.name} failed: ${toJobError(error).message}\n`)
    }
  }
  process.exit(0)
}

function launchProblems({ tasks }: LoadedTasks, launches: ReadonlyMap<string, Launch>): TaskProblem[] {
  return [...launches].flatMap(([name, { problem: message }]) =>
    message === null ? [] : [{ file: tasks.get(name)?.summary.file ?? 'commands', line: null, message }],
  )
}

function run(job: RunningJob, { tasks, problems }: LoadedTasks, launch: Launch): Promise<Outcome> {
  if (launch.problem !== null) {
    const error = { type: 'SpawnError', message: launch.problem }
    return Promise.resolve({ type: 'failed', final: true, error })
  }
  if (job.task === commandTask) return runCommand(job, launch)
  const task = tasks.get(job.task)
  if (task) return task.run === null ? runExecutable(job, task.summary.file, launch) : runModule(task, job)
  const idle = findUnexecutable(job.settings.tasks, job.task)
  const unloaded = problems.length === 0 ? '' : `; not loaded: ${problems.map(({ file }) => file).join(', ')}`
  const message = `this worker has no task '${job.task}'${idle === null ? '' : `: ${path.relative('', idle)} is not executable`}${unloaded}`
  return Promise.resolve({ type: 'rejected', error: { type: 'UnknownTask', message } })
}

/** What tasks print belongs to the job whose code prints it; anything else goes on to the worker. */
function capture(name: OutputStream, stream: NodeJS.WriteStream): void {
  const pass = stream.write.bind(stream)
  type Done = (error?: Error | null) => void
  function write(chunk: Uint8Array | string, encodingOrDone?: BufferEncoding | Done, afterwards?: Done): boolean {
    const [encoding, done] =
      typeof encodingOrDone === 'function' ? [undefined, encodingOrDone] : [encodingOrDone, afterwards]
    const job = window?.culprit
    if (!job) return pass(chunk, encoding, done)
    job.write(name, typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk)
    if (done) process.nextTick(done)
    return true
  }
  stream.write = write
}

/** After an error that nobody caught: it fails the job whose code it came from, and ends this process. */
function goDown(error: unknown): never {
  const { type, message, stack } = toJobError(error)
  const job = window?.current ?? null
  const itsOwn = job !== null && window?.culprit === job
  const origin = itsOwn ? `job ${job.id}` : job === null ? 'no running job' : 'another job than the running one'
  lastWords = `uncaught ${type} from ${origin}: ${message}`
  if (!itsOwn) fs.writeSync(2, `${stack ?? lastWords}\n`)
  if (job) stop(job, itsOwn ? thrownOutcome(error) : { type: 'returned', started: true })
  process.exit(1)
}

function stop(job: RunningJob, outcome: Outcome): void {
  if (job.pid !== null) signalGroup(job.pid, 'SIGKILL')
  window?.cutShort(outcome)
}

function reportExit(code: number): void {
  let job = window?.current ?? null
  // Ended by what an earlier job left behind: the running one is not to blame.
  if (job && window?.culprit !== job) {
    stop(job, { type: 'returned', started: true })
    job = null
  }
  if (job?.pid != null) signalGroup(job.pid, 'SIGKILL')
  const detail = lastWords ?? (job ? `job ${job.id} ended its process (exit code ${code})` : `exited with code ${code}`)
  const last = { type: 'leaving', running: job?.seq ?? null, startedAt: job?.startedAt ?? null, detail } as const
  if (window) window.flush(last)
  else pipe.send(last)
}
