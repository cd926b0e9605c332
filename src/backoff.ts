import { formatDuration, parseDuration } from './duration.ts'
import { JobqError } from './errors.ts'
import type { Backoff } from './job.ts'
import { quote } from './quote.ts'

const grammar = /^(exponential|linear|fixed):([^.,]+(?:\.\d[^.,]*)?)(?:\.\.([^,]+))?(?:,(jitter|nojitter))?$/

/**
 * Reads `exponential:2s..10m` (full jitter unless `,nojitter`), `linear:5s` and `fixed:30s` (exact unless
 * `,jitter`). The part after `..` is the longest delay; without it there is none.
 * @throws JobqError `usage`
 */
export const parseBackoff = (text: string): Backoff => {
  const match = typeof text === 'string' && text.length <= 200 ? grammar.exec(text) : null
  if (!match) throw malformed(text)
  const [, name, base, max, jitter] = match
  const kind = name === 'exponential' || name === 'linear' ? name : 'fixed'
  const baseMs = parseDuration(base ?? '')
  const maxMs = max === undefined ? null : parseDuration(max)
  if (kind === 'fixed' && maxMs !== null) throw malformed(text)
  if (maxMs !== null && maxMs < baseMs) {
    throw new JobqError('usage', `${quote(text)} is not a backoff: its longest delay is shorter than its first`)
  }
  const withJitter = jitter === undefined ? kind === 'exponential' : jitter === 'jitter'
  return { kind, baseMs, ...(maxMs === null ? {} : { maxMs }), jitter: withJitter }
}

const malformed = (text: unknown): JobqError =>
  new JobqError(
    'usage',
    `${quote(text)} is not a backoff (such as exponential:2s..10m, linear:5s or fixed:30s, with ,jitter or ,nojitter)`,
  )

/** A backoff as `parseBackoff` reads it. */
export const formatBackoff = ({ kind, baseMs, maxMs, jitter }: Backoff): string => {
  const max = maxMs === undefined ? '' : `..${formatDuration(maxMs)}`
  const usual = jitter === (kind === 'exponential')
  return `${kind}:${formatDuration(baseMs)}${max}${usual ? '' : jitter ? ',jitter' : ',nojitter'}`
}
