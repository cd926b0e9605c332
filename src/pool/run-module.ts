/** Runs a task in JavaScript or TypeScript and says what its end means. */

import { checkInput } from '../client/check-input.ts'
import { parseDuration } from '../duration.ts'
import { taskErrorName } from '../errors.ts'
import type { JobError } from '../job.ts'
import { encodeJson, maxJsonDepth } from '../json.ts'
import type { Outcome } from '../outcome.ts'
import { isPlain, TooLarge } from '../plain-payload.ts'
import { toJobError } from './job-error.ts'
import type { LoadedTask } from './load-tasks.ts'
import type { RunningJob } from './running-job.ts'

/** Success without a result: one value for all, because there are many. */
export const plainSuccess: Outcome = { type: 'succeeded', result: null }

/** Runs the task to its end; never rejects. */
export const runModule = async ({ input, life, run }: LoadedTask, job: RunningJob): Promise<Outcome> => {
  let payload: unknown
  try {
    payload = decodePayload(job)
  } catch (error) {
    return unreadable(error)
  }
  try {
    if (input !== null) {
      const checked = await checkInput(input, payload)
      if ('problem' in checked) {
        return { type: 'failed', final: true, error: { type: 'InvalidPayload', message: checked.problem } }
      }
      payload = checked.value
    }
    if (life !== null) await life.begin(job.shared)
    const value = await run?.(payload, job)
    return value === undefined || value === null ? plainSuccess : resultOutcome(job, value)
  } catch (thrown) {
    return thrownOutcome(thrown)
  }
}

/** A payload that cannot be read parks its job. */
export const unreadable = (error: unknown): Outcome => ({
  type: 'rejected',
  error: { type: 'Rejected', message: `its payload cannot be read: ${toJobError(error).message}` },
})

/** What a thrown value means: the task's own errors say it themselves, any other one is a failure. */
export const thrownOutcome = (thrown: unknown): Outcome => {
  if (isSoftAbort(thrown)) return { type: 'failed', final: false, error: toJobError(thrown.cause) }
  const error = toJobError(thrown)
  switch (kindOf(thrown)) {
    case 'Fail':
      return { type: 'failed', final: true, error }
    case 'Cancel':
      return { type: 'cancelled', reason: error.message }
    case 'Snooze':
      return snoozeOutcome(thrown, error)
    default:
      return { type: 'failed', final: false, error }
  }
}

const kindOf = (thrown: unknown): string | null => {
  try {
    return taskErrorName(thrown)
  } catch {
    // Looking at it throws, so it is none of ours.
    return null
  }
}

// What is given the signal throws an error of its own, and keeps the reason as its cause.
const isSoftAbort = (thrown: unknown): thrown is { readonly cause: unknown } => {
  try {
    if (typeof thrown !== 'object' || thrown === null || Reflect.get(thrown, 'name') !== 'AbortError') return false
    return taskErrorName(Reflect.get(thrown, 'cause')) === 'SoftTimeLimitExceeded'
  } catch {
    return false
  }
}

/** Success with a result given as JSON text, unless it is too large. */
export const checkResultSize = (result: string, maxBytes: number): Outcome => {
  const bytes = result.length * 3 > maxBytes ? Buffer.byteLength(result) : 0
  return bytes <= maxBytes ? { type: 'succeeded', result } : resultTooLarge(maxBytes)
}

/** A result is kept whole or not at all. */
export const resultTooLarge = (maxBytes: number): Outcome => {
  const message = `the result has more than ${maxBytes} bytes, the most that are kept`
  return { type: 'failed', final: true, error: { type: 'ResultTooLarge', message } }
}

// Numbers that a double may not hold, keys of prototypes, escapes and deep nesting are worth a careful reading.
const suspicious = /\d[\d.]{15}|\d[eE]|\\u|__proto__|constructor|prototype/
const mayBeDeep = (text: string): boolean =>
  text.length > 2 * maxJsonDepth && text.replace(/[^[{]+/g, '').length > maxJsonDepth

const decodePayload = (job: RunningJob): unknown => {
  const { payload } = job
  if (!isPlain(payload) || suspicious.test(payload.text) || mayBeDeep(payload.text)) return job.readPayload()
  return JSON.parse(payload.text)
}

const resultOutcome = (job: RunningJob, value: unknown): Outcome => {
  try {
    if (job.writesPlainResults) return checkResultSize(encodeJson(value), job.settings.maxResultBytes)
    return { type: 'succeeded', result: job.writeResult(value) }
  } catch (error) {
    if (error instanceof TooLarge) return resultTooLarge(job.settings.maxResultBytes)
    return { type: 'failed', final: true, error: { type: 'InvalidResult', message: toJobError(error).message } }
  }
}

const snoozeOutcome = (thrown: unknown, error: JobError): Outcome => {
  try {
    const delay: unknown = typeof thrown === 'object' && thrown !== null ? Reflect.get(thrown, 'delay') : undefined
    if (typeof delay !== 'string' && typeof delay !== 'number') throw new TypeError('it has no delay')
    return { type: 'snoozed', delayMs: parseDuration(delay) }
  } catch (problem) {
    return { type: 'failed', final: true, error: { ...error, message: `Snooze: ${toJobError(problem).message}` } }
  }
}
