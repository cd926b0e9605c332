/**
 * Parsers of what people type, for flags, variables and batches alike; each throws a usage error that shows the value.
 * Free of commander, so that the short way of `jobq enqueue` can use them.
 */
import { JobqError } from '../src/errors.ts'
import { checkName } from '../src/name.ts'
import { quote } from '../src/quote.ts'

/** Reads a value; throws JobqError `usage` for one it does not take. */
export type Parse<T> = (text: string) => T

/**
 * Calls `read` and puts a name (a flag, a variable, a place in a file) before the message of its usage error.
 * @throws JobqError
 */
export const named = <T>(name: string, read: () => T): T => {
  try {
    return read()
  } catch (error) {
    if (error instanceof JobqError && error.code === 'usage') {
      throw new JobqError('usage', `${name}: ${error.message}`, { cause: error })
    }
    throw error
  }
}

/** Reads a whole number between two others, both inclusive. */
export const wholeNumber =
  (min: number, max: number = Number.MAX_SAFE_INTEGER): Parse<number> =>
  (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    const range = max === Number.MAX_SAFE_INTEGER ? `, ${min} or more` : ` from ${min} to ${max}`
    throw new JobqError('usage', `${quote(text)} is not a whole number${range}`)
  }

/** Reads one of the words. */
export const oneOf =
  <const T extends string>(...words: readonly T[]): Parse<T> =>
  (text) => {
    const found = words.find((word) => word === text)
    if (found !== undefined) return found
    throw new JobqError('usage', `${quote(text)} is not one of ${words.join(', ')}`)
  }

/** Reads a name of the kind that the message shall say, such as `queue`. */
export const nameOf =
  (kind: string): Parse<string> =>
  (text) =>
    checkName(kind, text)

/** Reads a list separated by commas, each part by `parse`; an empty part is refused by most parsers. */
export const listOf =
  <T>(parse: Parse<T>): Parse<T[]> =>
  (text) =>
    text.split(',').map((part) => parse(part.trim()))

/** Reads the id of a job. */
export const jobId: Parse<number> = (text) => {
  const id = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(id)) return id
  throw new JobqError('usage', `${quote(text)} is not the id of a job`)
}

/** Reads text as it is, but not empty, and without characters that no text file has. */
export const plainText: Parse<string> = (text) => {
  if (text !== '' && !text.includes('\0') && text.isWellFormed()) return text
  throw new JobqError('usage', `${quote(text)} is not text`)
}
