import type { Clock } from '../../clock.ts'
import { throttledUntil } from './start-rates.ts'
import type { Store } from './store.ts'

/** How often a waiting worker looks for writers that rang no bell (plain SQL clients), in milliseconds. */
const pollMs = 200

/** Waits for work: until the bell rings, a foreign write shows, a scheduled job comes due, or time is up. */
export class Waiter {
  readonly #store: Store
  readonly #clock: Clock
  #rung = false
  #wake: (() => void) | null = null
  #version: unknown
  /** Scheduled jobs that were due until then (epoch milliseconds) have been told of: once is enough, even if they cannot be taken yet. */
  #toldUntil = 0

  constructor(store: Store, clock: Clock) {
    this.#store = store
    this.#clock = clock
    this.#version = this.#dataVersion()
  }

  /** Lets the present wait end, or the next one at once. */
  readonly ring = (): void => {
    this.#rung = true
    this.#wake?.()
  }

  /** Resolves when there may be work; one wait at a time. */
  async wait(options: { readonly signal: AbortSignal; readonly timeoutMs: number }): Promise<void> {
    const end = performance.now() + options.timeoutMs
    options.signal.addEventListener('abort', this.ring)
    try {
      while (!this.#rung && !options.signal.aborted && !this.#foreignWrite()) {
        const leftMs = Math.min(end - performance.now(), this.#untilDue(), pollMs)
        if (leftMs <= 0) break
        await this.#sleep(leftMs)
      }
    } finally {
      options.signal.removeEventListener('abort', this.ring)
      this.#rung = false
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #dataVersion(): unknown {
    return this.#store.value('PRAGMA data_version')
  }

  #foreignWrite(): boolean {
    const version = this.#dataVersion()
    const changed = version !== this.#version
    this.#version = version
    return changed
  }

  #untilDue(): number {
    const now = this.#clock.now().at
    const next = 'SELECT due_at FROM jobq_jobs WHERE state = 2 AND due_at > ? ORDER BY due_at LIMIT 1'
    const dueAt = this.#store.value(next, this.#toldUntil)
    const throttledMs = throttledUntil(this.#store, now) - now
    if (typeof dueAt !== 'number') return throttledMs
    if (dueAt <= now) this.#toldUntil = now
    return Math.min(dueAt - now, throttledMs)
  }
}
