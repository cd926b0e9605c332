/**
 * Children that die before they are ready, again and again: there is something wrong with the tasks or the machine,
 * and a new child each moment would only make it worse. One at a time is tried, with growing delays, until one starts.
 */
import type { StartTrouble } from './pool.ts'

const firstDelayMs = 100
const lastDelayMs = 30_000
/** So many failures in a row are worth a word. */
export const failuresToTell = 3

/** What `StartUp` works with. */
export interface StartUpParts {
  /** Called when it is time for the next start. */
  readonly retry: () => void
  /** Called with each failure that makes trouble, and when children start again. */
  readonly tell: () => void
}

/** When the children of a pool may be started. */
export class StartUp {
  readonly #parts: StartUpParts
  #failures = 0
  #timer: NodeJS.Timeout | null = null
  #delayMs = 0
  #detail = ''
  #failedTick = 0

  constructor(parts: StartUpParts) {
    this.#parts = parts
  }

  /** True when another child may be started beside `starting` others that are not ready yet. */
  mayStart(starting: number): boolean {
    return this.#timer === null && (this.#failures === 0 || starting === 0)
  }

  /** Milliseconds between the last failure and the next start; 0 when nothing waits. */
  get delayMs(): number {
    return this.#timer === null ? 0 : this.#delayMs
  }

  /** Null while children start, or have failed to only once or twice. */
  get trouble(): Omit<StartTrouble, 'ready'> | null {
    if (this.#failures < failuresToTell) return null
    return { failures: this.#failures, detail: this.#detail, retryInMs: this.delayMs }
  }

  /** A child has died before it was ready. Those begun before the last failure are part of it; `begunTick` is of `performance.now`. */
  failed(detail: string, begunTick: number): void {
    if (this.#timer !== null || (this.#failures > 0 && begunTick < this.#failedTick)) return
    this.#failures += 1
    this.#failedTick = performance.now()
    this.#delayMs = Math.min(lastDelayMs, firstDelayMs * 2 ** (this.#failures - 1))
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#parts.retry()
    }, this.#delayMs)
    this.#detail = detail
    if (this.trouble !== null) this.#parts.tell()
  }

  /** A child is ready. */
  succeeded(): void {
    const told = this.#failures >= failuresToTell
    this.stop()
    this.#failures = 0
    if (told) this.#parts.tell()
  }

  /** Starts nothing more by itself. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }
}
