/**
 * Walks a value before it is written and after it is read, and refuses the first thing that the format does not keep as
 * it is, with its place. What a format keeps beyond null, booleans, numbers, text, arrays and plain objects it says by
 * kinds. A value may hold one object in several places: a format that keeps references (so that cycles are kept too)
 * has each object visited once, any other as often as it would be written.
 */
import { types } from 'node:util'
import { JobqError } from '../../errors.ts'
import { InexactNumber } from '../../exact-number.ts'
import { quote } from '../../quote.ts'
import { formatPath, type Key, reachesPrototype } from '../../value-path.ts'

/** What a format may keep beside the values of JSON; `bytes` are Uint8Array and Buffer, `views` every other kind. */
export type Kind =
  | 'undefined'
  | 'bigint'
  | 'date'
  | 'bytes'
  | 'views'
  | 'map'
  | 'set'
  | 'references'
  | 'lone surrogates'

/** How a value is checked. */
export interface Format {
  /** Its name for people. */
  readonly name: string
  readonly keeps: ReadonlySet<Kind>
  readonly maxDepth: number
  /** How many values and characters of text it may have in all places together; no bound when absent. */
  readonly maxWeight?: number
}

/**
 * Refuses a value that a format does not keep exactly.
 * @throws JobqError `usage` naming the first such place
 */
export const checkValue = (value: unknown, format: Format): void => {
  new ValueCheck(format).visit(value)
}

class ValueCheck {
  readonly #format: Format
  readonly #path: Key[] = []
  readonly #holders = new Set<object>()
  /** Of the objects that are done, where references are kept: how many levels they have. */
  readonly #heights = new Map<object, number>()
  #weight = 0

  constructor(format: Format) {
    this.#format = format
  }

  /** Gives the number of levels that a value has: 0 unless it holds others. */
  visit(value: unknown): number {
    this.#weigh(typeof value === 'string' ? 1 + value.length : 1)
    const problem = problemOf(value, this.#format.keeps)
    if (problem !== null) this.#refuse(problem)
    if (typeof value !== 'object' || value === null || !isContainer(value)) return 0
    const keepsReferences = this.#format.keeps.has('references')
    if (this.#holders.has(value)) {
      if (keepsReferences) return 0
      this.#refuse('a cycle')
    }
    const height = this.#heights.get(value) ?? this.#visitMembers(value)
    if (keepsReferences) this.#heights.set(value, height)
    if (this.#path.length + height > this.#format.maxDepth) this.#refuse(tooDeep(this.#format))
    return height
  }

  #visitMembers(value: object): number {
    if (this.#path.length >= this.#format.maxDepth) this.#refuse(tooDeep(this.#format))
    this.#holders.add(value)
    let height = 0
    if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index++)
        height = Math.max(height, this.#visitMember(index, index in value ? value[index] : hole))
    } else if (value instanceof Map || value instanceof Set) {
      let index = 0
      for (const [key, member] of value.entries()) {
        if (key !== member) height = Math.max(height, this.#visitMember(index, key))
        height = Math.max(height, this.#visitMember(index++, member))
      }
    } else {
      for (const key of Object.keys(value)) {
        this.#path.push(key)
        this.#visitKey(key)
        this.#path.pop()
        height = Math.max(height, this.#visitMember(key, Reflect.get(value, key)))
      }
    }
    this.#holders.delete(value)
    return height + 1
  }

  #visitMember(key: Key, member: unknown): number {
    this.#path.push(key)
    const height = this.visit(member)
    this.#path.pop()
    return height
  }

  #visitKey(key: string): void {
    this.#weigh(key.length)
    if (reachesPrototype(key)) this.#refuse(`the key ${quote(key)}`)
    if (!this.#format.keeps.has('lone surrogates') && !key.isWellFormed()) this.#refuse('half of a surrogate pair')
  }

  #weigh(weight: number): void {
    this.#weight += weight
    if (this.#weight > (this.#format.maxWeight ?? Number.POSITIVE_INFINITY))
      this.#refuse('more than the allowed size, reached by repeating parts,')
  }

  #refuse(problem: string): never {
    throw new JobqError('usage', `${problem} cannot be kept as ${this.#format.name}, at ${formatPath(this.#path)}`)
  }
}

const tooDeep = ({ maxDepth }: Format): string => `nesting deeper than ${maxDepth}`

const isContainer = (value: object): boolean =>
  Array.isArray(value) || value instanceof Map || value instanceof Set || isPlain(value)

/** An object literal, of whichever realm. */
const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || (isObject(prototype) && Object.getPrototypeOf(prototype) === null)
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** Stands for what is missing in an array. */
const hole = Symbol('hole')

const problemOf = (value: unknown, keeps: ReadonlySet<Kind>): string | null => {
  switch (typeof value) {
    case 'string':
      return keeps.has('lone surrogates') || value.isWellFormed() ? null : 'half of a surrogate pair'
    case 'number':
    case 'boolean':
      return null
    case 'undefined':
      return keeps.has('undefined') ? null : 'undefined'
    case 'bigint':
      return keeps.has('bigint') ? null : 'a value of type bigint'
    case 'object':
      return value === null ? null : objectProblem(value, keeps)
    default:
      return value === hole ? 'a hole in an array' : `a value of type ${typeof value}`
  }
}

const objectProblem = (value: object, keeps: ReadonlySet<Kind>): string | null => {
  if (value instanceof InexactNumber) return value.problem
  const prototype: unknown = Object.getPrototypeOf(value)
  if (isPlain(value) || (Array.isArray(value) && isObject(prototype) && isPlain(prototype)))
    return Object.getOwnPropertySymbols(value).length > 0 ? 'a key of type symbol' : null
  if (prototype === Date.prototype && keeps.has('date')) return Number.isNaN(Number(value)) ? 'an invalid date' : null
  if (prototype === Map.prototype && keeps.has('map')) return null
  if (prototype === Set.prototype && keeps.has('set')) return null
  if ((prototype === Uint8Array.prototype || prototype === Buffer.prototype) && keeps.has('bytes')) return null
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) {
    return keeps.has('views') && !isShared(value) ? null : 'binary data'
  }
  return `a value of type ${quote(value.constructor?.name || 'object').slice(1, -1)}`
}

/** Memory that others may change or resize. */
const isShared = (value: ArrayBufferView | ArrayBufferLike): boolean => {
  const memory = ArrayBuffer.isView(value) ? value.buffer : value
  return !(memory instanceof ArrayBuffer) || memory.resizable
}
