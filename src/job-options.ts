/**
 * The options of one job as people write them, each with the one reader that checks it. Every refusal names
 * the option, an unknown one the known one it resembles. Durations are text (`'5m'`) or milliseconds, instants
 * are text, a Date or epoch milliseconds.
 */
import { parseBackoff } from './backoff.ts'
import { parseDuration } from './duration.ts'
import { JobqError } from './errors.ts'
import { parseInstant } from './instant.ts'
import type { Backoff, OnConflict } from './job.ts'
import { checkName } from './name.ts'
import { nearest } from './nearest.ts'
import { quote } from './quote.ts'
import { checkTimeLimits, parseTimeLimit } from './time-limit.ts'

/** What `enqueue` takes beside what to run; what is absent is left to the task. */
export interface JobOptions {
  readonly queue?: string
  /** 0 to 9, higher runs sooner. */
  readonly priority?: number
  /** Not before this long from now. */
  readonly delay?: string | number
  /** Not before this instant. */
  readonly at?: string | number | Date
  /** Cancelled when not started this long from now. */
  readonly expires?: string | number
  /** Attempts after the first. */
  readonly retries?: number
  /** As in `'exponential:2s..10m'`. */
  readonly backoff?: string
  /** After running this long it is asked to end: `job.signal` of a task, a signal to a program. */
  readonly softTimeLimit?: string | number
  /** After running this long it is killed. */
  readonly timeLimit?: string | number
  /** At most one unfinished job has this key. */
  readonly unique?: string
  /** When the key is taken: `ignore` gives its holder, `replace` changes it if it waits, `fail` throws `duplicate`. */
  readonly onConflict?: OnConflict
  /** Jobs that must have succeeded first. */
  readonly after?: number | readonly number[]
  /** Jobs that must have finished first, however. */
  readonly afterAny?: number | readonly number[]
  /** Wait until released by hand. */
  readonly hold?: boolean
  /** For filters. */
  readonly tags?: readonly string[]
  /** For people, at most 200 characters. */
  readonly name?: string
  /** For people and programs. */
  readonly meta?: Readonly<Record<string, string>>
  /** A reference of your own, which no other job has. */
  readonly ref?: string
  /** How the payload is written; default the task's, else `json`. */
  readonly serializer?: string
  /** How a payload of 1 KiB and more is compressed; `none` for not at all. */
  readonly compress?: string
  /** The key that signs the payload; true for the configuration's. */
  readonly sign?: string | boolean
}

/** What a command's job takes besides. */
export interface CommandOptions extends JobOptions {
  /** The folder it runs in; default the present one. */
  readonly cwd?: string
  /** Variables besides the usual ones. */
  readonly env?: Readonly<Record<string, string>>
  /** What it reads. */
  readonly stdin?: string | Uint8Array
}

/** The longest label, in characters. */
export const maxNameLength = 200

const maxKeyLength = 512

const refuse = (value: unknown, wanted: string): never => {
  const shown = typeof value === 'object' && value !== null ? 'this' : quote(value)
  throw new JobqError('usage', `${shown} is not ${wanted}`)
}

const whole =
  (min: number, max: number) =>
  (value: unknown): number =>
    typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
      ? value
      : refuse(value, `a whole number from ${min} to ${max}`)

const duration = (value: unknown): number =>
  typeof value === 'string' || typeof value === 'number' ? parseDuration(value) : refuse(value, 'a duration')

const timeLimit = (value: unknown): number =>
  typeof value === 'string' || typeof value === 'number' ? parseTimeLimit(value) : refuse(value, 'a duration')

const text =
  (max: number) =>
  (value: unknown): string => {
    if (typeof value !== 'string') return refuse(value, 'text')
    if (value.includes('\0') || !value.isWellFormed()) return refuse(value, 'text without NUL and half characters')
    return value !== '' && value.length <= max ? value : refuse(value, `text of 1 to ${max} characters`)
  }

const jobId = whole(1, Number.MAX_SAFE_INTEGER)

const texts = (value: unknown): Readonly<Record<string, string>> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(value, 'an object of texts')
  const entries = Object.entries(value).map(([key, member]: [string, unknown]) => {
    if (typeof member !== 'string') return refuse(member, `text (${quote(key)})`)
    if (key === '' || /\0/.test(key + member) || !key.isWellFormed() || !member.isWellFormed()) {
      return refuse(`${key}=${member}`, 'a name and a text without NUL and half characters')
    }
    return [key, member] as const
  })
  return Object.fromEntries(entries)
}

const variables = (value: unknown): Readonly<Record<string, string>> => {
  const read = texts(value)
  const wrong = Object.keys(read).find((name) => name.includes('=') || name.startsWith('JOBQ_'))
  return wrong === undefined ? read : refuse(wrong, "the name of a variable (JOBQ_… are jobq's own)")
}

/** What a command reads: text as it is, any other bytes in base64. */
const input = (value: unknown): string | { readonly base64: string } => {
  if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString('base64') }
  return typeof value === 'string' && value.isWellFormed() && !value.includes('\0')
    ? value
    : refuse(value, 'text or bytes')
}

const readers = {
  queue: (value: unknown): string => checkName('queue', value),
  priority: whole(0, 9),
  delay: duration,
  expires: duration,
  retries: whole(0, 1_000_000),
  backoff: (value: unknown): Backoff => (typeof value === 'string' ? parseBackoff(value) : refuse(value, 'a backoff')),
  softTimeLimit: timeLimit,
  timeLimit,
  unique: text(maxKeyLength),
  onConflict: (value: unknown): OnConflict =>
    value === 'ignore' || value === 'replace' || value === 'fail' ? value : refuse(value, 'ignore, replace or fail'),
  after: (value: unknown): readonly number[] => ids(value),
  afterAny: (value: unknown): readonly number[] => ids(value),
  hold: (value: unknown): boolean => (typeof value === 'boolean' ? value : refuse(value, 'true or false')),
  tags: (value: unknown): readonly string[] =>
    Array.isArray(value) ? [...new Set(value.map((tag) => checkName('tag', tag)))] : refuse(value, 'a list of tags'),
  name: text(maxNameLength),
  meta: texts,
  ref: text(maxKeyLength),
  serializer: (value: unknown): string => checkName('serializer', value),
  compress: (value: unknown): string => checkName('compressor', value),
  sign: (value: unknown): string | boolean => (typeof value === 'boolean' ? value : checkName('key', value)),
}

const commandReaders = { cwd: text(4096), env: variables, stdin: input }

const ids = (value: unknown): readonly number[] => [...new Set((Array.isArray(value) ? value : [value]).map(jobId))]

const allReaders = { ...readers, ...commandReaders }

type Readers = typeof allReaders

/** Options that have been checked: durations in milliseconds, the instant in epoch milliseconds. */
export type CheckedOptions = { readonly [K in keyof Readers]?: ReturnType<Readers[K]> } & { readonly at?: number }

const taskKeys: readonly string[] = [...Object.keys(readers), 'at']
const commandKeys: readonly string[] = [...taskKeys, ...Object.keys(commandReaders)]

/**
 * Checks the options of one job. `now` is epoch milliseconds; `command` allows those of a command.
 * @throws JobqError `usage`
 */
export const checkOptions = (
  options: object,
  kind: { readonly command: boolean; readonly now: number },
): CheckedOptions => {
  const known = kind.command ? commandKeys : taskKeys
  const checked: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(options)) {
    if (!known.includes(key)) throw unknownOption(key, known)
    if (value !== undefined) checked[key] = read(key, value, kind.now)
  }
  if (checked.at !== undefined && checked.delay !== undefined)
    throw new JobqError('usage', 'at: not together with delay')
  if (checked.onConflict !== undefined && checked.unique === undefined) {
    throw new JobqError('usage', 'onConflict: only with unique')
  }
  return checkTimeLimits<CheckedOptions>(checked)
}

const read = (key: string, value: unknown, now: number): unknown => {
  try {
    if (key === 'at') return instant(value, now)
    const reader: (value: unknown) => unknown = allReaders[key as keyof Readers]
    return reader(value)
  } catch (error) {
    if (!(error instanceof JobqError)) throw error
    throw new JobqError(error.code, `${key}: ${error.message}`, { cause: error })
  }
}

const instant = (value: unknown, now: number): number => {
  if (typeof value === 'string') return parseInstant(value, now)
  const at = value instanceof Date ? value.getTime() : value
  return typeof at === 'number' && Math.abs(at) <= 8.64e15 ? Math.round(at) : refuse(value, 'an instant')
}

const unknownOption = (key: string, known: readonly string[]): JobqError => {
  if (commandKeys.includes(key)) return new JobqError('usage', `${key}: only for commands`)
  const meant = nearest(key, known)
  return new JobqError(
    'usage',
    `${quote(key)} is no option of a job${meant === null ? '' : `; did you mean ${meant}?`}`,
  )
}
