/**
 * Watches over the time limits of one child's jobs, from outside: a child that is stuck cannot. It keeps no timer for each
 * job and is told of no start. A job that has not begun at one look cannot pass its limit before the shortest limit of
 * all has passed once more; so one timer is set for that, or for the limit of the job that runs, and at each look the
 * child's time card says which one that is, and since when.
 */
import { maxTimerMs } from '../clock.ts'
import type { RunLimits } from './pool.ts'
import { machineTick, type Punch } from './time-card.ts'

/** What a watch needs. */
export interface LimitWatchParts {
  /** The job that has begun last, as far as that is known. */
  readonly current: () => Punch | null
  /** True while the job has not come back. */
  readonly holds: (seq: number) => boolean
  /** How many jobs have not come back. */
  readonly size: () => number
  /** A job has passed its soft limit; called once for each. */
  readonly soft: (seq: number, limits: RunLimits) => void
  /** A job has passed its hard limit. */
  readonly hard: (punch: Punch, limits: RunLimits) => void
}

/** The watch over one child. */
export class LimitWatch {
  readonly #parts: LimitWatchParts
  readonly #limits = new Map<number, RunLimits>()
  #timer: NodeJS.Timeout | null = null
  /** When the next look is due. */
  #dueTick = 0
  /** The next look is due before any job with so long a limit could pass it, if it began now; in milliseconds. */
  #shortestMs = Number.POSITIVE_INFINITY
  /** The job that was told of its soft limit. */
  #warned = 0

  constructor(parts: LimitWatchParts) {
    this.#parts = parts
  }

  /** A job with limits is handed over. */
  add(seq: number, limits: RunLimits): void {
    if (this.#limits.size > 2 * this.#parts.size() + 64) this.#forgetEnded()
    this.#limits.set(seq, limits)
    const firstMs = firstOf(limits)
    if (this.#timer !== null && firstMs >= this.#shortestMs) return
    this.#shortestMs = firstMs
    const plannedMs = this.#timer === null ? Number.POSITIVE_INFINITY : this.#dueTick - performance.now()
    this.#lookIn(Math.max(0, Math.min(firstMs, plannedMs)))
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#limits.clear()
  }

  #lookIn(delayMs: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#dueTick = performance.now() + delayMs
    // The look comes after what the child has said by then has been heard.
    this.#timer = setTimeout(() => setImmediate(() => setImmediate(() => this.#look())), Math.min(delayMs, maxTimerMs))
  }

  #look(): void {
    if (this.#timer === null) return
    clearTimeout(this.#timer)
    this.#timer = null
    this.#forgetEnded()
    const now = machineTick()
    const punch = this.#parts.current()
    const running = punch === null ? undefined : this.#limits.get(punch.seq)
    // As long as jobs wait, one of them may begin right after this look.
    const waiting = this.#limits.size - (running === undefined ? 0 : 1)
    const waitMs = waiting > 0 ? Math.min(...this.#limits.values().map(firstOf)) : Number.POSITIVE_INFINITY
    this.#shortestMs = waitMs
    const dueMs = punch === null || running === undefined ? Number.POSITIVE_INFINITY : this.#judge(punch, running, now)
    const nextMs = Math.min(waitMs, dueMs)
    if (nextMs < Number.POSITIVE_INFINITY) this.#lookIn(nextMs)
  }

  /** Does what is due for the running job; milliseconds until the next of its limits. */
  #judge(punch: Punch, limits: RunLimits, now: number): number {
    const ranMs = now - punch.tick
    const leftMs = (limitMs: number | null) => (limitMs ?? Number.POSITIVE_INFINITY) - ranMs
    if (leftMs(limits.hardMs) <= 0) {
      this.#parts.hard(punch, limits)
      return Number.POSITIVE_INFINITY
    }
    if (this.#warned === punch.seq) return leftMs(limits.hardMs)
    if (leftMs(limits.softMs) > 0) return Math.min(leftMs(limits.softMs), leftMs(limits.hardMs))
    this.#warned = punch.seq
    this.#parts.soft(punch.seq, limits)
    return leftMs(limits.hardMs)
  }

  #forgetEnded(): void {
    for (const seq of this.#limits.keys()) if (!this.#parts.holds(seq)) this.#limits.delete(seq)
  }
}

const firstOf = ({ softMs, hardMs }: RunLimits): number =>
  Math.min(softMs ?? Number.POSITIVE_INFINITY, hardMs ?? Number.POSITIVE_INFINITY)
