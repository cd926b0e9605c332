/** The arithmetic of a pool that follows its load: a load and a moment in, a size out. */

import { JobqError } from '../errors.ts'
import { quote } from '../quote.ts'

/** The largest pool. */
export const maxPoolSize = 1_024

/** Between which sizes a pool follows its load. */
export interface PoolBounds {
  readonly max: number
  readonly min: number
}

/** What a pool had to do at one moment. */
export interface PoolLoad {
  /** Jobs that could run at once if there were a child for each; counted up to 1,000, or MAX if that is more. */
  readonly waiting: number
  /** Children that run a job. */
  readonly running: number
  /** Children that are wanted. */
  readonly size: number
}

/** What an autoscaler is told. */
export interface AutoscalerState extends PoolLoad {
  readonly min: number
  readonly max: number
  /** The machine's load averages over 1, 5 and 15 minutes. */
  readonly loadavg: readonly number[]
  /** The machine's available memory in bytes. */
  readonly memFree: number
  /** The last 100 looks before this one, oldest first; `at` is epoch milliseconds. */
  readonly history: readonly (PoolLoad & { readonly at: number })[]
}

/** Says how large a pool should be; the answer is rounded and kept between `min` and `max`. */
export type AutoscalerRule = (state: AutoscalerState) => number

/** A child for each job that waits or runs. */
export const usualRule: AutoscalerRule = ({ waiting, running }) => waiting + running

/** What decides, beside the wish of a rule, how large a pool is next. */
export interface Situation {
  readonly size: number
  /** Children that do nothing. */
  readonly idle: number
  readonly min: number
  readonly max: number
  /** Milliseconds since the pool last grew. */
  readonly sinceGrowthMs: number
  readonly keepaliveMs: number
}

/**
 * The size that a pool takes when its rule wishes for `wanted`: it grows at once, and shrinks by idle children only and
 * not soon after a growth. NaN keeps the size. A pool beyond its bounds does not wait.
 */
export const nextSize = (wanted: number, situation: Situation): number => {
  const { size, idle, min, max, sinceGrowthMs, keepaliveMs } = situation
  const target = Math.max(min, Math.min(max, Number.isNaN(wanted) ? size : Math.round(wanted)))
  if (target >= size) return target
  const least = Math.max(target, size - idle)
  return sinceGrowthMs >= keepaliveMs ? least : Math.max(least, Math.min(size, max))
}

/**
 * Bounds as somebody gave them, checked.
 * @throws JobqError `usage` showing them
 */
export const checkBounds = (max: unknown, min: unknown): PoolBounds => {
  if (!isSize(max) || !isSize(min)) {
    throw new JobqError('usage', `${quote(max)},${quote(min)}: MAX and MIN are whole numbers from 1 to ${maxPoolSize}`)
  }
  if (max < min) throw new JobqError('usage', `${max},${min}: MAX, which comes first, is less than MIN`)
  return { max, min }
}

const isSize = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= maxPoolSize
