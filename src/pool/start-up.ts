/**
 * Children that die before they are ready, again and again: there is something wrong with the tasks or the machine,
 * and a new child each moment would only make it worse. One at a time is tried, with growing delays, until one starts.
 */
import type { StartTrouble } from './pool.ts'

const firstDelayMs = 100
const lastDelayMs = 30_000
/** So many failures in a row are worth a word. */
export const failuresToTell = 3

/** Longer than any delay: a child that lasted so long was none of those that fail. */
const forgivenAfterMs = 2 * lastDelayMs

/** How a child has failed; `begunTick` is of `performance.now`. */
export interface Failure {
  readonly detail: string
  readonly begunTick: number
  readonly wasReady: boolean
}

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
  /** Failures in a row; kept when a child is ready, in case that it dies before it has done anything. */
  #failures = 0
  #failing = false
  #timer: NodeJS.Timeout | null = null
  #delayMs = 0
  #detail = ''
  #failedTick = 0

  constructor(parts: StartUpParts) {
    this.#parts = parts
  }

  /** True when another child may be started beside `starting` others that are not ready yet. */
  mayStart(starting: number): boolean {
    return this.#timer === null && (!this.#failing || starting === 0)
  }

  /** Milliseconds between the last failure and the next start; 0 when nothing waits. */
  get delayMs(): number {
    return this.#timer === null ? 0 : this.#delayMs
  }

  /** Null while children start, or have failed to only once or twice. */
  get trouble(): Omit<StartTrouble, 'ready'> | null {
    if (!this.#failing || this.#failures < failuresToTell) return null
    return { failures: this.#failures, detail: this.#detail, retryInMs: this.delayMs }
  }

  /** A child has died before it was ready, or had anything to do. Those begun before the last failure are part of it. */
  failed({ detail, begunTick, wasReady }: Failure): void {
    if (this.#timer !== null || (this.#failing && begunTick < this.#failedTick)) return
    const now = performance.now()
    if (!this.#failing && (!wasReady || now - this.#failedTick > forgivenAfterMs)) this.#failures = 0
    this.#failing = true
    this.#failures += 1
    this.#failedTick = now
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
    const told = this.trouble !== null
    this.stop()
    this.#failing = false
    if (told) this.#parts.tell()
  }

  /** Starts nothing more by itself. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }
}
