import type { ForkedChild } from './forked-child.ts'
import type { Found, RunJob } from './pool.ts'

/** Children that load the tasks beside a pool, so that nothing waits for them. */
export class Standby<J extends RunJob> {
  readonly #children = new Map<ForkedChild<J>, PromiseWithResolvers<Found>>()

  get size(): number {
    return this.#children.size
  }

  /**
   * Takes one in; resolves when it has loaded the tasks.
   * @throws Error saying how it died before, or the signal's reason
   */
  async add(child: ForkedChild<J>, signal: AbortSignal): Promise<Found> {
    const loading = Promise.withResolvers<Found>()
    this.#children.set(child, loading)
    const abort = (): void => loading.reject(signal.reason)
    signal.addEventListener('abort', abort)
    if (signal.aborted) abort()
    try {
      return await loading.promise
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  has(child: ForkedChild<J>): boolean {
    return this.#children.has(child)
  }

  /** It has loaded the tasks; false if it is none of these. */
  loaded(child: ForkedChild<J>, found: Found): boolean {
    this.#children.get(child)?.resolve(found)
    return this.has(child)
  }

  /** It is dead; false if it was none of these. */
  died(child: ForkedChild<J>, detail: string): boolean {
    this.#children.get(child)?.reject(new Error(detail))
    return this.#children.delete(child)
  }

  /** Lets it go, to join the pool; false if it has died. */
  release(child: ForkedChild<J>): boolean {
    return this.#children.delete(child)
  }

  kill(): void {
    for (const child of this.#children.keys()) child.kill()
  }
}
