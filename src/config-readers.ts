/**
 * The readers of which checks of configuration are made: each takes a value and its place, as in `worker.grace`, and gives
 * the value in plain form or refuses it by naming the place.
 */
import { parseDuration } from './duration.ts'
import { JobqError } from './errors.ts'
import { checkName } from './name.ts'
import { nearest } from './nearest.ts'
import { quote } from './quote.ts'
import { parseSize } from './size.ts'

/** Checks a value found at a place, as in `worker.grace`, and gives it in plain form. @throws JobqError `usage` naming the place */
export type Reader<T> = (value: unknown, place: string) => T
export type Checked<S> = { readonly [K in keyof S]?: S[K] extends Reader<infer T> ? T : never }

/** A reader of objects with these keys and no others, all of them optional. */
export const object =
  <S extends Readonly<Record<string, Reader<unknown>>>>(schema: S): Reader<Checked<S>> =>
  (value, place) => {
    const entries = Object.entries(plainObject(value, place)).filter(([, member]) => member !== undefined)
    const read = entries.map(([key, member]) => {
      const reader = Object.hasOwn(schema, key) ? schema[key] : undefined
      if (reader === undefined) throw unknownKey(place === '' ? key : `${place}.${key}`, key, Object.keys(schema))
      return [key, reader(member, place === '' ? key : `${place}.${key}`)] as const
    })
    return Object.fromEntries(read) as Checked<S>
  }

/** A reader of objects with any keys that are names of this kind. */
export const mapOf =
  <T>(kind: string, reader: Reader<T>): Reader<Readonly<Record<string, T>>> =>
  (value, place) =>
    Object.fromEntries(
      Object.entries(plainObject(value, place)).map(([key, member]) => {
        const name = at(place, () => checkName(kind, key))
        return [name, reader(member, `${place}.${name}`)] as const
      }),
    )

/** A reader of one value or a list of them. */
export const oneOrMore =
  <T>(reader: Reader<T>): Reader<readonly T[]> =>
  (value, place) =>
    Array.isArray(value) ? value.map((member, index) => reader(member, `${place}[${index}]`)) : [reader(value, place)]

export const text: Reader<string> = (value, place) => {
  if (typeof value === 'string' && value !== '' && value.isWellFormed() && !value.includes('\0')) return value
  throw refused(place, value, 'text')
}
export const whole =
  (min: number, max: number): Reader<number> =>
  (value, place) => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
    throw refused(place, value, `a whole number from ${min} to ${max}`)
  }
export const word =
  <const T extends string>(...words: readonly T[]): Reader<T> =>
  (value, place) => {
    const found = words.find((candidate) => candidate === value)
    if (found !== undefined) return found
    throw refused(place, value, `one of ${words.join(', ')}`)
  }
export const duration: Reader<number> = (value, place) => at(place, () => parseDuration(textOrNumber(value, place)))
export const size: Reader<number> = (value, place) => at(place, () => parseSize(textOrNumber(value, place)))
export const name =
  (kind: string): Reader<string> =>
  (value, place) =>
    at(place, () => checkName(kind, value))

export const textOrNumber = (value: unknown, place: string): string | number => {
  if (typeof value === 'string' || typeof value === 'number') return value
  throw refused(place, value, 'text or a number')
}

export const plainObject = (value: unknown, place: string): object => {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw refused(place === '' ? 'the configuration' : place, value, 'an object')
}

export const refused = (place: string, value: unknown, wanted: string): JobqError =>
  new JobqError('usage', `${place}: ${describe(value)} is not ${wanted}`)

export const describe = (value: unknown): string =>
  typeof value === 'function' || (typeof value === 'object' && value !== null)
    ? `a ${Array.isArray(value) ? 'list' : typeof value}`
    : quote(typeof value === 'bigint' ? Number(value) : value)

export const unknownKey = (place: string, key: string, known: readonly string[]): JobqError => {
  const meant = nearest(key, known)
  const hint = meant === null ? `known here: ${known.join(', ')}` : `did you mean ${meant}?`
  return new JobqError('usage', `${quote(place)} is no key of this version's configuration; ${hint}`)
}

export const at = <T>(place: string, read: () => T): T => {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof JobqError) || error.message.startsWith(`${place}: `)) throw error
    throw new JobqError(error.code, `${place}: ${error.message}`, { cause: error })
  }
}
