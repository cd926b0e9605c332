import { constants } from 'node:os'
import { formatDuration, parseDuration } from './duration.ts'
import { JobqError } from './errors.ts'
import { quote } from './quote.ts'

/**
 * A limit on how long a job may run, in milliseconds: a duration above 0.
 * @throws JobqError `usage`
 */
export const parseTimeLimit = (value: string | number): number => {
  const ms = parseDuration(value)
  if (ms > 0) return ms
  throw new JobqError('usage', `${quote(value)} is no time limit: it must be above 0`)
}

/** A soft and a hard limit in milliseconds; absent or null where there is none. */
export interface TimeLimits {
  readonly softTimeLimit?: number | null | undefined
  readonly timeLimit?: number | null | undefined
}

/**
 * Refuses a soft limit that the hard one would never let come; `names` are what the message calls the two.
 * @throws JobqError `usage`
 */
export const checkTimeLimits = <Limits extends TimeLimits>(
  limits: Limits,
  names: { readonly soft: string; readonly hard: string } = { soft: 'softTimeLimit', hard: 'timeLimit' },
): Limits => {
  const { softTimeLimit: soft, timeLimit: hard } = limits
  if (soft == null || hard == null || soft < hard) return limits
  const message = `${names.soft}: ${formatDuration(soft)} is not below ${names.hard}, which is ${formatDuration(hard)}`
  throw new JobqError('usage', message)
}

const uncatchable = ['SIGKILL', 'SIGSTOP']

/**
 * The name of a signal that a program can catch, with or without its `SIG`.
 * @throws JobqError `usage`
 */
export const parseSignal = (value: unknown): NodeJS.Signals => {
  const found = Object.keys(constants.signals).find((name) => name === value || name === `SIG${value}`)
  if (found === undefined) throw new JobqError('usage', `${quote(value)} is not the name of a signal`)
  if (uncatchable.includes(found)) throw new JobqError('usage', `${found} cannot be caught`)
  return found as NodeJS.Signals
}
