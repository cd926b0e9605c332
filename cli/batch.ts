/** Reading `jobq enqueue --batch`: a job a line, in the words of the options; the library checks them. */
import { JobqError } from '../src/errors.ts'
import type { CommandOptions, JobOptions } from '../src/job-options.ts'
import { decodeJson } from '../src/json.ts'
import type { JobItem } from '../src/new-job.ts'
import { quote } from '../src/quote.ts'
import { commandOptions, shellArgv, taskOptions, wholeEnvironment } from './enqueue-item.ts'
import type { JobOptionValues } from './enqueue-options.ts'
import { readInput } from './payload.ts'
import { type Planned, planned } from './planned.ts'
import { named } from './values.ts'

type Line = Readonly<Record<string, unknown>>

/**
 * The jobs of a batch, in the order of their lines; empty lines count but say nothing. `defaults` holds for lines that do
 * not say it themselves; `now` is epoch milliseconds.
 * @throws JobqError `usage` naming the number of the first line that is wrong
 */
export const readBatch = (text: string, values: JobOptionValues, now: number): Planned[] =>
  text.split('\n').flatMap(lineReader(values, now))

/** As `readBatch`, letting go of the thread now and then; `onLines` is told how many lines of how many are read. */
export const readLongBatch = async (
  text: string,
  values: JobOptionValues,
  { now, onLines }: { readonly now: number; readonly onLines: (read: number, all: number) => void },
): Promise<Planned[]> => {
  const lines = text.split('\n')
  const read = lineReader(values, now)
  const jobs: Planned[] = []
  for (const [index, line] of lines.entries()) {
    jobs.push(...read(line, index))
    if ((index + 1) % linesAtOnce !== 0) continue
    onLines(index + 1, lines.length)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return jobs
}

const linesAtOnce = 2_000

const lineReader = (values: JobOptionValues, now: number): ((line: string, index: number) => Planned[]) => {
  const defaults = { task: taskOptions(values), command: commandOptions(values) }
  return (line, index) =>
    line.trim() === '' ? [] : [planned(() => readLine(line, defaults), { now, place: `line ${index + 1}` })]
}

const readLine = (text: string, defaults: Defaults): JobItem => {
  const value = decodeJson(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new JobqError('usage', 'it is not a JSON object')
  }
  const { envAll = false, ...line }: Line = { ...value }
  if (typeof envAll !== 'boolean') throw new JobqError('usage', `envAll: ${quote(envAll)} is not true or false`)
  const item = { ...defaultsFor(line, defaults), ...spoken(line) }
  // What it holds is not known yet; `newJob` checks every key and value.
  return (envAll ? { ...item, env: { ...Object.fromEntries(wholeEnvironment()), ...item.env } } : item) as JobItem
}

/** A line in the library's terms: numbers mean what they mean on the command line, where a delay of 90 is 90 seconds. */
const spoken = (line: Line): Line & { readonly env?: object } => {
  const { delay, expires, softTimeLimit, timeLimit, stdin, shell, ...rest } = line
  const digits = (value: unknown): unknown => (typeof value === 'number' ? String(value) : value)
  return {
    ...rest,
    ...(delay === undefined ? {} : { delay: digits(delay) }),
    ...(expires === undefined ? {} : { expires: digits(expires) }),
    ...(softTimeLimit === undefined ? {} : { softTimeLimit: digits(softTimeLimit) }),
    ...(timeLimit === undefined ? {} : { timeLimit: digits(timeLimit) }),
    ...(stdin === undefined ? {} : { stdin: typeof stdin === 'string' ? contents(stdin) : stdin }),
    ...(shell === undefined
      ? {}
      : typeof shell === 'string' && shell.trim() !== '' && line.argv === undefined
        ? { argv: shellArgv(shell) }
        : { shell }),
  }
}

const contents = (file: string): string | Uint8Array => {
  if (file === '-') throw new JobqError('usage', 'stdin: standard input holds the batch')
  return named('stdin', () => readInput(file))
}

/** What lines fall back to: those with a task, and the others. */
interface Defaults {
  readonly task: JobOptions
  readonly command: CommandOptions
}

/** The defaults that make sense for a line: a time of its own replaces either, and a conflict needs a key. */
const defaultsFor = (line: Line, { task, command }: Defaults): JobOptions => {
  const { delay, at, onConflict, ...others }: JobOptions = line.task === undefined ? command : task
  const timed = line.delay === undefined && line.at === undefined
  return {
    ...others,
    ...(timed && delay !== undefined ? { delay } : {}),
    ...(timed && at !== undefined ? { at } : {}),
    ...(onConflict !== undefined && (others.unique ?? line.unique) !== undefined ? { onConflict } : {}),
  }
}
