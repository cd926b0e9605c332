import type { Progress } from '../job.ts'

const pattern = /^JOBQ_PROGRESS (\d+(?:\.\d*)?|\.\d+)(?: (.*))?$/
const beginning = 'JOBQ_PROGRESS '
const longestLine = 4_096

/** The progress that a line of a command's output tells (`JOBQ_PROGRESS 0.5 text`, the fraction from 0 to 1); null for any other line. */
export const parseProgressLine = (line: string): Progress | null => {
  const match = line.startsWith(beginning) ? pattern.exec(line.trimEnd()) : null
  const fraction = Number(match?.[1])
  return match && fraction <= 1 ? { fraction, text: match[2]?.trim() || null } : null
}

/** Takes progress lines out of a stream that comes in pieces, byte for byte otherwise. */
export class ProgressLineFilter {
  /** The beginning of a line that may turn out to be one of them. */
  #held = Buffer.alloc(0)
  #atLineStart = true

  /** What can be passed on now. */
  push(data: Buffer): Buffer {
    const all = this.#held.length === 0 ? data : Buffer.concat([this.#held, data])
    this.#held = Buffer.alloc(0)
    const kept: Buffer[] = []
    for (let start = 0; start < all.length; ) {
      const newline = all.indexOf(10, start)
      const end = newline === -1 ? all.length : newline + 1
      const line = all.subarray(start, end)
      start = end
      if (this.#atLineStart && newline === -1 && mayBecomeProgress(line)) this.#held = Buffer.from(line)
      else {
        if (!this.#atLineStart || parseProgressLine(line.toString('utf8')) === null) kept.push(line)
        this.#atLineStart = newline !== -1
      }
    }
    return kept.length === 1 && kept[0] ? kept[0] : Buffer.concat(kept)
  }

  /** What is left at the end of the stream. */
  end(): Buffer {
    const held = this.#held
    this.#held = Buffer.alloc(0)
    return parseProgressLine(held.toString('utf8')) === null ? held : Buffer.alloc(0)
  }
}

const mayBecomeProgress = (line: Buffer): boolean => {
  if (line.length > longestLine) return false
  const text = line.toString('latin1')
  return text.length < beginning.length ? beginning.startsWith(text) : text.startsWith(beginning)
}
