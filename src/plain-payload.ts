import { JobqError } from './errors.ts'
import type { Payload, PayloadReader } from './job.ts'
import { decodeJson, encodeJson } from './json.ts'
import { formatSize } from './size.ts'

/** A value that is larger, serialized, than it may be. */
export class TooLarge extends JobqError {
  constructor(maxBytes: number) {
    super('usage', `the payload is too large: more than ${formatSize(maxBytes)}`)
  }
}

/** True of what takes more than these bytes as it is stored. */
export const isLarger = ({ text, binary }: Pick<Payload, 'text' | 'binary'>, bytes: number): boolean =>
  // A character takes up to three bytes, and most payloads are far from the limit.
  text.length * 3 > bytes && Buffer.byteLength(text, binary ? 'base64' : 'utf8') > bytes

/**
 * A value as JSON text.
 * @throws JobqError `usage` for what JSON would not keep, and for more than `maxBytes`
 */
export const encodePlain = (value: unknown, maxBytes: number): Payload => {
  const payload = { serializer: 'json', text: encodeJson(value) }
  if (isLarger(payload, maxBytes)) throw new TooLarge(maxBytes)
  return payload
}

/** True of JSON text that is stored as it is. */
export const isPlain = ({ serializer, binary, compression, encryption, unreadable }: Payload): boolean =>
  serializer === 'json' &&
  binary === undefined &&
  compression === undefined &&
  encryption === undefined &&
  unreadable === undefined

const names: ReadonlyMap<string, string> = new Map([
  ['application/vnd.msgpack', 'msgpack'],
  ['application/yaml', 'yaml'],
  ['application/x-v8', 'v8'],
])

/** The name of the serializer that wrote a value; its content type where that is none of the built-in ones. */
export const serializerName = ({ serializer }: Payload): string => names.get(serializer) ?? serializer

/** Shows JSON text; where nothing else is known to read anything else, that stays hidden. */
export const readPlain: PayloadReader = (payload) => {
  if (!isPlain(payload)) return { hidden: 'it is not plain JSON' }
  try {
    return { value: decodeJson(payload.text) }
  } catch {
    // It holds what no JavaScript value can; SQL writers may store such.
    return { value: payload.text }
  }
}

/** The name of the key that a signature was made with; its text is `1 ALGORITHM KEY …`. */
export const signerOf = (payload: Payload): string | null => payload.signature?.split(' ')[2] ?? null

/** What is shown of a stored value, and why not if nothing is. */
export const shown = (
  read: PayloadReader,
  payload: Payload | null,
  owner: Parameters<PayloadReader>[1],
): { readonly value: unknown; readonly hidden?: string } => {
  if (payload === null) return { value: null }
  const found = read(payload, owner)
  return 'hidden' in found ? { value: null, hidden: found.hidden } : found
}
