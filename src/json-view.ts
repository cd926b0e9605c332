import { maxJsonDepth } from './json.ts'

/**
 * A value as JSON shows it, for people and scripts that look at what other serializers keep: instants as ISO text, bytes as
 * base64, big integers in decimal, maps as lists of pairs, sets as lists; what has no text at all is named in brackets.
 */
export const jsonView = (value: unknown): unknown => (isJson(value, 0) ? value : view(value, new Set()))

/** True of what JSON can hold as it is: most values, which need no copy. */
const isJson = (value: unknown, depth: number): boolean => {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object' || depth > maxJsonDepth) return false
  if (Array.isArray(value)) return value.every((member) => isJson(member, depth + 1))
  return (
    Object.getPrototypeOf(value) === Object.prototype &&
    Object.values(value).every((member) => isJson(member, depth + 1))
  )
}

const view = (value: unknown, above: Set<object>): unknown => {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'number' && !Number.isFinite(value)) return `[${value}]`
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? '[invalid date]' : value.toISOString()
  if (value instanceof RegExp || value instanceof Error) return String(value)
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
  if (value instanceof ArrayBuffer) return Buffer.from(value).toString('base64')
  if (above.has(value)) return '[circular]'
  above.add(value)
  const shown = members(value, above)
  above.delete(value)
  return shown
}

const members = (value: object, above: Set<object>): unknown => {
  if (Array.isArray(value)) return Array.from(value, (member) => view(member ?? null, above))
  if (value instanceof Map) return [...value].map((pair) => view(pair, above))
  if (value instanceof Set) return [...value].map((member) => view(member, above))
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, view(member, above)]))
}
