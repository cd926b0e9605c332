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
import { InexactNumber, isExactNumber } from './exact-number.ts'
import { quote } from './quote.ts'
import { formatPath, type Key, reachesPrototype } from './value-path.ts'

/** The deepest nesting of arrays and objects that is accepted. */
export const maxJsonDepth = 100

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
      if (holders.push(member) > maxJsonDepth) throw refusal(tooDeep(maxJsonDepth), keys)
    }
    return member
  }
  return JSON.stringify(value, check)
}

/**
 * The value that JSON text stands for; nesting deeper than `maxDepth` is refused.
 * @throws JobqError `usage` for text that is not JSON or that would not survive being read
 */
export const decodeJson = (text: string, maxDepth = maxJsonDepth): unknown => {
  const value = parse(text)
  checkTree(value, [], maxDepth)
  if (mayHoldInexact.test(text)) checkTree(parse(text, markInexact), [], maxDepth)
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

const tooDeep = (maxDepth: number): string => `nesting deeper than ${maxDepth}`

const refusal = (problem: string, path: readonly Key[]): JobqError =>
  new JobqError('usage', `${problem} cannot be kept as JSON, at ${formatPath(path)}`)

const keyProblem = (key: string): string | null => {
  if (reachesPrototype(key)) return `the key ${quote(key)}`
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
      if (value instanceof InexactNumber) return value.problem
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

const checkTree = (value: unknown, path: Key[], maxDepth: number): void => {
  const problem = valueProblem(value)
  if (problem !== null) throw refusal(problem, path)
  if (typeof value !== 'object' || value === null) return
  if (path.length >= maxDepth) throw refusal(tooDeep(maxDepth), path)
  const inArray = Array.isArray(value)
  for (const [key, member] of Object.entries(value)) {
    path.push(inArray ? Number(key) : key)
    const problemOfKey = inArray ? null : keyProblem(key)
    if (problemOfKey !== null) throw refusal(problemOfKey, path)
    checkTree(member, path, maxDepth)
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

const markInexact = (_key: string, value: unknown, context?: { source?: string }): unknown =>
  typeof value === 'number' && !isExactNumber(context?.source ?? '', value)
    ? new InexactNumber(context?.source ?? '')
    : value
