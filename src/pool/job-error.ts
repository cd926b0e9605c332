import type { JobError } from '../job.ts'

const longestMessage = 8_192
const longestStack = 16_384
const deepestCause = 3

/** Whatever was thrown, as an error that can be stored: never throws itself, not for hostile objects either. */
export const toJobError = (thrown: unknown): JobError => {
  try {
    if (isErrorLike(thrown)) {
      const type = storable(typeNameOf(thrown), 128)
      const stack = stackOf(thrown, deepestCause)
      return { type, message: storable(thrown.message, longestMessage), ...(stack === '' ? {} : { stack }) }
    }
    return { type: 'Thrown', message: storable(describe(thrown), longestMessage) }
  } catch {
    return { type: 'Thrown', message: 'a value that cannot be looked at' }
  }
}

interface ErrorLike {
  readonly name?: unknown
  readonly message: string
  readonly stack?: unknown
  readonly cause?: unknown
}

const isErrorLike = (thrown: unknown): thrown is ErrorLike =>
  typeof thrown === 'object' && thrown !== null && 'message' in thrown && typeof thrown.message === 'string'

const typeNameOf = ({ name }: ErrorLike): string => (typeof name === 'string' && name !== '' ? name : 'Error')

const stackOf = ({ stack, cause }: ErrorLike, depth: number): string => {
  const own = typeof stack === 'string' ? stack : ''
  const deeper = depth > 0 && isErrorLike(cause) ? `\ncaused by: ${stackOf(cause, depth - 1) || cause.message}` : ''
  return storable(own + deeper, longestStack)
}

const describe = (thrown: unknown): string => {
  if (typeof thrown === 'string') return thrown
  if (typeof thrown === 'object' && thrown !== null) return JSON.stringify(thrown) ?? String(thrown)
  return String(thrown)
}

const storable = (text: string, longest: number): string => {
  const cut = text.length > longest ? `${text.slice(0, longest)}…` : text
  return cut.replaceAll('\0', '\u{fffd}').toWellFormed()
}
