/**
 * What a running worker can be told. A command reaches it through its socket, so whatever comes in is checked here,
 * field by field, before anything is done.
 */
import { maxDurationMs } from '../duration.ts'
import { JobqError } from '../errors.ts'
import { checkName } from '../name.ts'
import { nearest } from '../nearest.ts'
import { quote } from '../quote.ts'

/** The most children that a worker may be given. */
export const maxChildren = 1_024

/** One thing that a worker is told. Limits are milliseconds; null takes a limit away, an absent one stays as it is. */
export type ControlCommand =
  | { readonly verb: 'grow' | 'shrink'; readonly count: number }
  | { readonly verb: 'autoscale'; readonly max: number; readonly min: number }
  | {
      readonly verb: 'limits'
      readonly task: string
      readonly softTimeLimitMs?: number | null
      readonly timeLimitMs?: number | null
    }
  | { readonly verb: BareVerb }

/** Commands that need no more than their name. */
type BareVerb = 'reload' | 'drain' | 'resume' | 'stop' | 'dump' | 'status'

/** The name of a command. */
export type ControlVerb = ControlCommand['verb']

type Fields = Readonly<Record<string, unknown>>

const refuse = (message: string): never => {
  throw new JobqError('usage', message)
}

const whole = (fields: Fields, name: string, min: number): number => {
  const value = fields[name]
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= maxChildren) return value
  return refuse(`${name}: ${quote(value)} is not a whole number from ${min} to ${maxChildren}`)
}

const limit = (fields: Fields, name: 'softTimeLimitMs' | 'timeLimitMs'): { readonly [name]?: number | null } => {
  const value = fields[name]
  if (value === undefined) return {}
  if (value === null || (typeof value === 'number' && value > 0 && value <= maxDurationMs)) return { [name]: value }
  return refuse(`${name}: ${quote(value)} is not a duration in milliseconds`)
}

const only = (fields: Fields, ...names: readonly string[]): void => {
  const unknown = Object.keys(fields).find((name) => name !== 'verb' && !names.includes(name))
  if (unknown !== undefined) refuse(`${quote(fields.verb)} has no ${quote(unknown)}`)
}

const readers: Readonly<Record<ControlVerb, (fields: Fields) => ControlCommand>> = {
  grow: (fields) => counted('grow', fields),
  shrink: (fields) => counted('shrink', fields),
  autoscale: (fields) => {
    only(fields, 'max', 'min')
    const max = whole(fields, 'max', 1)
    const min = whole(fields, 'min', 1)
    if (min > max) refuse(`min: ${min} is more than max, ${max}`)
    return { verb: 'autoscale', max, min }
  },
  limits: (fields) => {
    only(fields, 'task', 'softTimeLimitMs', 'timeLimitMs')
    const limits = { ...limit(fields, 'softTimeLimitMs'), ...limit(fields, 'timeLimitMs') }
    if (Object.keys(limits).length === 0) refuse('limits: neither a soft nor a hard limit is given')
    return { verb: 'limits', task: checkName('task', fields.task), ...limits }
  },
  reload: (fields) => bare('reload', fields),
  drain: (fields) => bare('drain', fields),
  resume: (fields) => bare('resume', fields),
  stop: (fields) => bare('stop', fields),
  dump: (fields) => bare('dump', fields),
  status: (fields) => bare('status', fields),
}

const counted = (verb: 'grow' | 'shrink', fields: Fields): ControlCommand => {
  only(fields, 'count')
  return { verb, count: whole(fields, 'count', 1) }
}

const bare = (verb: BareVerb, fields: Fields): ControlCommand => {
  only(fields)
  return { verb }
}

/** Every verb. */
export const controlVerbs = Object.keys(readers) as readonly ControlVerb[]

/**
 * Gives back what was given if it is a command.
 * @throws JobqError `usage` naming what is wrong with it
 */
export const checkCommand = (value: unknown): ControlCommand => {
  if (typeof value !== 'object' || value === null) return refuse(`${quote(value)} is not a command to a worker`)
  const fields: Fields = { ...value }
  const verb = controlVerbs.find((known) => known === fields.verb)
  if (verb !== undefined) return readers[verb](fields)
  const close = typeof fields.verb === 'string' ? nearest(fields.verb, controlVerbs) : null
  return refuse(`${quote(fields.verb)} is no command to a worker${close === null ? '' : `; did you mean ${close}?`}`)
}
