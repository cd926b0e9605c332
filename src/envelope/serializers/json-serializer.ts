import { decodeJson, encodeJson } from '../../json.ts'
import { decoding, toText } from './data.ts'
import type { Serializer } from './serializer.ts'

/** JSON, by the rules of `encodeJson`. */
export const jsonSerializer: Serializer = {
  contentType: 'application/json',
  encode: encodeJson,
  decode(data, limits) {
    const text = toText(data, limits)
    return decoding(() => decodeJson(text, limits.maxDepth))
  },
}
