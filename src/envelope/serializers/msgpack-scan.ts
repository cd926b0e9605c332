/**
 * Reads through MessagePack without making anything of it, and refuses what the decoder would take: lengths that lie,
 * nesting without end, keys that are doubled, not text, or reach a prototype, text that is not UTF-8, integers that a
 * double cannot hold, extensions other than those written here. What has passed is safe to decode.
 */
import { isUtf8 } from 'node:buffer'
import { quote } from '../../quote.ts'
import { formatPath, type Key, reachesPrototype } from '../../value-path.ts'
import { Rejected } from '../rejected.ts'

/** The extension that holds a bigint as its decimal digits; MessagePack has none of its own. */
export const bigintExtension = 0x42

/** That, and the format's own for timestamps. */
const extensions: readonly number[] = [-1, bigintExtension]

/** An array or map whose members are being read. */
interface Holder {
  /** Members still to come; those of a map without their keys. */
  left: number
  key: Key
  /** Of a map: the keys seen; null for an array. */
  readonly seen: Set<string> | null
}

/** How long what follows the first byte is, by that byte, for 0xc0 to 0xdf: `[bytes of a length, bytes]`, or null. */
const layouts: readonly (readonly [lengthBytes: number, more: number, form: 'plain' | 'text' | 'extension'] | null)[] =
  [
    [0, 0, 'plain'], // nil
    null,
    [0, 0, 'plain'], // false
    [0, 0, 'plain'], // true
    [1, 0, 'plain'], // bin 8
    [2, 0, 'plain'],
    [4, 0, 'plain'],
    [1, 1, 'extension'], // ext 8
    [2, 1, 'extension'],
    [4, 1, 'extension'],
    [0, 4, 'plain'], // float 32
    [0, 8, 'plain'],
    [0, 1, 'plain'], // uint 8
    [0, 2, 'plain'],
    [0, 4, 'plain'],
    [0, 8, 'plain'],
    [0, 1, 'plain'], // int 8
    [0, 2, 'plain'],
    [0, 4, 'plain'],
    [0, 8, 'plain'],
    [0, 2, 'extension'], // fixext 1
    [0, 3, 'extension'],
    [0, 5, 'extension'],
    [0, 9, 'extension'],
    [0, 17, 'extension'],
    [1, 0, 'text'], // str 8
    [2, 0, 'text'],
    [4, 0, 'text'],
  ]

/**
 * Refuses MessagePack that could not be decoded safely and exactly.
 * @throws Rejected `unreadable` naming the first such place
 */
export const scanMessagePack = (bytes: Uint8Array, maxDepth: number): void => new Scan(bytes, maxDepth).run()

class Scan {
  readonly #bytes: Buffer
  readonly #view: DataView
  readonly #maxDepth: number
  readonly #holders: Holder[] = []
  #at = 0

  constructor(bytes: Uint8Array, maxDepth: number) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#maxDepth = maxDepth
  }

  run(): void {
    do {
      const holder = this.#holders.at(-1)
      if (holder !== undefined) this.#startMember(holder)
      this.#value()
      while (this.#holders.at(-1)?.left === 0) this.#holders.pop()
    } while (this.#holders.length > 0)
    if (this.#at < this.#bytes.length) this.#refuse('something after the value')
  }

  #startMember(holder: Holder): void {
    holder.left--
    if (holder.seen === null) holder.key = Number(holder.key) + 1
    else {
      holder.key = this.#key()
      if (holder.seen.has(holder.key)) this.#refuse('a key that was there before')
      holder.seen.add(holder.key)
    }
  }

  #key(): string {
    const first = this.#take(1)
    const head = this.#bytes[first] ?? 0
    const length = head >= 0xa0 && head <= 0xbf ? head - 0xa0 : this.#lengthOf(head - 0xd9)
    if (length === null) this.#refuse('a key that is not text')
    const start = this.#take(length)
    if (!this.#isText(start, this.#at)) this.#refuse('a key that is not UTF-8')
    const key = this.#bytes.toString('utf8', start, this.#at)
    if (reachesPrototype(key)) this.#refuse(`the key ${quote(key)}`)
    return key
  }

  /** The length in 1, 2 or 4 bytes, for 0, 1 or 2. */
  #lengthOf(kind: number): number | null {
    if (kind === 0) return this.#view.getUint8(this.#take(1))
    if (kind === 1) return this.#view.getUint16(this.#take(2))
    return kind === 2 ? this.#view.getUint32(this.#take(4)) : null
  }

  #value(): void {
    const head = this.#bytes[this.#take(1)] ?? 0
    if (head < 0x80 || head >= 0xe0) return
    if (head < 0x90) this.#open(head - 0x80, new Set())
    else if (head < 0xa0) this.#open(head - 0x90, null)
    else if (head < 0xc0) this.#text(head - 0xa0)
    else if (head >= 0xde) this.#open(this.#lengthOf(head & 1 ? 2 : 1) ?? 0, new Set())
    else if (head >= 0xdc) this.#open(this.#lengthOf(head & 1 ? 2 : 1) ?? 0, null)
    else this.#leaf(head)
  }

  #leaf(head: number): void {
    const layout = layouts[head - 0xc0] ?? this.#refuse('a byte that MessagePack never uses')
    const [lengthBytes, more, form] = layout
    const length = lengthBytes === 0 ? 0 : (this.#lengthOf(lengthBytes >> 1) ?? 0)
    if (form === 'text') {
      this.#text(length)
      return
    }
    const start = this.#take(length + more)
    if (form === 'extension' && !extensions.includes(this.#view.getInt8(start)))
      this.#refuse(`an extension of type ${this.#view.getInt8(start)}`)
    if (head === 0xcf && this.#view.getBigUint64(start) > Number.MAX_SAFE_INTEGER)
      this.#refuse(`the number ${this.#view.getBigUint64(start)}`)
    const signed = head === 0xd3 ? this.#view.getBigInt64(start) : 0n
    if (signed > Number.MAX_SAFE_INTEGER || signed < Number.MIN_SAFE_INTEGER) this.#refuse(`the number ${signed}`)
  }

  #text(length: number): void {
    const start = this.#take(length)
    if (!this.#isText(start, start + length)) this.#refuse('text that is not UTF-8')
  }

  #isText(start: number, end: number): boolean {
    // Most is short and ASCII, and looking at it is faster than handing it over.
    let at = start
    if (end - start <= 64) while (at < end && (this.#bytes[at] ?? 0) < 0x80) at++
    return at === end || isUtf8(this.#bytes.subarray(at, end))
  }

  #open(left: number, seen: Set<string> | null): void {
    if (this.#holders.length >= this.#maxDepth) this.#refuse(`nesting deeper than ${this.#maxDepth}`)
    // Each member takes a byte, each key another.
    if (left * (seen === null ? 1 : 2) > this.#bytes.length - this.#at) this.#refuse('a length beyond the end')
    this.#holders.push({ left, key: -1, seen })
  }

  /** Gives where the next bytes start and goes past them. */
  #take(length: number): number {
    const start = this.#at
    if (start + length > this.#bytes.length) this.#refuse('the end in the middle')
    this.#at = start + length
    return start
  }

  #refuse(problem: string): never {
    const path = formatPath(this.#holders.map(({ key }) => key).filter((key) => key !== -1))
    throw new Rejected('unreadable', `MessagePack with ${problem}, at ${path}`)
  }
}
