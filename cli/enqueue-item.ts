/**
 * From what was said on the command line to what the library's `newJob` takes: what goes together and what does not, in
 * one place for the full command, the short way and batches.
 */
import { JobqError } from '../src/errors.ts'
import type { CommandOptions, JobOptions } from '../src/job-options.ts'
import type { CommandItem, TaskItem } from '../src/new-job.ts'
import { checkTimeLimits } from '../src/time-limit.ts'
import { traceContext } from '../src/trace-context.ts'
import type { JobOptionValues, Pair } from './enqueue-options.ts'
import { readInput } from './payload.ts'
import { named } from './values.ts'

/** What is to be added: a task with its payload (undefined for none), or a command. */
export type Target = { readonly task: string; readonly payload: unknown } | { readonly argv: readonly string[] }

/** One job, in the library's terms. */
export type EnqueueItem = TaskItem | CommandItem

/**
 * Puts a job together.
 * @throws JobqError `usage` for options that do not go together
 */
export const enqueueItem = (target: Target, values: JobOptionValues): EnqueueItem => {
  const { cwd, env, stdin, delay, at, onConflict, unique } = values
  if (delay !== undefined && at !== undefined) throw new JobqError('usage', '--at: not together with --delay')
  if (onConflict !== undefined && unique === undefined) {
    throw new JobqError('usage', '--on-conflict: only with --unique')
  }
  checkTimeLimits(values, { soft: '--soft-time-limit', hard: '--time-limit' })
  if ('argv' in target) return { ...commandOptions(values), argv: target.argv }
  for (const [option, value] of Object.entries({ cwd, env, stdin })) {
    if (value !== undefined) throw new JobqError('usage', `--${option}: only for commands, not for task ${target.task}`)
  }
  return {
    ...taskOptions(values),
    task: target.task,
    ...(target.payload === undefined ? {} : { payload: target.payload }),
  }
}

/** The options of a task's job in the library's terms; what only commands have is left out. */
export const taskOptions = (values: JobOptionValues): JobOptions => {
  const { tag, meta, env: _env, cwd: _cwd, stdin: _stdin, ...plain } = values
  return {
    ...plain,
    ...(tag === undefined ? {} : { tags: tag }),
    ...withTrace(meta === undefined ? null : Object.fromEntries(meta)),
  }
}

/** A command that runs in a trace, such as a job's own, hands it on. */
const withTrace = (meta: Readonly<Record<string, string>> | null): Pick<JobOptions, 'meta'> => {
  const trace = traceContext(process.env.TRACEPARENT, process.env.TRACESTATE)
  if (trace === null || meta?.traceparent !== undefined) return meta === null ? {} : { meta }
  return { meta: { ...trace, ...meta } }
}

/**
 * The options of a command's job in the library's terms.
 * @throws JobqError `usage` when what it shall read cannot be read
 */
export const commandOptions = (values: JobOptionValues): CommandOptions => {
  const { env, cwd, stdin } = values
  return {
    ...taskOptions(values),
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env: Object.fromEntries(env) }),
    ...(stdin === undefined ? {} : { stdin: named('--stdin', () => readInput(stdin)) }),
  }
}

/** All variables of this process but jobq's own, for `--env-all`. */
export const wholeEnvironment = (): readonly Pair[] =>
  Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined || name.startsWith('JOBQ_') ? [] : [[name, value] as const],
  )

/**
 * A line for a shell as it is.
 * @throws JobqError `usage` for a blank one, which would do nothing
 */
export const shellLine = (text: string): string => {
  if (text.trim() !== '') return text
  throw new JobqError('usage', 'a line for the shell is needed')
}

/** The argv of a line for a shell, for `--shell`. */
export const shellArgv = (line: string): readonly string[] =>
  process.platform === 'win32' ? ['cmd.exe', '/d', '/s', '/c', line] : ['/bin/sh', '-c', line]
