import { constants } from 'node:buffer'
import fs from 'node:fs'
import { JobqError } from '../src/errors.ts'
import { quote } from '../src/quote.ts'

/**
 * The bytes of a file, or of stdin for `-`.
 * @throws JobqError `usage` when they cannot be read, saying which
 */
export const readBytes = (file: string): Buffer => {
  try {
    return file === '-' ? readStdin() : fs.readFileSync(file)
  } catch (error) {
    const reason =
      error instanceof Error ? error.message.replace(/^[A-Z]+: /, '').replace(/, \w+( '.*')?$/, '') : String(error)
    throw new JobqError('usage', `${file === '-' ? 'standard input' : quote(file)}: ${reason}`, { cause: error })
  }
}

const pause = new Int32Array(new SharedArrayBuffer(4))

const readStdin = (): Buffer => {
  const pieces: Buffer[] = []
  for (;;) {
    const piece = Buffer.allocUnsafe(65_536)
    try {
      const length = fs.readSync(0, piece)
      if (length === 0) return Buffer.concat(pieces)
      pieces.push(piece.subarray(0, length))
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : null
      if (code === 'EOF') return Buffer.concat(pieces)
      // An empty pipe that was opened without blocking, by whoever shares it.
      if (code !== 'EAGAIN') throw error
      Atomics.wait(pause, 0, 0, 5)
    }
  }
}

/**
 * The text of a file, or of stdin for `-`.
 * @throws JobqError `usage` when it cannot be read or is not UTF-8
 */
export const readText = (file: string): string => {
  const bytes = readBytes(file)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    const what = bytes.length > constants.MAX_STRING_LENGTH ? 'too long: more than 512M at once' : 'not UTF-8 text'
    throw new JobqError('usage', `${file === '-' ? 'standard input' : quote(file)} is ${what}`, { cause: error })
  }
}

/**
 * What a file, or stdin for `-`, gives a command to read: text where it can be kept as text, else its bytes.
 * @throws JobqError `usage` when it cannot be read
 */
export const readInput = (file: string): string | Uint8Array => {
  const bytes = readBytes(file)
  if (bytes.includes(0)) return bytes
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return bytes
  }
}

/** The JSON text that a payload argument means: itself, `-` for stdin, `@FILE` for a file. */
export const payloadText = (argument: string): string => {
  if (argument === '-') return readText('-')
  return argument.startsWith('@') ? readText(argument.slice(1)) : argument
}
