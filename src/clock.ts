/** Epoch milliseconds of one instant together with the monotonic reading taken beside it. */
export interface Moment {
  /** Milliseconds since the Unix epoch: what people and schedules mean by time. May jump. */
  readonly at: number
  /** Milliseconds of the machine's monotonic clock: what leases are counted in. Never jumps. */
  readonly tick: number
}

/** Where every part of jobq gets its time from; tests inject their own. */
export interface Clock {
  now(): Moment
}

// `performance.now` reads the same clock as `process.hrtime`, from another zero, and far more cheaply.
const monotonicZero = Number(process.hrtime.bigint() / 1000n) / 1000 - performance.now()

/** The machine's clocks. `tick` is CLOCK_MONOTONIC, comparable between processes of one boot. */
export const systemClock: Clock = {
  now: () => ({ at: Date.now(), tick: monotonicZero + performance.now() }),
}

/** The longest delay one timer can hold (2^31 - 1 ms); longer ones must be taken in steps. */
export const maxTimerMs = 2 ** 31 - 1
