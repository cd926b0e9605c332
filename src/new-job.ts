import path from 'node:path'
import { JobqError } from './errors.ts'
import { commandTask, type NewJob, type RunOptions, type TaskDefaults } from './job.ts'
import { type CheckedOptions, type CommandOptions, checkOptions, type JobOptions } from './job-options.ts'
import { checkName } from './name.ts'
import { encodePlain } from './plain-payload.ts'
import { quote } from './quote.ts'
import type { PayloadSealer } from './sealing.ts'

/** A job of a task, as one element of a bulk. */
export interface TaskItem extends JobOptions {
  readonly task: string
  /** What JSON can keep as it is; default null. */
  readonly payload?: unknown
}

/** A command that runs without a shell, as one element of a bulk. */
export interface CommandItem extends CommandOptions {
  readonly argv: readonly string[]
}

/** A line for the shell, as one element of a bulk. */
export interface ShellItem extends CommandOptions {
  readonly shell: string
}

/** One job to add. */
export type JobItem = TaskItem | CommandItem | ShellItem

/** What new jobs are made with. */
export interface NewJobContext {
  /** Epoch milliseconds. */
  readonly now: number
  readonly maxPayloadBytes?: number
  /** Without it payloads are plain JSON. */
  readonly messages?: PayloadSealer | null
  /** What workers have published, if that is known: it says in which queue a job will be. */
  readonly published?: readonly TaskDefaults[]
}

/** The largest payload unless told otherwise, in bytes. */
export const defaultMaxPayloadBytes = 1024 * 1024

/**
 * What a broker is told to add for an item. `now` is epoch milliseconds.
 * @throws JobqError `usage` naming what is wrong
 */
export const newJob = (item: JobItem, context: NewJobContext): NewJob => {
  const { now, maxPayloadBytes = defaultMaxPayloadBytes, messages = null } = context
  const { task, payload, argv, shell, ...said } = parts(item)
  if ([task, argv, shell].filter((each) => each !== undefined).length !== 1) {
    throw new JobqError('usage', 'a job needs one of task, argv and shell')
  }
  if (task === undefined && payload !== undefined) throw new JobqError('usage', 'payload: only for a task')
  const { cwd, env, stdin, ...options } = checkOptions(said, { command: task === undefined, now })
  const content =
    task === undefined
      ? {
          ...(argv === undefined ? { shell: shellLine(shell) } : { argv: checkArgv(argv) }),
          cwd: path.resolve(cwd ?? '.'),
          ...(env === undefined ? {} : { env }),
          ...(stdin === undefined ? {} : { stdin }),
        }
      : (payload ?? null)
  const name = task === undefined ? commandTask : checkTask(task)
  const queue = options.queue ?? null
  return {
    task: name,
    queue,
    priority: options.priority ?? null,
    ...(messages === null
      ? { payload: encodePlain(content, maxPayloadBytes) }
      : messages.seal(content, options, { task: name, queue: queue ?? usualQueue(name, context) })),
    dueAt: options.at ?? now + (options.delay ?? 0),
    expiresAt: options.expires === undefined ? null : now + options.expires,
    retries: options.retries ?? null,
    options: runOptions(options),
    uniqueKey: options.unique ?? null,
    onConflict: options.onConflict ?? 'ignore',
    after: options.after ?? [],
    afterAny: options.afterAny ?? [],
    hold: options.hold ?? false,
    tags: options.tags ?? [],
    name: options.name ?? null,
    meta: options.meta ?? null,
    ref: options.ref ?? null,
  }
}

/** An item with what its task has published of how payloads are written, where it does not say that itself. */
export const withPublishedCoding = (item: JobItem, published: readonly TaskDefaults[]): JobItem => {
  if (published.length === 0) return item
  const { task: said } = parts(item)
  const name = said === undefined ? commandTask : said
  const task = published.find((each) => each.task === name)
  if (task === undefined) return item
  const { serializer, compress, sign } = task
  if (serializer === undefined && compress === undefined && sign === undefined) return item
  return {
    ...(serializer === undefined ? {} : { serializer }),
    ...(compress === undefined ? {} : { compress }),
    ...(sign === undefined ? {} : { sign }),
    ...item,
  }
}

const usualQueue = (task: string, { published }: NewJobContext): string | null =>
  published === undefined ? null : (published.find((each) => each.task === task)?.queue ?? 'default')

const runOptions = ({ backoff, softTimeLimit, timeLimit }: CheckedOptions): RunOptions => ({
  ...(backoff === undefined ? {} : { backoff }),
  ...(softTimeLimit === undefined ? {} : { softTimeLimitMs: softTimeLimit }),
  ...(timeLimit === undefined ? {} : { timeLimitMs: timeLimit }),
})

interface Parts {
  readonly task?: unknown
  readonly payload?: unknown
  readonly argv?: unknown
  readonly shell?: unknown
}

const parts = (item: unknown): Parts => {
  if (typeof item === 'object' && item !== null && !Array.isArray(item)) return item
  throw new JobqError('usage', `${quote(item)} is not a job: an object with task, argv or shell is needed`)
}

const checkTask = (task: unknown): string => {
  const name = checkName('task', task)
  if (name !== commandTask) return name
  throw new JobqError('usage', `${commandTask} is the task of commands: give their argv instead`)
}

const checkArgv = (argv: unknown): readonly string[] => {
  const wrong = Array.isArray(argv) ? argv.findIndex((word) => typeof word !== 'string') : 0
  if (!Array.isArray(argv) || wrong !== -1) throw new JobqError('usage', 'argv: a list of texts is needed')
  if (argv[0] === undefined || argv[0] === '') throw new JobqError('usage', 'argv: it must begin with a program')
  return argv
}

const shellLine = (line: unknown): string => {
  if (typeof line === 'string' && line.trim() !== '') return line
  throw new JobqError('usage', 'shell: a line for the shell is needed')
}
