/**
 * From what was said on the command line or in a line of a batch to what the library's `enqueueMany` takes: the rules
 * about what goes together, in one place for the full command, the short way and batches.
 */
import { JobqError } from '../src/errors.ts'
import type { JobOptionValues, Pair } from './enqueue-options.ts'
import { readText } from './payload.ts'
import { named } from './values.ts'

/** What is to be added: a task with its payload (undefined for none), or a command. */
export type Target = { readonly task: string; readonly payload: unknown } | { readonly argv: readonly string[] }

/** What the library takes for one job. */
export interface EnqueueItem {
  readonly task?: string
  readonly payload?: unknown
  readonly argv?: readonly string[]
  readonly queue?: string
  readonly priority?: number
  readonly delay?: number
  readonly at?: number
  readonly expires?: number
  readonly retries?: number
  readonly backoff?: string
  readonly unique?: string
  readonly onConflict?: 'ignore' | 'replace' | 'fail'
  readonly after?: readonly number[]
  readonly afterAny?: readonly number[]
  readonly tags?: readonly string[]
  readonly name?: string
  readonly meta?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string
}

/** Where the words come from: how a refusal names an option. */
export type Naming = (option: string) => string

/** `--on-conflict` */
export const flagNaming: Naming = (option) => `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

/**
 * Puts a job together.
 * @throws JobqError `usage` for options that do not go together
 */
export const enqueueItem = (target: Target, values: JobOptionValues, naming: Naming): EnqueueItem => {
  const { tag, meta, env, cwd, stdin, ...plain } = values
  if (plain.delay !== undefined && plain.at !== undefined) throw together(naming('at'), naming('delay'))
  if (plain.onConflict !== undefined && plain.unique === undefined) {
    throw new JobqError('usage', `${naming('onConflict')}: only with ${naming('unique')}`)
  }
  const item = {
    ...plain,
    ...(tag === undefined ? {} : { tags: tag }),
    ...(meta === undefined ? {} : { meta: record(meta) }),
  }
  if ('argv' in target) {
    return {
      ...item,
      argv: target.argv,
      cwd: cwd ?? process.cwd(),
      ...(env === undefined ? {} : { env: record(env) }),
      ...(stdin === undefined ? {} : { stdin: named(naming('stdin'), () => readText(stdin)) }),
    }
  }
  for (const [option, value] of Object.entries({ cwd, env, stdin })) {
    if (value !== undefined)
      throw new JobqError('usage', `${naming(option)}: only for commands, not for task ${target.task}`)
  }
  const { payload } = target
  return {
    ...item,
    task: target.task,
    ...(payload === undefined ? {} : { payload }),
  }
}

/** All variables of this process but jobq's own, for `--env-all`. */
export const wholeEnvironment = (): readonly Pair[] =>
  Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined || name.startsWith('JOBQ_') ? [] : [[name, value] as const],
  )

/** The argv of a line for a shell, for `--shell`. */
export const shellArgv = (line: string): readonly string[] =>
  process.platform === 'win32' ? ['cmd.exe', '/d', '/s', '/c', line] : ['/bin/sh', '-c', line]

const record = (pairs: readonly Pair[]): Record<string, string> => Object.fromEntries(pairs)

const together = (one: string, other: string): JobqError => new JobqError('usage', `${one}: not together with ${other}`)
