import { type EventLoopUtilization, performance } from 'node:perf_hooks'
import type { WorkerDump } from '../control/result.ts'

const everyMs = 1_000

/** How much this process's event loop has to do, measured by a timer a second and by Node's own count. */
export class LoopDelay {
  #timer: NodeJS.Timeout | undefined
  #delayMs = 0
  #maxDelayMs = 0
  #utilization: EventLoopUtilization = performance.eventLoopUtilization()

  /** Begins to measure; keeps no process alive. */
  start(): void {
    let due = performance.now() + everyMs
    this.#timer = setInterval(() => {
      const now = performance.now()
      this.#delayMs = Math.max(0, now - due)
      this.#maxDelayMs = Math.max(this.#maxDelayMs, this.#delayMs)
      due = now + everyMs
    }, everyMs).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** What was measured since the last call. */
  take(): WorkerDump['eventLoop'] {
    const before = this.#utilization
    this.#utilization = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(this.#utilization, before)
    const taken = { delayMs: rounded(this.#delayMs), maxDelayMs: rounded(this.#maxDelayMs) }
    this.#maxDelayMs = this.#delayMs
    return { ...taken, utilization: rounded(utilization) }
  }
}

const rounded = (value: number): number => Math.round(value * 1_000) / 1_000
