/**
 * JSON that changes nothing silently. `encodeJson` writes what `JSON.stringify` defines (`toJSON` included)
 * and refuses what that would alter or drop; `decodeJson` and `checkJsonText` refuse text that would not
 * survive being read: numbers that a double cannot hold, keys that reach a prototype, nesting that exhausts
 * a reader's stack. Every refusal names the place, as in `$.items[2].size`.
 *
 * A number in text is kept when the double it is read as has the same decimal value, or when it is a
 * fraction of at most 17 significant digits, which is how programs write doubles. So 9007199254740993 and
 * 1e400 are refused; 0.1, 1e300 and 9007199254740992 are kept.
 */
import { JobqError } from './errors.ts'
import { quote } from './quote.ts'

/** The deepest nesting of arrays and objects that is accepted. */
export const maxJsonDepth = 100

type Key = string | number

/**
 * A value as JSON text.
 * @throws JobqError `usage` naming the first place that JSON would not keep as it is
 */
export const encodeJson = (value: unknown): string => {
  // What `JSON.stringify` is inside of, outermost first, and the keys between: one less.
  const holders: object[] = []
  const keys: Key[] = []
  function check(this: object, key: string, member: unknown): unknown {
    while (holders.length > 0 && holders.at(-1) !== this) {
      holders.pop()
      keys.pop()
    }
    const atTop = holders.length === 0
    const inArray = !atTop && Array.isArray(this)
    const problem =
      (atTop || inArray ? null : keyProblem(key)) ??
      lostByToJson(Reflect.get(this, key)) ??
      (member === undefined && !atTop && !inArray ? null : valueProblem(member)) ??
      (typeof member === 'object' && member !== null && holders.includes(member) ? 'a cycle' : null)
    const step = inArray ? Number(key) : key
    if (problem !== null) throw refusal(problem, atTop ? [] : [...keys, step])
    if (typeof member === 'object' && member !== null) {
      if (!atTop) keys.push(step)
      if (holders.push(member) > maxJsonDepth) throw refusal(tooDeep, keys)
    }
    return member
  }
  return JSON.stringify(value, check)
}

/**
 * The value that JSON text stands for.
 * @throws JobqError `usage` for text that is not JSON or that would not survive being read
 */
export const decodeJson = (text: string): unknown => {
  const value = parse(text)
  checkTree(value, [])
  if (mayHoldInexact.test(text)) checkTree(parse(text, markInexact), [])
  return value
}

/**
 * Gives back JSON text, unchanged, if `decodeJson` would read it.
 * @throws JobqError `usage`
 */
export const checkJsonText = (text: string): string => {
  decodeJson(text)
  return text
}

const tooDeep = `nesting deeper than ${maxJsonDepth}`

const refusal = (problem: string, path: readonly Key[]): JobqError =>
  new JobqError('usage', `${problem} cannot be kept as JSON, at ${formatPath(path)}`)

const formatPath = (path: readonly Key[]): string => {
  const steps = path.map((key) => {
    if (typeof key === 'number') return `[${key}]`
    return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${quote(key)}]`
  })
  const text = steps.length > 12 ? [...steps.slice(0, 6), '…', ...steps.slice(-6)] : steps
  return `$${text.join('')}`
}

const keyProblem = (key: string): string | null => {
  if (key === '__proto__' || key === 'constructor' || key === 'prototype') return `the key ${quote(key)}`
  return textProblem(key)
}

const textProblem = (text: string): string | null => {
  if (text.includes('\0')) return 'a NUL character'
  return text.isWellFormed() ? null : 'half of a surrogate pair'
}

/** What has a `toJSON` that hides a loss: binary data, and a date that is none. */
const lostByToJson = (original: unknown): string | null => {
  if (ArrayBuffer.isView(original)) return 'binary data'
  return original instanceof Date && Number.isNaN(original.getTime()) ? 'an invalid date' : null
}

const lossy = [Map, Set, WeakMap, WeakSet, WeakRef, Promise, RegExp, Error, ArrayBuffer, SharedArrayBuffer, BigInt]

const valueProblem = (value: unknown): string | null => {
  switch (typeof value) {
    case 'string':
      return textProblem(value)
    case 'number':
      return Number.isFinite(value) ? null : `the number ${value}`
    case 'object': {
      if (value instanceof Number || value instanceof String) return valueProblem(value.valueOf())
      if (value instanceof InexactNumber) return `the number ${value.source} would be changed and`
      const kind = lossy.find((candidate) => value instanceof candidate)
      return kind === undefined ? null : `a value of type ${kind.name}`
    }
    case 'boolean':
      return null
    case 'undefined':
      return 'undefined'
    default:
      return `a value of type ${typeof value}`
  }
}

const checkTree = (value: unknown, path: Key[]): void => {
  const problem = valueProblem(value)
  if (problem !== null) throw refusal(problem, path)
  if (typeof value !== 'object' || value === null) return
  if (path.length >= maxJsonDepth) throw refusal(tooDeep, path)
  const inArray = Array.isArray(value)
  for (const [key, member] of Object.entries(value)) {
    path.push(inArray ? Number(key) : key)
    const problemOfKey = inArray ? null : keyProblem(key)
    if (problemOfKey !== null) throw refusal(problemOfKey, path)
    checkTree(member, path)
    path.pop()
  }
}

const parse = (
  text: string,
  revive?: (key: string, value: unknown, context?: { source?: string }) => unknown,
): unknown => {
  try {
    return JSON.parse(text, revive)
  } catch (error) {
    throw new JobqError('usage', `not JSON: ${(error as Error).message}`, { cause: error })
  }
}

/** Only text with a long number or an exponent is worth a second, slower reading. */
const mayHoldInexact = /\d[\d.]{15}|\d[eE]/

class InexactNumber {
  readonly source: string
  constructor(source: string) {
    this.source = source.length > 40 ? `${source.slice(0, 40)}…` : source
  }
}

const markInexact = (_key: string, value: unknown, context?: { source?: string }): unknown =>
  typeof value === 'number' && !isKept(context?.source ?? '', value) ? new InexactNumber(context?.source ?? '') : value

const isKept = (source: string, value: number): boolean => {
  if (!Number.isFinite(value)) return false
  const written = decimal(source)
  const read = decimal(String(value))
  if (written.digits === read.digits && written.exponent === read.exponent) return true
  return written.exponent < 0 && written.digits.length <= 17 && Math.abs(value) >= 2 ** -1022
}

/** A number as digits without zeros at their ends, times a power of ten; the sign is left out. */
const decimal = (source: string): { digits: string; exponent: number } => {
  const [mantissa = '', power = '0'] = source.toLowerCase().split('e')
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.')
  const all = whole + fraction
  let [start, end] = [0, all.length]
  while (all[start] === '0') start++
  while (end > start && all[end - 1] === '0') end--
  const digits = all.slice(start, end)
  return { digits, exponent: digits === '' ? 0 : Number(power) - fraction.length + all.length - end }
}
