import type { Clock } from '../../clock.ts'
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
    const dueAt = this.#store.value('SELECT due_at FROM jobq_jobs WHERE state = 2 ORDER BY due_at LIMIT 1')
    return typeof dueAt === 'number' ? dueAt - this.#clock.now().at : Number.POSITIVE_INFINITY
  }
}
