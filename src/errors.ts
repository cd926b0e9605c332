/**
 * Errors that a caller can act on. `JobqError` carries a code, which the command line maps to an exit
 * code; the task errors (`Fail`, `Snooze`, `Cancel`) are how a task says what its end means, and
 * `SoftTimeLimitExceeded`, `Cancelled`, `ShuttingDown` are the reasons of a job's `AbortSignal`.
 * They are told apart by a brand instead of `instanceof`, because a task may load them through another
 * copy of the library than the one that runs it.
 */

/**
 * - `usage`: a value that can never work; nothing was written
 * - `not-found`: no such job, queue, worker or task
 * - `duplicate`: refused because of a unique key
 * - `conflict`: the thing is in a state that does not allow it
 * - `unavailable`: busy or unreachable, try again
 * - `permission`: not allowed to read or write, or a signature refused
 * - `unusable`: the broker is foreign, newer, corrupt, moved or symlinked; it is left untouched
 * - `timeout`: waited for long enough
 */
export type ErrorCode =
  | 'usage'
  | 'not-found'
  | 'duplicate'
  | 'conflict'
  | 'unavailable'
  | 'permission'
  | 'unusable'
  | 'timeout'

/** An error with a code that says what a caller can do about it. */
export class JobqError extends Error {
  readonly code: ErrorCode
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'JobqError'
    this.code = code
  }
}

const brand = Symbol.for('jobq.error')

abstract class TaskError extends Error {
  readonly [brand]: string
  constructor(name: string, message: string) {
    super(message)
    this.name = name
    this[brand] = name
  }
}

/** Thrown by a task: failed for good, no retry. */
export class Fail extends TaskError {
  constructor(reason: string) {
    super('Fail', reason)
  }
}

/** Thrown by a task: run again after `delay` (a duration, `'5m'` or milliseconds), using no attempt. */
export class Snooze extends TaskError {
  readonly delay: string | number
  constructor(delay: string | number) {
    super('Snooze', `later: ${delay}`)
    this.delay = delay
  }
}

/** Thrown by a task: cancelled, with a reason. */
export class Cancel extends TaskError {
  constructor(reason = 'cancelled by the task') {
    super('Cancel', reason)
  }
}

/** Reason of `job.signal`: the soft time limit has passed. */
export class SoftTimeLimitExceeded extends TaskError {
  constructor(message = 'the soft time limit has passed') {
    super('SoftTimeLimitExceeded', message)
  }
}

/** Reason of `job.signal`: somebody cancelled the job. */
export class Cancelled extends TaskError {
  constructor(message = 'the job was cancelled') {
    super('Cancelled', message)
  }
}

/** Reason of `job.signal`: the worker is stopping and the job will run again later. */
export class ShuttingDown extends TaskError {
  constructor(message = 'the worker is stopping') {
    super('ShuttingDown', message)
  }
}

/** The brand of a task error (`'Fail'`, `'Snooze'`, …), whichever copy of the library made it; else null. */
export const taskErrorName = (error: unknown): string | null => {
  if (typeof error !== 'object' || error === null) return null
  const name = (error as { [brand]?: unknown })[brand]
  return typeof name === 'string' ? name : null
}
