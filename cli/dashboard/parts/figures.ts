/** Numbers, durations and instants as they stand on the screen: short, and of one width while they grow. */

/** A count with separators: `1,204`. */
export const count = (value: number): string =>
  Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',')

/** A count in little room: `1,204`, `12.4k`, `1.28M`. */
export const short = (value: number): string => {
  if (value < 10_000) return count(value)
  const [unit, sign] =
    value < 1_000_000 ? [1_000, 'k'] : value < 1_000_000_000 ? [1_000_000, 'M'] : [1_000_000_000, 'G']
  const scaled = value / Number(unit)
  return `${scaled < 100 ? scaled.toFixed(1) : Math.floor(scaled)}${sign}`
}

/** Something a second: `240/s`, `3.2/s`, `0.05/s`. */
export const rate = (perSecond: number): string => {
  if (perSecond === 0) return '0/s'
  if (perSecond >= 10) return `${short(perSecond)}/s`
  return `${perSecond >= 1 ? perSecond.toFixed(1) : perSecond.toFixed(2)}/s`
}

/** A duration in milliseconds as people say it: `12 ms`, `1.9 s`, `4m 12s`, `3h 05m`, `3d 4h`. */
export const duration = (ms: number): string => {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`
  if (ms < 60_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`
  const seconds = Math.floor(ms / 1_000)
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3_600) % 24,
    Math.floor(seconds / 60) % 60,
  ]
  if (days > 0) return `${days}d ${hours}h`
  if (hours > 0) return `${hours}h ${two(minutes)}m`
  return `${minutes}m ${two(seconds % 60)}s`
}

/** How long something is there, in minutes at the finest: it stands still for as long as it can. */
export const uptime = (ms: number): string => {
  const minutes = Math.max(0, Math.floor(ms / 60_000))
  if (minutes < 60) return `${minutes}m`
  const hours = Math.floor(minutes / 60)
  return hours < 24 ? `${hours}h ${two(minutes % 60)}m` : `${Math.floor(hours / 24)}d ${hours % 24}h`
}

/** Time that goes by, which stands at one place: `0:41`, `12:05`, `3h 04m`. */
export const elapsed = (ms: number): string => {
  const seconds = Math.max(0, Math.floor(ms / 1_000))
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60]
  return hours > 0 ? `${hours}h ${two(minutes)}m` : `${minutes}:${two(seconds % 60)}`
}

/** How long ago or in how long, in one unit, so that it seldom changes: `12 s ago`, `4m ago`, `in 2h`, `now`. */
export const distance = (at: number, now: number): string => {
  const ms = at - now
  if (Math.abs(ms) < 1_000) return 'now'
  return ms > 0 ? `in ${coarse(ms)}` : `${coarse(-ms)} ago`
}

/** A duration in one unit, so that it seldom changes: `12 s`, `4m`, `3h`, `2d`. */
export const coarse = (ms: number): string => {
  const seconds = Math.floor(ms / 1_000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m`
  return seconds < 86_400 ? `${Math.floor(seconds / 3_600)}h` : `${Math.floor(seconds / 86_400)}d`
}

/** An instant as a clock shows it: `14:32:07`. */
export const clockTime = (at: number): string => {
  const date = new Date(at)
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')
}

/** An instant as short as it can be told apart from now: the time, on another day with the day before it. */
export const moment = (at: number, now: number): string => {
  const date = new Date(at)
  if (date.toDateString() === new Date(now).toDateString()) return clockTime(at)
  return `${two(date.getMonth() + 1)}-${two(date.getDate())} ${clockTime(at)}`
}

/** Bytes: `48 MB`. */
export const bytes = (value: number): string =>
  value >= 1_000_000_000 ? `${(value / 1_000_000_000).toFixed(1)} GB` : `${Math.round(value / 1_000_000)} MB`

const two = (value: number): string => String(value).padStart(2, '0')
