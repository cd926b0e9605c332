import type { ZlibOptions } from 'node:zlib'
import { formatSize } from '../../size.ts'
import { Rejected } from '../rejected.ts'

/** What a decompressor of node:zlib answers when it is asked for `info`. */
interface Inflated {
  readonly buffer: Uint8Array
  /** `bytesWritten` are the bytes that went into it. */
  readonly engine: { readonly bytesWritten: number }
}

/** The limits that a decompressor of node:zlib keeps while it inflates, and the demand for what it used. */
export interface InflateOptions extends Pick<ZlibOptions, 'maxOutputLength'> {
  readonly info: true
}

/**
 * Inflates with a decompressor of node:zlib, all of the bytes or nothing.
 * @throws Rejected `too-large` or `unreadable`
 */
export const nativeInflate = (
  bytes: Uint8Array,
  maxBytes: number,
  decompress: (bytes: Uint8Array, options: InflateOptions) => unknown,
): Uint8Array => {
  const { buffer, engine } = inflate(bytes, maxBytes, decompress)
  if (engine.bytesWritten !== bytes.byteLength) throw new Rejected('unreadable', 'something after the compressed data')
  return buffer
}

const inflate = (
  bytes: Uint8Array,
  maxBytes: number,
  decompress: (bytes: Uint8Array, options: InflateOptions) => unknown,
): Inflated => {
  let inflated: unknown
  try {
    // One byte more, because a maximum of none is not possible.
    inflated = decompress(bytes, { maxOutputLength: maxBytes + 1, info: true })
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(maxBytes)
    const message = error instanceof Error ? error.message : String(error)
    throw new Rejected('unreadable', `not the compressed data that it is said to be: ${message}`, { cause: error })
  }
  if (!isInflated(inflated)) throw new TypeError('node:zlib gave no info')
  if (inflated.buffer.byteLength > maxBytes) throw tooLarge(maxBytes)
  return inflated
}

/** The refusal of data that unpacks to too much. */
export const tooLarge = (maxBytes: number): Rejected =>
  new Rejected('too-large', `unpacks to more than the allowed ${formatSize(maxBytes)}`)

const isInflated = (value: unknown): value is Inflated =>
  typeof value === 'object' && value !== null && 'buffer' in value && 'engine' in value
