/** The words behind `jobq control`: what each verb needs, and the command that comes of it. */
import { type ControlCommand, type ControlVerb, checkCommand } from '../src/control/command.ts'
import { JobqError } from '../src/errors.ts'
import { checkName } from '../src/name.ts'
import { quote } from '../src/quote.ts'
import { parseTimeLimit } from '../src/time-limit.ts'
import { poolBounds } from './settings.ts'
import { named, type Parse, wholeNumber } from './values.ts'

/** Options that some verbs read. */
export interface LimitFlags {
  readonly softTimeLimit?: number | 'none'
  readonly timeLimit?: number | 'none'
}

/** A verb that workers are told. */
export type WorkerVerb = Exclude<ControlVerb, 'status'>

/** Reads what follows a verb. */
type Reader = (words: readonly string[], flags: LimitFlags) => ControlCommand

const children = wholeNumber(1, 1_024)
/** Reads a time limit, or `none`. */
export const limitOrNone: Parse<number | 'none'> = (text) => (text === 'none' ? text : parseTimeLimit(text))
const orNull = (limit: number | 'none'): number | null => (limit === 'none' ? null : limit)

const counted =
  (verb: 'grow' | 'shrink'): Reader =>
  (words) => {
    const [count = '1'] = upTo(1, words)
    return { verb, count: named(verb, () => children(count)) }
  }

const bare =
  (verb: Extract<WorkerVerb, 'reload' | 'drain' | 'resume' | 'stop' | 'dump'>): Reader =>
  (words) => {
    upTo(0, words)
    return { verb }
  }

const readers: Readonly<Record<WorkerVerb, Reader>> = {
  grow: counted('grow'),
  shrink: counted('shrink'),
  autoscale: (words) => {
    const [text = ''] = upTo(1, words)
    return { verb: 'autoscale', ...named('autoscale', () => poolBounds(text)) }
  },
  reload: bare('reload'),
  limits: (words, { softTimeLimit, timeLimit }) => {
    const [task] = upTo(1, words)
    if (task === undefined) throw new JobqError('usage', 'limits: of which task?')
    if (softTimeLimit === undefined && timeLimit === undefined) {
      throw new JobqError('usage', 'limits: give --soft-time-limit, --time-limit or both')
    }
    return {
      verb: 'limits',
      task: named('limits', () => checkName('task', task)),
      ...(softTimeLimit === undefined ? {} : { softTimeLimitMs: orNull(softTimeLimit) }),
      ...(timeLimit === undefined ? {} : { timeLimitMs: orNull(timeLimit) }),
    }
  },
  drain: bare('drain'),
  resume: bare('resume'),
  stop: bare('stop'),
  dump: bare('dump'),
}

/**
 * Gives back the words if there are no more than that.
 * @throws JobqError `usage` naming the first that is too many
 */
export const upTo = (most: number, words: readonly string[]): readonly string[] => {
  if (words.length <= most) return words
  throw new JobqError('usage', `${quote(words[most])} is one word too many`)
}

/** Every verb. */
export const workerVerbs = Object.keys(readers) as readonly WorkerVerb[]

/**
 * The command that the words after a verb and the options make.
 * @throws JobqError `usage`
 */
export const readCommand = (verb: WorkerVerb, words: readonly string[], flags: LimitFlags): ControlCommand => {
  if (verb !== 'limits' && (flags.softTimeLimit !== undefined || flags.timeLimit !== undefined)) {
    throw new JobqError('usage', '--soft-time-limit and --time-limit go with the verb limits only')
  }
  return checkCommand(readers[verb](words, flags))
}
