import fs from 'node:fs'
import { JobqError } from '../src/errors.ts'

/**
 * Refuses parameters that are not UTF-8, which Node has changed already: the command or name meant is not the one that
 * arrived. Only where the system shows the bytes.
 * @throws JobqError `usage`
 */
export const checkEncoding = (parameters: readonly string[]): void => {
  const suspect = parameters.find((parameter) => parameter.includes('\ufffd'))
  if (suspect === undefined || !fs.existsSync('/proc/self/cmdline')) return
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(fs.readFileSync('/proc/self/cmdline'))
  } catch (error) {
    throw new JobqError('usage', `the argument ${JSON.stringify(suspect)} is not UTF-8 text`, { cause: error })
  }
}
