import type { Payload, PayloadReader } from './job.ts'
import { decodeJson } from './json.ts'

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
