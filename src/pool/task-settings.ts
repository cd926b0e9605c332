import { parseBackoff } from '../backoff.ts'
import { parseDuration } from '../duration.ts'
import { JobqError } from '../errors.ts'
import { checkName } from '../name.ts'
import { quote } from '../quote.ts'
import type { PayloadSchema } from '../task.ts'
import { checkTimeLimits, parseTimeLimit } from '../time-limit.ts'
import { TaskLife } from './task-life.ts'
import type { TaskSummary } from './task-summary.ts'

/** What a definition says, checked: the name if it gives one, its options in plain values, and its validator. */
export interface TaskSettings {
  readonly name: string | null
  readonly options: Omit<TaskSummary, 'name' | 'file' | 'kind' | 'validated'>
  readonly input: PayloadSchema | null
  /** Null for a task that does nothing but run. */
  readonly life: TaskLife | null
}

const known = [
  'name',
  'queue',
  'priority',
  'retries',
  'backoff',
  'expires',
  'ack',
  'maxCrashes',
  'serializer',
  'compress',
  'sign',
  'softTimeLimit',
  'timeLimit',
  'unique',
  'input',
  'run',
  'setup',
  'teardown',
]

/** Tasks in TypeScript and JavaScript share their process, so these could not be for one of them. */
const forPrograms = ['softSignal', 'nice', 'ionice', 'user', 'group', 'rlimits']

/**
 * Reads the options of a task as its author wrote them.
 * @throws JobqError `usage` naming the option
 */
export const readTaskSettings = (options: object): TaskSettings => {
  for (const key of Object.keys(options)) {
    if (forPrograms.includes(key)) {
      throw new JobqError(
        'usage',
        `option ${key}: only for commands and executables, by the configuration's taskOptions`,
      )
    }
    if (!known.includes(key)) throw new JobqError('usage', `unknown option ${quote(key)}; known: ${known.join(', ')}`)
  }
  const read = <Value>(key: string, check: (value: unknown) => Value): Value | undefined => {
    const value: unknown = Reflect.get(options, key)
    if (value === undefined) return undefined
    try {
      return check(value)
    } catch (error) {
      throw new JobqError('usage', `option ${key}: ${(error as Error).message}`, { cause: error })
    }
  }
  const softTimeLimit = read('softTimeLimit', (value) => parseTimeLimit(textOrNumber(value)))
  const timeLimit = read('timeLimit', (value) => parseTimeLimit(textOrNumber(value)))
  checkTimeLimits({ softTimeLimit, timeLimit })
  const all = {
    queue: read('queue', (value) => checkName('queue', value)),
    priority: read('priority', wholeNumber(0, 9)),
    retries: read('retries', wholeNumber(0, Number.MAX_SAFE_INTEGER)),
    backoff: read('backoff', (value) => parseBackoff(text(value))),
    expiresMs: read('expires', (value) => parseDuration(textOrNumber(value))),
    ack: read('ack', oneOf('late', 'early')),
    maxCrashes: read('maxCrashes', wholeNumber(1, Number.MAX_SAFE_INTEGER)),
    serializer: read('serializer', (value) => checkName('serializer', value)),
    compress: read('compress', (value) => checkName('compressor', value)),
    sign: read('sign', (value) => (typeof value === 'boolean' ? value : checkName('key', value))),
    softTimeLimitMs: softTimeLimit,
    timeLimitMs: timeLimit,
  }
  read('unique', (value) => {
    if (typeof value !== 'function') throw new TypeError('a function of the payload is needed')
  })
  const setup = read('setup', method(options))
  const teardown = read('teardown', method(options))
  return {
    name: read('name', (value) => checkName('task', value)) ?? null,
    options: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)),
    input: read('input', schema) ?? null,
    life:
      setup === undefined && teardown === undefined
        ? null
        : new TaskLife({ ...(setup && { setup }), ...(teardown && { teardown }) }),
  }
}

const text = (value: unknown): string => {
  if (typeof value === 'string') return value
  throw new TypeError(`${quote(value)} is not text`)
}

const textOrNumber = (value: unknown): string | number => (typeof value === 'number' ? value : text(value))

const wholeNumber =
  (min: number, max: number) =>
  (value: unknown): number => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
    throw new RangeError(
      `${quote(value)} is not a whole number ${max > 9 ? `of at least ${min}` : `from ${min} to ${max}`}`,
    )
  }

const oneOf =
  <Value extends string>(...values: Value[]) =>
  (value: unknown): Value => {
    const found = values.find((each) => each === value)
    if (found !== undefined) return found
    throw new RangeError(`${quote(value)} is none of ${values.join(', ')}`)
  }

const method =
  (of: object) =>
  (value: unknown): ((...parameters: readonly unknown[]) => unknown) => {
    if (typeof value !== 'function') throw new TypeError('a function is needed')
    return (...parameters) => Reflect.apply(value, of, parameters)
  }

const schema = (value: unknown): PayloadSchema => {
  if (isSchema(value)) return value
  throw new TypeError('a validator that follows Standard Schema is needed')
}

// Some libraries' schemas are functions.
const isSchema = (value: unknown): value is PayloadSchema => {
  const standard =
    (typeof value === 'object' && value !== null) || typeof value === 'function'
      ? Reflect.get(value, '~standard')
      : null
  return typeof standard === 'object' && standard !== null && typeof Reflect.get(standard, 'validate') === 'function'
}
