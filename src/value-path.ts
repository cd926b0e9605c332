import { quote } from './quote.ts'

/** A step into a value: the key of a member, or the index of an element. */
export type Key = string | number

/** A place in a value for people, as in `$.items[2].size`. */
export const formatPath = (path: readonly Key[]): string => {
  const steps = path.map((key) => {
    if (typeof key === 'number') return `[${key}]`
    return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${quote(key)}]`
  })
  const text = steps.length > 12 ? [...steps.slice(0, 6), '…', ...steps.slice(-6)] : steps
  return `$${text.join('')}`
}

/** True for the keys by which data could reach a prototype. */
export const reachesPrototype = (key: string): boolean =>
  key === '__proto__' || key === 'constructor' || key === 'prototype'
