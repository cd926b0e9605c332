import fs from 'node:fs'

/** Thrown when nobody reads our output any more; the program then ends without a word, as a pipe's writer does. */
export class ReaderGone extends Error {}

const pause = new Int32Array(new SharedArrayBuffer(4))

/**
 * Writes all of it to the file descriptor (1 is stdout, 2 stderr) before it returns, so that nothing is lost when the
 * process ends and a full disk is an error here instead of silence. What stderr does not take is dropped: there is
 * nowhere left to say so, and no reason to end.
 * @throws ReaderGone when the other end of stdout's pipe is closed
 */
export const writeAll = (descriptor: 1 | 2, text: string | Uint8Array): void => {
  let rest = typeof text === 'string' ? Buffer.from(text) : text
  while (rest.length > 0) {
    try {
      rest = rest.subarray(fs.writeSync(descriptor, rest))
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : null
      // A full pipe that was opened without blocking, by whoever shares it.
      if (code === 'EAGAIN') Atomics.wait(pause, 0, 0, 5)
      else if (descriptor === 2) return
      else if (code === 'EPIPE') throw new ReaderGone('nobody reads this', { cause: error })
      else throw new Error(`cannot write to standard output: ${reason(error)}`, { cause: error })
    }
  }
}

const reason = (error: unknown): string =>
  error instanceof Error ? error.message.replace(/^[A-Z]+: /, '').replace(/, write$/, '') : String(error)
