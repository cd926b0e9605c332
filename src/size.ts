import { JobqError } from './errors.ts'
import { quote } from './quote.ts'

const units = ['', 'k', 'm', 'g', 't']

/**
 * A size in whole bytes. Text is a number with `k`, `M`, `G` or `T` (powers of 1024, in either case, also as
 * `KiB` or `KB`) or none; a JS number is bytes.
 * @throws JobqError `usage` for anything else, negative and endless values included
 */
export const parseSize = (value: string | number): number => {
  const bytes = typeof value === 'number' ? value : textToBytes(value)
  if (bytes === null || !(bytes >= 0 && bytes <= Number.MAX_SAFE_INTEGER)) {
    throw new JobqError('usage', `${quote(value)} is not a size (such as 4096, 64k, 256M or 1G)`)
  }
  return Math.round(bytes)
}

const textToBytes = (text: string): number | null => {
  const short = typeof text === 'string' && text.length <= 64
  const match = short ? /^(\d+(?:\.\d+)?)(?:([kmgt])(?:i?b)?|b)?$/i.exec(text) : null
  return match && Number(match[1]) * 1024 ** units.indexOf((match[2] ?? '').toLowerCase())
}

/** A size in bytes for people, in the largest unit that leaves at least 1: `512`, `64k`, `1.5M`. */
export const formatSize = (bytes: number): string => {
  const power = bytes < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10))
  const count = bytes / 1024 ** power
  const unit = ['', 'k', 'M', 'G', 'T'][power]
  return `${Number.isInteger(count) ? count : count.toFixed(1)}${unit}`
}
