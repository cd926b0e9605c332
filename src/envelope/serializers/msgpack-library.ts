import {
  Decoder,
  decodeTimestampToTimeSpec,
  Encoder,
  EXT_TIMESTAMP,
  ExtensionCodec,
  encodeTimestampExtension,
} from '@msgpack/msgpack'
import { JobqError } from '../../errors.ts'
import { bigintExtension } from './msgpack-scan.ts'
import { maxDepth } from './serializer.ts'

const longestBigint = 10_000

const extensionCodec = new ExtensionCodec()
extensionCodec.register({ type: EXT_TIMESTAMP, encode: encodeTimestampExtension, decode: (data) => readDate(data) })
extensionCodec.register({
  type: bigintExtension,
  encode: (value: unknown) => (typeof value === 'bigint' ? writeBigint(value) : null),
  decode: (data) => readBigint(Buffer.from(data).toString('latin1')),
})

const encoder = new Encoder({ extensionCodec, maxDepth: maxDepth + 1 })
const decoder = new Decoder({ extensionCodec })

/**
 * A value that was checked, as MessagePack.
 * @throws JobqError `usage` for a bigint of too many digits
 */
export const writeMessagePack = (value: unknown): Uint8Array => encoder.encode(value)

/**
 * The value of MessagePack that was scanned; its binary data shares the memory of the bytes.
 * @throws RangeError for a date or bigint that is none
 */
export const readMessagePack = (bytes: Uint8Array): unknown => decoder.decode(bytes)

const readDate = (data: Uint8Array): Date => {
  const { sec, nsec } = decodeTimestampToTimeSpec(data)
  const date = new Date(sec * 1000 + nsec / 1_000_000)
  if (nsec % 1_000_000 !== 0 || nsec >= 1_000_000_000 || Number.isNaN(date.getTime()))
    throw new RangeError('a timestamp that a Date cannot hold')
  return date
}

const writeBigint = (value: bigint): Uint8Array => {
  const digits = String(value)
  if (digits.length > longestBigint)
    throw new JobqError('usage', `a bigint of more than ${longestBigint} digits cannot be kept as MessagePack`)
  return Buffer.from(digits)
}

const readBigint = (digits: string): bigint => {
  if (digits.length > longestBigint || !/^(0|-?[1-9]\d*)$/.test(digits)) throw new RangeError('a bigint that is none')
  return BigInt(digits)
}
