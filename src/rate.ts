import { JobqError } from './errors.ts'
import { quote } from './quote.ts'

/** So many starts in so many milliseconds. */
export interface Rate {
  readonly count: number
  readonly perMs: number
}

const periodMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const units = Object.keys(periodMs) as (keyof typeof periodMs)[]
const maxCount = 1_000_000_000

/**
 * A rate: a whole number of at least 1 a second, minute, hour or day (`10/s`, `100/m`, `5000/h`, `2/d`); null for `none`.
 * @throws JobqError `usage` for anything else
 */
export const parseRate = (value: string): Rate | null => {
  if (value === 'none') return null
  const [, digits = '', unit] = /^(\d{1,10})\/([smhd])$/.exec(value) ?? []
  const count = Number(digits)
  const found = units.find((each) => each === unit)
  if (found === undefined || count < 1 || count > maxCount) {
    throw new JobqError('usage', `${quote(value)} is not a rate (such as 10/s, 100/m, 5000/h, 2/d or none)`)
  }
  return { count, perMs: periodMs[found] }
}

/** A rate as the text that `parseRate` reads back to the same. */
export const formatRate = (rate: Rate | null): string => {
  if (rate === null) return 'none'
  const unit = units.find((each) => periodMs[each] === rate.perMs)
  if (unit === undefined) throw new RangeError(`no unit of a rate lasts ${rate.perMs} ms`)
  return `${rate.count}/${unit}`
}
