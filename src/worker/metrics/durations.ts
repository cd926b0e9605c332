/** The upper bounds of the buckets that durations are counted in, in seconds. */
export const bucketBounds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1_800, 3_600] as const

const boundsMs = bucketBounds.map((seconds) => seconds * 1_000)

/** How many durations fell into each bucket. */
export class Durations {
  /** By bucket, and behind them those that are longer than all bounds. */
  readonly counts: number[] = new Array(boundsMs.length + 1).fill(0)
  sumMs = 0

  /** Counts one, in milliseconds; a clock that was set back counts as no time at all. */
  observe(durationMs: number): void {
    const duration = Math.max(0, durationMs)
    let bucket = 0
    while (bucket < boundsMs.length && duration > (boundsMs[bucket] ?? 0)) bucket += 1
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1
    this.sumMs += duration
  }
}
