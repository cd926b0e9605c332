/**
 * The options of `jobq enqueue` that belong to one job, each with the one parser that reads it, for the full command and
 * for the short way through `cli/lean` alike. They give what the library takes, which checks it again.
 */
import { formatBackoff, parseBackoff } from '../src/backoff.ts'
import { parseDuration } from '../src/duration.ts'
import { JobqError } from '../src/errors.ts'
import { parseInstant } from '../src/instant.ts'
import { maxNameLength } from '../src/job-options.ts'
import { quote } from '../src/quote.ts'
import { parseTimeLimit } from '../src/time-limit.ts'
import { jobId, listOf, nameOf, oneOf, type Parse, plainText, wholeNumber } from './values.ts'

/** One option of a job: its flag, and how its text becomes what the library takes. */
export interface JobOption<T> {
  readonly flags: string
  readonly description: string
  readonly parse: Parse<T>
}

const jobOption = <T>(made: JobOption<T>): JobOption<T> => made

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

const label: Parse<string> = (text) => {
  if (plainText(text).length <= maxNameLength) return text
  throw new JobqError('usage', `${quote(text)} is longer than ${maxNameLength} characters`)
}

/** Every option of one job, by its long name in camel case. */
export const jobOptions = {
  queue: jobOption({
    flags: '-q, --queue <name>',
    description: "the queue; default: the task's, else default",
    parse: nameOf('queue'),
  }),
  priority: jobOption({
    flags: '-p, --priority <0..9>',
    description: 'higher runs sooner; default 5',
    parse: wholeNumber(0, 9),
  }),
  delay: jobOption({
    flags: '--delay <duration>',
    description: 'not before this long from now',
    parse: parseDuration,
  }),
  at: jobOption({
    flags: '--at <instant>',
    description: 'not before this instant',
    parse: (text) => parseInstant(text, Date.now()),
  }),
  expires: jobOption({
    flags: '--expires <duration>',
    description: 'cancelled when not started this long from now',
    parse: parseDuration,
  }),
  retries: jobOption({
    flags: '--retries <n>',
    description: 'attempts after the first',
    parse: wholeNumber(0, 1_000_000),
  }),
  backoff: jobOption({
    flags: '--backoff <spec>',
    description: 'exponential:2s..10m, linear:5s, fixed:30s',
    parse: (text) => formatBackoff(parseBackoff(text)),
  }),
  softTimeLimit: jobOption({
    flags: '--soft-time-limit <duration>',
    description: 'after running this long it is told that its time is up',
    parse: parseTimeLimit,
  }),
  timeLimit: jobOption({
    flags: '--time-limit <duration>',
    description: 'after running this long it is killed',
    parse: parseTimeLimit,
  }),
  unique: jobOption({
    flags: '--unique <key>',
    description: 'at most one unfinished job with this key',
    parse: plainText,
  }),
  onConflict: jobOption({
    flags: '--on-conflict <what>',
    description: 'with --unique: ignore, replace or fail',
    parse: oneOf('ignore', 'replace', 'fail'),
  }),
  after: jobOption({
    flags: '--after <ids>',
    description: 'run when these jobs have succeeded; repeatable',
    parse: listOf(jobId),
  }),
  afterAny: jobOption({
    flags: '--after-any <ids>',
    description: 'run when these jobs have finished, however; repeatable',
    parse: listOf(jobId),
  }),
  tag: jobOption({
    flags: '--tag <tag>',
    description: 'for filters; repeatable',
    parse: (text): readonly string[] => [nameOf('tag')(text)],
  }),
  name: jobOption({ flags: '--name <label>', description: 'for people', parse: label }),
  meta: jobOption({
    flags: '--meta <key=value>',
    description: 'for people and programs; repeatable',
    parse: pair,
  }),
  serializer: jobOption({
    flags: '--serializer <name>',
    description: "how the payload is written: json, msgpack, yaml, v8 or the configuration's",
    parse: nameOf('serializer'),
  }),
  compress: jobOption({
    flags: '--compress <name>',
    description: 'gzip, zlib, bzip2, zstd, brotli or none; from 1 KiB on',
    parse: nameOf('compressor'),
  }),
  sign: jobOption({
    flags: '--sign <key>',
    description: 'the key that signs the payload',
    parse: nameOf('key'),
  }),
  cwd: jobOption({
    flags: '--cwd <folder>',
    description: 'where the command runs; default: here',
    parse: plainText,
  }),
  env: jobOption({
    flags: '--env <name[=value]>',
    description: 'a variable for the command; repeatable',
    parse: variable,
  }),
  stdin: jobOption({
    flags: '--stdin <file>',
    description: 'what the command reads, copied now; - is standard input',
    parse: plainText,
  }),
} as const

/** The values of `jobOptions` that were given. */
export type JobOptionValues = {
  readonly [K in keyof typeof jobOptions]?: (typeof jobOptions)[K] extends JobOption<infer T> ? T : never
}
