import { spaceAt } from '../output/free-space.ts'
import { formatSize } from '../size.ts'

/** Space that must be there before a job is begun, in bytes; of a small file system this share. */
const neededBytes = 4 * 1024 * 1024
const neededShare = 1 / 8
/** Between two looks, in milliseconds. */
const lookEveryMs = 1_000

/** Whether there is room for the output of further jobs; says so when that changes. */
export class DiskSpace {
  readonly #folder: string
  readonly #say: (level: 'error' | 'warn', message: string) => void
  #enough = true
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor(folder: string, say: (level: 'error' | 'warn', message: string) => void) {
    this.#folder = folder
    this.#say = say
  }

  /** False while jobs would fail for want of space; not looked at more than once a second. */
  enough(): boolean {
    const now = performance.now()
    if (now - this.#lookedAt < lookEveryMs) return this.#enough
    this.#lookedAt = now
    const space = spaceAt(this.#folder)
    const enough = space === null || space.availableBytes >= Math.min(neededBytes, space.totalBytes * neededShare)
    if (enough === this.#enough) return enough
    this.#enough = enough
    const free = `${this.#folder}: ${formatSize(space?.availableBytes ?? 0)} free`
    if (enough) this.#say('warn', `${free}; the broker is back in use`)
    else this.#say('error', `${free}, as good as no space left on the device; nothing is claimed until it is back`)
    return enough
  }

  /** Has the next question answered by a look: a job has just met a full disk. */
  lookAgain(): void {
    this.#lookedAt = Number.NEGATIVE_INFINITY
  }
}
