import { formatSize } from '../../size.ts'
import { Rejected } from '../rejected.ts'

/**
 * Refuses a decoded value that holds more than so many values, characters of text and bytes of data; what it holds in
 * several places counts once.
 * @throws Rejected `too-large`
 */
export const checkWeight = (value: unknown, maxBytes: number): void => {
  const seen = new Set<object>()
  const waiting: unknown[] = [value]
  let weight = 0
  while (waiting.length > 0) {
    const next = waiting.pop()
    weight += 1 + (typeof next === 'string' ? next.length : 0)
    if (typeof next === 'object' && next !== null && !seen.has(next)) {
      seen.add(next)
      if (ArrayBuffer.isView(next) || next instanceof ArrayBuffer) weight += next.byteLength
      else for (const member of membersOf(next, maxBytes)) waiting.push(member)
    }
    if (weight + waiting.length > maxBytes)
      throw new Rejected('too-large', `a value of more than the allowed ${formatSize(maxBytes)}`)
  }
}

/**
 * As `checkWeight`, but what a value holds in several places counts in each of them, as it does where it is printed; a
 * cycle counts once.
 * @throws Rejected `too-large`
 */
export const checkPrintedWeight = (value: unknown, maxBytes: number): void => {
  const holders = new Set<object>()
  let weight = 0
  const visit = (next: unknown): void => {
    weight += 1 + (typeof next === 'string' ? next.length : 0)
    if (weight > maxBytes) throw new Rejected('too-large', `it prints as more than the allowed ${formatSize(maxBytes)}`)
    if (typeof next !== 'object' || next === null || ArrayBuffer.isView(next) || holders.has(next)) return
    holders.add(next)
    for (const member of membersOf(next, maxBytes)) visit(member)
    holders.delete(next)
  }
  visit(value)
}

const membersOf = (value: object, maxBytes: number): Iterable<unknown> => {
  // An array may be longer than what is in it, and the loop over it too long.
  if (Array.isArray(value)) return value.length > maxBytes ? Object.values(value) : value
  if (value instanceof Map) return [...value.keys(), ...value.values()]
  return value instanceof Set ? value : Object.entries(value).flat()
}
