/** Payloads against the validator of their task: before they are added, where the definition is known, and before each run. */
import { JobqError } from '../errors.ts'
import { isTaskDefinition, type PayloadSchema, type SchemaFailure, type SchemaResult } from '../task.ts'

/** What a validator says of a payload: the value to go on with, or what is wrong with it, with the path to its place. */
export type InputVerdict = { readonly value: unknown } | { readonly problem: string }

/** Asks a validator; rejects with what it throws. */
export const checkInput = async (input: PayloadSchema, payload: unknown): Promise<InputVerdict> =>
  verdictOf(await input['~standard'].validate(payload))

/**
 * Checks what is to be enqueued, if its target is a definition with a validator.
 * @throws JobqError `usage` naming the paths; what the validator throws
 */
export const checkTarget = async (target: unknown, payload: unknown): Promise<void> => {
  const input = inputOf(target)
  if (input !== null) refuseProblem(await checkInput(input, payload))
}

/**
 * As `checkTarget`, at once.
 * @throws JobqError `usage`, also for a validator that takes its time
 */
export const checkTargetSync = (target: unknown, payload: unknown): void => {
  const result = inputOf(target)?.['~standard'].validate(payload)
  if (result === undefined) return
  if (!isPromise(result)) {
    refuseProblem(verdictOf(result))
    return
  }
  // Nobody is left to hear what it comes to.
  result.then(undefined, () => {})
  throw new JobqError(
    'usage',
    'the input of the task is checked asynchronously: add it by enqueue, which waits for that',
  )
}

const inputOf = (target: unknown): PayloadSchema | null => (isTaskDefinition(target) ? (target.input ?? null) : null)

const isPromise = <T>(result: T | Promise<T>): result is Promise<T> =>
  typeof result === 'object' && result !== null && 'then' in result && typeof result.then === 'function'

const refuseProblem = (verdict: InputVerdict): void => {
  if ('problem' in verdict) throw new JobqError('usage', `payload: ${verdict.problem}`)
}

const verdictOf = (result: SchemaResult<unknown>): InputVerdict =>
  result.issues === undefined ? result : { problem: describeIssues(result) }

const describeIssues = ({ issues }: SchemaFailure): string => {
  const texts = issues.slice(0, 10).map(({ message, path }) => `${pathText(path ?? [])}: ${message}`)
  return texts.join('; ') + (issues.length > 10 ? `; and ${issues.length - 10} more` : '')
}

const pathText = (path: NonNullable<SchemaFailure['issues'][number]['path']>): string => {
  const keys = path.map((step) => (typeof step === 'object' ? step.key : step))
  return `$${keys.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('')}`
}
