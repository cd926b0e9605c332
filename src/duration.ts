import { JobqError } from './errors.ts'
import { quote } from './quote.ts'

/** The longest duration accepted, in milliseconds (about 126,000 years): added to any present instant it is still a date. */
export const maxDurationMs = 4e15

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}
const number = String.raw`(\d+(?:\.\d+)?)`
const part = (unit: string): string => `(?:${number}${unit})?`
const plain = /^\d+(?:\.\d+)?$/
const withUnits = new RegExp(`^(?=\\d)${['w', 'd', 'h', 'm(?!s)', 's', 'ms'].map(part).join('')}$`)
const iso = new RegExp(`^P(?=[\\dT])${part('W')}${part('D')}(?:T(?=\\d)${['H', 'M', 'S'].map(part).join('')})?$`)

/**
 * A duration in milliseconds, rounded to whole ones. Text is a bare number of seconds (`90`), numbers with
 * units (`500ms`, `1.5s`, `5m`, `2h`, `1d`, `1h30m`) or ISO 8601 (`PT5M`; years and months have no fixed
 * length and are refused); a JS number is milliseconds.
 * @throws JobqError `usage` for anything else, negative and endless values included
 */
export const parseDuration = (value: string | number): number => {
  const ms = typeof value === 'number' ? value : textToMs(value)
  if (ms === null || !(ms >= 0 && ms <= maxDurationMs)) {
    throw new JobqError('usage', `${quote(value)} is not a duration (such as 90, 500ms, 1.5s, 5m, 2h, 1d or PT5M)`)
  }
  return Math.round(ms)
}

const textToMs = (text: string): number | null => {
  if (typeof text !== 'string' || text.length > 64) return null
  if (plain.test(text)) return Number(text) * 1_000
  const match = withUnits.exec(text)
  if (match) return sum(match, ['w', 'd', 'h', 'm', 's', 'ms'])
  const isoMatch = iso.exec(text)
  return isoMatch && sum(isoMatch, ['w', 'd', 'h', 'm', 's'])
}

const sum = (match: RegExpExecArray, units: readonly string[]): number =>
  units.reduce((total, unit, index) => total + Number(match[index + 1] ?? 0) * (unitMs[unit] ?? 0), 0)

/** A duration of whole milliseconds as the shortest text that `parseDuration` reads back to the same: `1d1h`, `1.5s`, `20ms`. */
export const formatDuration = (ms: number): string => {
  if (ms < 1_000) return `${ms}ms`
  let rest = ms
  let text = ''
  for (const unit of ['d', 'h', 'm'] as const) {
    const length = unitMs[unit] ?? 1
    const count = Math.floor(rest / length)
    if (count > 0) text += `${count}${unit}`
    rest -= count * length
  }
  return rest === 0 ? text : `${text}${rest / 1_000}s`
}
