import { JobqError } from '../errors.ts'

/**
 * Calls a function of the user's configuration.
 * @throws JobqError `usage` that names it, with what it throws
 */
export const ofUser = <T>(name: string, call: () => T): T => {
  try {
    return call()
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new JobqError('usage', `${name}: ${message}`, { cause: error })
  }
}
