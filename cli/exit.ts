import type { ErrorCode } from '../src/errors.ts'

/** Ends the program with this exit code; the message, if any, goes to stderr. */
export class Exit extends Error {
  readonly code: number
  constructor(code: number, message = '') {
    super(message)
    this.code = code
  }
}

/** The exit code for each code of an error. */
export const exitCodes: Readonly<Record<ErrorCode, number>> = {
  usage: 2,
  'not-found': 3,
  duplicate: 5,
  conflict: 1,
  unavailable: 75,
  permission: 77,
  unusable: 78,
  timeout: 124,
}
