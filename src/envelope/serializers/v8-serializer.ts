import v8 from 'node:v8'
import { checkValue, type Kind } from './check-value.ts'
import { decoding, toBytes } from './data.ts'
import { maxDepth, type Serializer } from './serializer.ts'
import { scanStructuredClone } from './v8-scan.ts'

const format = {
  name: 'structured clone',
  keeps: new Set<Kind>([
    'undefined',
    'bigint',
    'date',
    'bytes',
    'views',
    'map',
    'set',
    'references',
    'lone surrogates',
  ]),
}

/** V8's structured clone: keeps the most, but its reader is not made for bytes that somebody means harm with. */
export const v8Serializer: Serializer = {
  contentType: 'application/x-v8',
  encode(value) {
    checkValue(value, { ...format, maxDepth })
    const bytes = v8.serialize(value)
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  },
  decode(data, limits) {
    const bytes = toBytes(data, limits)
    scanStructuredClone(bytes, limits.maxDepth)
    return decoding(() => {
      // Copied, because what is read may share the memory of the bytes.
      const value: unknown = v8.deserialize(Buffer.from(bytes))
      checkValue(value, { ...format, maxDepth: limits.maxDepth, maxWeight: limits.maxBytes })
      return value
    })
  },
}
