import { maxTimerMs } from '../clock.ts'

/** Something that changes now and then, and is waited for. */
export class Changes {
  #next = Promise.withResolvers<void>()

  /** It has changed. */
  tell(): void {
    this.#next.resolve()
    this.#next = Promise.withResolvers<void>()
  }

  /** Waits until something holds, looking at each change; false when the time, in milliseconds, ran out first. */
  async until(holds: () => boolean, timeoutMs?: number): Promise<boolean> {
    let late = false
    const expire = (): void => {
      late = true
      this.tell()
    }
    const timer = timeoutMs === undefined ? undefined : setTimeout(expire, Math.min(timeoutMs, maxTimerMs))
    while (!late && !holds()) await this.#next.promise
    clearTimeout(timer)
    return holds()
  }
}
