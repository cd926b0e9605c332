/**
 * Points in time as people write them. What names a time of day without an offset is meant in a time zone:
 * the machine's own, or a named one. A time that a clock change skips is taken as much later as the gap is
 * long, one that it repeats is taken the first time (as Temporal's "compatible" does). JavaScript's Date
 * alone serves the machine's own zone, Intl gives the offsets of a named one; a date library would only be
 * loaded for those few lines, and this file is read at every start of `jobq enqueue`.
 */
import { parseDuration } from './duration.ts'
import { JobqError } from './errors.ts'
import { quote } from './quote.ts'

/** The last instant a Date can hold, in epoch milliseconds. */
const lastInstant = 8.64e15

const timeOfDay = String.raw`([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:[.](\d{1,9}))?)?`
const dateTime = new RegExp(`^(\\d{4})-(\\d\\d)-(\\d\\d)(?:[Tt ]${timeOfDay}(Z|z|[+-]\\d\\d:\\d\\d)?)?$`)
const clockTime = new RegExp(`^(?:(today|tomorrow) +)?${timeOfDay}$`)
const sinceEpoch = /^@(\d{1,16}(?:\.\d{1,9})?)$/

interface WallTime {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  readonly day: number
  /** Milliseconds since midnight. */
  readonly timeMs: number
}

/**
 * An instant in epoch milliseconds: RFC 3339 (also without an offset or a time), `HH:MM` (its next
 * occurrence after `now`), `today HH:MM`, `tomorrow HH:MM`, `now` or `@seconds` since the epoch. `now` is
 * epoch milliseconds, `zone` an IANA name (default: the machine's).
 * @throws JobqError `usage`
 */
export const parseInstant = (text: string, now: number, zone?: string): number => {
  const at = typeof text === 'string' && text.length <= 64 ? read(text, now, zone) : null
  if (at === null || !(Math.abs(at) <= lastInstant))
    throw notAnInstant(text, '2030-01-31T08:00:00Z, 08:00, tomorrow 03:00 or @1893484800')
  return at
}

/**
 * An instant in the past, in epoch milliseconds: anything `parseInstant` reads (`HH:MM` is its last
 * occurrence), or an age as a duration before `now` (`2h`, `10 min ago`).
 * @throws JobqError `usage`
 */
export const parseSince = (text: string, now: number, zone?: string): number => {
  const clock = clockTime.exec(text)
  if (clock && clock[1] === undefined) {
    const today = wallTime(now, zone)
    const at = toInstant({ ...today, timeMs: timeOf(clock, 2) }, zone)
    return at <= now ? at : toInstant({ ...today, day: today.day - 1, timeMs: timeOf(clock, 2) }, zone)
  }
  const at = text.length <= 64 ? read(text, now, zone) : null
  if (at !== null && Math.abs(at) <= lastInstant) return at
  try {
    return (
      now -
      parseDuration(text.replace(/ ago$/, '').replace(/ ?(sec|min|hour|day|week)s?$/, (unit) => unit.trim().charAt(0)))
    )
  } catch {
    throw notAnInstant(text, '2h, 10 min ago, 08:00 or 2030-01-31T08:00:00Z')
  }
}

const notAnInstant = (text: string, examples: string): JobqError =>
  new JobqError('usage', `${quote(text)} is not a point in time (such as ${examples})`)

const read = (text: string, now: number, zone: string | undefined): number | null => {
  if (text === 'now') return now
  const epoch = sinceEpoch.exec(text)
  if (epoch) return Math.round(Number(epoch[1]) * 1_000)
  const clock = clockTime.exec(text)
  if (clock) return nextTime(clock, now, zone)
  const date = dateTime.exec(text)
  return date && dated(date, zone)
}

const timeOf = (match: RegExpExecArray, index: number): number => {
  const [hour, minute, second] = [0, 1, 2].map((offset) => Number(match[index + offset] ?? 0))
  const fraction = Math.trunc(Number(`0.${match[index + 3] ?? 0}`) * 1_000)
  return (((hour ?? 0) * 60 + (minute ?? 0)) * 60 + (second ?? 0)) * 1_000 + fraction
}

const nextTime = (match: RegExpExecArray, now: number, zone: string | undefined): number => {
  const today = wallTime(now, zone)
  const onDay = (days: number): number => toInstant({ ...today, day: today.day + days, timeMs: timeOf(match, 2) }, zone)
  if (match[1] === 'today') return onDay(0)
  if (match[1] === 'tomorrow') return onDay(1)
  return onDay(0) > now ? onDay(0) : onDay(1)
}

const dated = (match: RegExpExecArray, zone: string | undefined): number | null => {
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  const midnight = utc({ year, month, day, timeMs: 0 })
  const date = new Date(midnight)
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null
  const timeMs = timeOf(match, 4)
  const offset = match[8]
  if (offset === undefined) return toInstant({ year, month, day, timeMs }, zone)
  if (offset.toUpperCase() === 'Z') return midnight + timeMs
  const [hours, minutes] = [Number(offset.slice(1, 3)), Number(offset.slice(4))]
  if (hours > 23 || minutes > 59) return null
  return midnight + timeMs - (offset.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000
}

const utc = ({ year, month, day, timeMs }: WallTime): number => {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  return date.getTime() + timeMs
}

/** What a clock in the zone shows at an instant. */
const wallTime = (at: number, zone: string | undefined): WallTime => {
  const shown = new Date(at + offsetMs(at, zone))
  const day = { year: shown.getUTCFullYear(), month: shown.getUTCMonth() + 1, day: shown.getUTCDate() }
  return { ...day, timeMs: shown.getTime() - utc({ ...day, timeMs: 0 }) }
}

const offsetMs = (at: number, zone: string | undefined): number => {
  if (zone === undefined) return -new Date(at).getTimezoneOffset() * 60_000
  const name =
    offsetFormat(zone)
      .formatToParts(at)
      .find(({ type }) => type === 'timeZoneName')?.value ?? ''
  const match = /([+-])(\d\d):(\d\d)(?::(\d\d))?/.exec(name)
  if (!match) return 0
  const seconds = (Number(match[2]) * 60 + Number(match[3])) * 60 + Number(match[4] ?? 0)
  return (match[1] === '-' ? -1 : 1) * seconds * 1_000
}

const offsetFormat = (zone: string): Intl.DateTimeFormat => {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' })
  } catch {
    throw new JobqError('usage', `${quote(zone)} is not a time zone (such as UTC or Europe/Berlin)`)
  }
}

/** The instant at which a clock in the zone shows this; offsets change at most once within the day around it. */
const toInstant = (wall: WallTime, zone: string | undefined): number => {
  const asUtc = utc(wall)
  const before = offsetMs(asUtc - 86_400_000, zone)
  const after = offsetMs(asUtc + 86_400_000, zone)
  const fits = [before, after].map((offset) => asUtc - offset).filter((at) => at + offsetMs(at, zone) === asUtc)
  return fits.length > 0 ? Math.min(...fits) : asUtc - before
}
