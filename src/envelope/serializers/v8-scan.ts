/**
 * Reads through the bytes of a structured clone without making anything of them, and refuses what V8's reader would
 * take to its ruin: lengths that lie (nested, they ask for all memory and end the process), nesting without end, kinds
 * of values that are not written here. What has passed is safe to read.
 */
import { Rejected } from '../rejected.ts'

/**
 * Refuses bytes that V8 should not be given.
 * @throws Rejected `unreadable`
 */
export const scanStructuredClone = (bytes: Uint8Array, maxDepth: number): void => new Scan(bytes, maxDepth).run()

/** Versions of the format that have the same tags; this runtime writes the last. */
const versions = [13, 14, 15]

const keyTags = '"cSIUN'

class Scan {
  readonly #bytes: Uint8Array
  readonly #maxDepth: number
  #at = 0

  constructor(bytes: Uint8Array, maxDepth: number) {
    this.#bytes = bytes
    this.#maxDepth = maxDepth
  }

  run(): void {
    if (this.#byte() !== 0xff || !versions.includes(this.#number())) this.#refuse('of an unknown version')
    this.#value(this.#tag(), 0)
    if (this.#at < this.#bytes.length) this.#refuse('with something after the value')
  }

  #value(tag: string, depth: number): void {
    switch (tag) {
      case '_': // undefined
      case '0': // null
      case 'T':
      case 'F':
        return
      case 'I': // integers
      case 'U':
      case '^': // an object that came before
        this.#number()
        return
      case 'N': // a number
      case 'D': // a date
        this.#skip(8)
        return
      case 'Z': // a bigint: its sign and its bytes
        this.#skip(this.#number() >>> 1)
        return
      case '"': // text in one of three encodings
      case 'c':
      case 'S':
      case 'B': // an ArrayBuffer
        this.#skip(this.#number())
        return
      case '\\': // binary data: which kind, and its bytes
        this.#number()
        this.#skip(this.#number())
        return
      default:
        this.#container(tag, depth + 1)
    }
  }

  #container(tag: string, depth: number): void {
    if (depth > this.#maxDepth) this.#refuse(`with nesting deeper than ${this.#maxDepth}`)
    switch (tag) {
      case 'o':
        this.#members('{', depth, keyTags)
        break
      case ';': // a Map
        this.#members(':', depth)
        break
      case "'": // a Set
        for (let next = this.#tag(); next !== ','; next = this.#tag()) this.#value(next, depth)
        break
      case 'A': {
        const length = this.#lengthOf(1)
        for (let index = 0; index < length; index++) this.#value(this.#tag(), depth)
        this.#members('$', depth, keyTags)
        this.#number()
        break
      }
      case 'a': // an array that has, or had, holes: as indexes and elements
        this.#lengthOf(3)
        this.#members('@', depth, keyTags)
        this.#number()
        break
      default:
        this.#refuse(`with a value of the unknown or refused kind ${JSON.stringify(tag)}`)
    }
    // How many there were, once more.
    this.#number()
  }

  /** Keys and values, to the tag that ends them. */
  #members(end: string, depth: number, allowed: string | null = null): void {
    for (let key = this.#tag(); key !== end; key = this.#tag()) {
      if (allowed !== null && !allowed.includes(key)) this.#refuse('with a key that is not text')
      this.#value(key, depth)
      this.#value(this.#tag(), depth)
    }
  }

  /** The length of an array whose elements have at least so many bytes each. */
  #lengthOf(elementBytes: number): number {
    const length = this.#number()
    if (length * elementBytes > this.#bytes.length - this.#at) this.#refuse('with a length beyond the end')
    return length
  }

  /** The next tag; padding before it says nothing. */
  #tag(): string {
    let byte = this.#byte()
    while (byte === 0) byte = this.#byte()
    return String.fromCharCode(byte)
  }

  /** A whole number below 2^32, in groups of seven bits. */
  #number(): number {
    let value = 0
    for (let scale = 1; scale <= 2 ** 28; scale *= 2 ** 7) {
      const byte = this.#byte()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value < 2 ** 32 ? value : this.#refuse('with a number that is too great')
    }
    return this.#refuse('with a number that is too great')
  }

  #byte(): number {
    return this.#bytes[this.#at++] ?? this.#refuse('that ends in the middle')
  }

  #skip(length: number): void {
    this.#at += length
    if (this.#at > this.#bytes.length) this.#refuse('that ends in the middle')
  }

  #refuse(problem: string): never {
    throw new Rejected('unreadable', `a structured clone ${problem}, at byte ${Math.min(this.#at, this.#bytes.length)}`)
  }
}
