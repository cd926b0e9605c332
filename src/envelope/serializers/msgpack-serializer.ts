import { checkValue, type Kind } from './check-value.ts'
import { decoding, toBytes } from './data.ts'
import { readMessagePack, writeMessagePack } from './msgpack-library.ts'
import { scanMessagePack } from './msgpack-scan.ts'
import { maxDepth, type Serializer } from './serializer.ts'

const format = { name: 'MessagePack', keeps: new Set<Kind>(['bigint', 'date', 'bytes']), maxDepth }

/** MessagePack: JSON's values in fewer bytes, and Date, bigint and binary data, which is read as Uint8Array. */
export const msgpackSerializer: Serializer = {
  contentType: 'application/vnd.msgpack',
  encode(value) {
    checkValue(value, format)
    return writeMessagePack(value)
  },
  decode(data, limits) {
    // Copied, because binary data in the value shares the memory of the bytes.
    const bytes = toBytes(data, limits).slice()
    scanMessagePack(bytes, limits.maxDepth)
    return decoding(() => readMessagePack(bytes))
  },
}
