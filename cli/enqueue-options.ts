/**
 * The options of `jobq enqueue` that belong to one job, each with the one parser that reads it, whether it comes from a
 * flag, from the short way through `cli/lean`, or from a line of a batch.
 */
import { formatBackoff, parseBackoff } from '../src/backoff.ts'
import { parseDuration } from '../src/duration.ts'
import { JobqError } from '../src/errors.ts'
import { parseInstant } from '../src/instant.ts'
import { quote } from '../src/quote.ts'
import { jobId, listOf, nameOf, oneOf, type Parse, plainText, wholeNumber } from './values.ts'

/** One option of a job. */
export interface JobOption<T> {
  readonly flags: string
  readonly description: string
  readonly parse: Parse<T>
  /** Reads it from a line of a batch. */
  readonly read: (value: unknown) => T
  /** Its key in a batch, where that is not the long option in camel case. */
  readonly key?: string
}

type Spoken<T> = Omit<JobOption<T>, 'read'>

const refused = (value: unknown, wanted: string): JobqError =>
  new JobqError(
    'usage',
    `${typeof value === 'object' && value !== null ? JSON.stringify(value).slice(0, 80) : quote(value)} is not ${wanted}`,
  )

const textOption = <T>(spoken: Spoken<T>): JobOption<T> => ({
  ...spoken,
  read(value) {
    if (typeof value !== 'string') throw refused(value, 'text')
    return spoken.parse(value)
  },
})

const numberOption = <T>(spoken: Spoken<T>): JobOption<T> => ({
  ...spoken,
  read(value) {
    if (typeof value !== 'number') throw refused(value, 'a number')
    return spoken.parse(String(value))
  },
})

/** A number in a batch means what its digits mean in a flag: seconds. */
const durationOption = (spoken: Omit<Spoken<number>, 'parse'>): JobOption<number> => ({
  ...spoken,
  parse: parseDuration,
  read(value) {
    if (typeof value !== 'string' && typeof value !== 'number') throw refused(value, 'text or a number')
    return parseDuration(String(value))
  },
})

const listOption = <T>(spoken: Spoken<readonly T[]>): JobOption<readonly T[]> => ({
  ...spoken,
  read(value) {
    if (!Array.isArray(value)) throw refused(value, 'a list')
    return value.flatMap((member: unknown) => {
      if (typeof member !== 'string' && typeof member !== 'number') throw refused(member, 'text or a number')
      return spoken.parse(String(member))
    })
  },
})

const pairsOption = (spoken: Spoken<readonly Pair[]>): JobOption<readonly Pair[]> => ({
  ...spoken,
  read(value) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refused(value, 'an object')
    return Object.entries(value).flatMap(([name, member]: [string, unknown]) => {
      if (typeof member !== 'string') throw refused(member, `text (${quote(name)})`)
      return spoken.parse(`${name}=${member}`)
    })
  },
})

/** A name and its value, as in `--meta customer=ann`. */
export type Pair = readonly [name: string, value: string]

const pair: Parse<readonly Pair[]> = (text) => {
  const at = text.indexOf('=')
  if (at < 1 || !text.isWellFormed()) throw new JobqError('usage', `${quote(text)} is not of the form NAME=VALUE`)
  return [[text.slice(0, at), text.slice(at + 1)]]
}

/** `--env NAME` alone means the value that it has here. */
const variable: Parse<readonly Pair[]> = (text) => {
  const name = text.split('=', 1)[0] ?? ''
  if (name === '' || text.includes('\0') || name.startsWith('JOBQ_')) {
    throw new JobqError(
      'usage',
      `${quote(text)} is not of the form NAME or NAME=VALUE (names beginning with JOBQ_ are jobq's own)`,
    )
  }
  if (name !== text) return pair(text)
  const value = process.env[name]
  if (value === undefined) throw new JobqError('usage', `${quote(name)} is not set here; write NAME=VALUE`)
  return [[name, value]]
}

/** Every option of one job, by its long name in camel case. */
export const jobOptions = {
  queue: textOption({
    flags: '-q, --queue <name>',
    description: "the queue; default: the task's, else default",
    parse: nameOf('queue'),
  }),
  priority: numberOption({
    flags: '-p, --priority <0..9>',
    description: 'higher runs sooner; default 5',
    parse: wholeNumber(0, 9),
  }),
  delay: durationOption({
    flags: '--delay <duration>',
    description: 'not before this long from now',
  }),
  at: textOption({
    flags: '--at <instant>',
    description: 'not before this instant',
    parse: (text) => parseInstant(text, Date.now()),
  }),
  expires: durationOption({
    flags: '--expires <duration>',
    description: 'cancelled when not started this long from now',
  }),
  retries: numberOption({
    flags: '--retries <n>',
    description: 'attempts after the first',
    parse: wholeNumber(0, 1_000_000),
  }),
  backoff: textOption({
    flags: '--backoff <spec>',
    description: 'exponential:2s..10m, linear:5s, fixed:30s',
    parse: (text) => formatBackoff(parseBackoff(text)),
  }),
  unique: textOption({
    flags: '--unique <key>',
    description: 'at most one unfinished job with this key',
    parse: plainText,
  }),
  onConflict: textOption({
    flags: '--on-conflict <what>',
    description: 'with --unique: ignore, replace or fail',
    parse: oneOf('ignore', 'replace', 'fail'),
  }),
  after: listOption({
    flags: '--after <ids>',
    description: 'run when these jobs have succeeded; repeatable',
    parse: listOf(jobId),
  }),
  afterAny: listOption({
    flags: '--after-any <ids>',
    description: 'run when these jobs have finished, however; repeatable',
    parse: listOf(jobId),
  }),
  tag: listOption({
    flags: '--tag <tag>',
    description: 'for filters; repeatable',
    parse: (text): readonly string[] => [nameOf('tag')(text)],
    key: 'tags',
  }),
  name: textOption({ flags: '--name <label>', description: 'for people', parse: plainText }),
  meta: pairsOption({
    flags: '--meta <key=value>',
    description: 'for people and programs; repeatable',
    parse: pair,
  }),
  cwd: textOption({
    flags: '--cwd <folder>',
    description: 'where the command runs; default: here',
    parse: plainText,
  }),
  env: pairsOption({
    flags: '--env <name[=value]>',
    description: 'a variable for the command; repeatable',
    parse: variable,
  }),
  stdin: textOption({
    flags: '--stdin <file>',
    description: 'what the command reads, copied now; - is standard input',
    parse: plainText,
  }),
} as const

/** The values of `jobOptions` that were given. */
export type JobOptionValues = {
  readonly [K in keyof typeof jobOptions]?: (typeof jobOptions)[K] extends JobOption<infer T> ? T : never
}
