import { formatSize } from '../../size.ts'
import { Rejected } from '../rejected.ts'
import type { DecodeLimits } from './serializer.ts'

/**
 * Serialized data as text.
 * @throws Rejected `too-large`, or `unreadable` for bytes that are not UTF-8
 */
export const toText = (data: string | Uint8Array, { maxBytes }: DecodeLimits): string => {
  checkSize(typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength, maxBytes)
  if (typeof data === 'string') return data
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data)
  } catch (error) {
    throw new Rejected('unreadable', 'text that is not UTF-8', { cause: error })
  }
}

/**
 * Serialized data as bytes, never as a Buffer.
 * @throws Rejected `too-large`, or `unreadable` for text
 */
export const toBytes = (data: string | Uint8Array, { maxBytes }: DecodeLimits): Uint8Array => {
  if (typeof data === 'string') throw new Rejected('unreadable', 'text where bytes are expected')
  checkSize(data.byteLength, maxBytes)
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}

/**
 * Runs a decoder.
 * @throws Rejected `unreadable` for whatever the decoder throws
 */
export const decoding = <T>(decode: () => T): T => {
  try {
    return decode()
  } catch (error) {
    if (error instanceof Rejected) throw error
    throw new Rejected('unreadable', error instanceof Error ? error.message : String(error), { cause: error })
  }
}

const checkSize = (bytes: number, maxBytes: number): void => {
  if (bytes <= maxBytes) return
  throw new Rejected('too-large', `${formatSize(bytes)} of data where ${formatSize(maxBytes)} are allowed`)
}
