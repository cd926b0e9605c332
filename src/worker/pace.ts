/**
 * How far ahead to hand out jobs. A child should have enough waiting to stay busy while its results travel
 * to the broker and back, and no more: what waits in one child cannot start in another. So the window is a
 * span of work, not a number of jobs: hundreds of microsecond jobs, or one job that takes a second.
 */

/** The work, in milliseconds, that a child should have in its hands. */
const workAheadMs = 12
/** The most jobs in one child's hands. */
const maxWindow = 1_024
/** Jobs longer than this are not even claimed before a child is free for them. */
const claimAheadMs = 1_000
/** Weight of the newest observation. */
const freshness = 0.25
/** A run counts for no more than so many times the usual duration of its task, or so many milliseconds where that is more. */
const outlier = 8
const leastOutlierMs = 0.05

/** Observed run times, by task and over all. */
export class Pace {
  readonly #byTask = new Map<string, number>()
  #overall: number | null = null

  /** Takes the run time of jobs that just ended, in milliseconds: of one, or of `count` on average. */
  observe(task: string, runMs: number, count = 1): void {
    const before = this.#byTask.get(task)
    // One that stood still with the machine says little of the others.
    const tellingMs = before === undefined ? runMs : Math.min(runMs, Math.max(before * outlier, leastOutlierMs))
    this.#byTask.set(task, before === undefined ? runMs : drawn(before, tellingMs, 1 - (1 - freshness) ** count))
    const overall = this.#overall ?? runMs
    this.#overall = drawn(overall, tellingMs, 1 - (1 - freshness / 4) ** count)
  }

  /** Expected run time of a task in milliseconds; infinite while unknown. */
  expected(task: string): number {
    return this.#byTask.get(task) ?? Number.POSITIVE_INFINITY
  }

  /** Jobs that one child should have in its hands, as things go. */
  get window(): number {
    if (this.#overall === null) return 1
    return Math.max(1, Math.min(maxWindow, Math.ceil(workAheadMs / Math.max(this.#overall, 0.001))))
  }

  /** Jobs to hold back for each child beyond its window. */
  get ahead(): number {
    return this.#overall !== null && this.#overall < claimAheadMs ? this.window : 0
  }

  /** True for a job behind which others may be handed to the same child. */
  isShort(expectedMs: number): boolean {
    return expectedMs < workAheadMs
  }

  /** True when a child with this much expected work and this many jobs can take another. */
  hasRoom(expectedMs: number, jobs: number): boolean {
    return jobs === 0 || (this.isShort(expectedMs) && jobs < maxWindow)
  }
}

const drawn = (from: number, towards: number, weight: number): number => from + (towards - from) * weight
