import {
  Decoder,
  decodeTimestampToTimeSpec,
  Encoder,
  EXT_TIMESTAMP,
  ExtensionCodec,
  encodeTimestampExtension,
} from '@msgpack/msgpack'
import { JobqError } from '../../errors.ts'
import { checkValue, type Kind } from './check-value.ts'
import { decoding, toBytes } from './data.ts'
import { scanMessagePack } from './msgpack-scan.ts'
import { maxDepth, type Serializer } from './serializer.ts'

const format = { name: 'MessagePack', keeps: new Set<Kind>(['bigint', 'date', 'bytes']), maxDepth }

/** The extension that holds a bigint as its decimal digits; MessagePack has none of its own. */
const bigintType = 0x42

const longestBigint = 10_000

const extensionCodec = new ExtensionCodec()
extensionCodec.register({ type: EXT_TIMESTAMP, encode: encodeTimestampExtension, decode: (data) => readDate(data) })
extensionCodec.register({
  type: bigintType,
  encode: (value: unknown) => (typeof value === 'bigint' ? writeBigint(value) : null),
  decode: (data) => readBigint(Buffer.from(data).toString('latin1')),
})

const extensions = new Set([EXT_TIMESTAMP, bigintType])
const encoder = new Encoder({ extensionCodec, maxDepth: maxDepth + 1 })
const decoder = new Decoder({ extensionCodec })

/** MessagePack: JSON's values in fewer bytes, and Date, bigint and binary data, which is read as Uint8Array. */
export const msgpackSerializer: Serializer = {
  contentType: 'application/vnd.msgpack',
  encode(value) {
    checkValue(value, format)
    return encoder.encode(value)
  },
  decode(data, limits) {
    // Copied, because binary data in the value shares the memory of the bytes.
    const bytes = toBytes(data, limits).slice()
    scanMessagePack(bytes, { maxDepth: limits.maxDepth, extensions })
    return decoding(() => decoder.decode(bytes))
  },
}

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
