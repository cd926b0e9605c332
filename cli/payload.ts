import fs from 'node:fs'
import { JobqError } from '../src/errors.ts'
import { quote } from '../src/quote.ts'

/**
 * The bytes of a file, or of stdin for `-`.
 * @throws JobqError `usage` when they cannot be read, saying which
 */
export const readBytes = (file: string): Buffer => {
  try {
    return fs.readFileSync(file === '-' ? 0 : file)
  } catch (error) {
    const reason =
      error instanceof Error ? error.message.replace(/^[A-Z]+: /, '').replace(/, \w+( '.*')?$/, '') : String(error)
    throw new JobqError('usage', `${file === '-' ? 'standard input' : quote(file)}: ${reason}`, { cause: error })
  }
}

/**
 * The text of a file, or of stdin for `-`.
 * @throws JobqError `usage` when it cannot be read or is not UTF-8
 */
export const readText = (file: string): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readBytes(file))
  } catch (error) {
    if (error instanceof JobqError) throw error
    throw new JobqError('usage', `${file === '-' ? 'standard input' : quote(file)} is not UTF-8 text`, { cause: error })
  }
}

/** The JSON text that a payload argument means: itself, `-` for stdin, `@FILE` for a file. */
export const payloadText = (argument: string): string => {
  if (argument === '-') return readText('-')
  return argument.startsWith('@') ? readText(argument.slice(1)) : argument
}
