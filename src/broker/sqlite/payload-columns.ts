/** Stored values as columns: text as it is, bytes as bytes, and beside them how to read them. */
import type { Payload } from '../../job.ts'
import { isPlain, signerOf } from '../../plain-payload.ts'
import { formatSize } from '../../size.ts'
import { objectColumn } from './json-column.ts'
import type { Value } from './store.ts'

interface Coding {
  readonly compression?: string
  readonly encryption?: string
  /** The key of the signature, for those who read the tables by SQL. */
  readonly key?: string
}

interface ResultCoding extends Coding {
  readonly serializer: string
  readonly signature?: string
}

/** The payload column. */
export const dataColumn = ({ text, binary }: Payload): Value => (binary ? Buffer.from(text, 'base64') : text)

/** The serializer column. */
export const serializerColumn = ({ serializer }: Payload): string | null => (serializer === 'json' ? null : serializer)

/** The coding column. */
export const codingColumn = (payload: Payload): string | null => {
  const coding = codingOf(payload)
  return Object.keys(coding).length === 0 ? null : JSON.stringify(coding)
}

const codingOf = (payload: Payload): Coding => {
  const { compression, encryption } = payload
  const key = signerOf(payload)
  return {
    ...(compression === undefined ? {} : { compression }),
    ...(encryption === undefined ? {} : { encryption }),
    ...(key === null ? {} : { key }),
  }
}

/** The columns of a result, of which the second is null for plain JSON text. */
export const resultColumns = (result: string | Payload | null | undefined): [data: Value, coding: string | null] => {
  if (result === null || result === undefined || typeof result === 'string') return [result ?? null, null]
  const { serializer, signature } = result
  if (isPlain(result) && signature === undefined) return [result.text, null]
  const coding: ResultCoding = { serializer, ...codingOf(result), ...(signature === undefined ? {} : { signature }) }
  return [dataColumn(result), JSON.stringify(coding)]
}

/** The largest stored value that is taken into memory, in bytes: what is larger would not fit into one text. */
export const maxStoredBytes = 256 * 1024 ** 2

/** A payload from its columns, whatever somebody else has written there; data is null where it is too large. */
export const toPayload = (
  data: unknown,
  columns: { readonly serializer: unknown; readonly coding: unknown; readonly signature: unknown },
): Payload => {
  const { serializer, coding, signature } = columns
  const read = coding === null ? {} : objectColumn(coding)
  if (read === undefined) return unreadable('how it is stored is not said in JSON')
  return payloadOf(data, { ...read, serializer: serializer ?? 'json', ...(signature === null ? {} : { signature }) })
}

/** A result from its columns, whatever somebody else has written there; null where there is none. */
export const toResult = (data: unknown, coding: unknown): Payload | null => {
  if (data === null) return null
  const read = coding === null ? { serializer: 'json' } : objectColumn(coding)
  return read === undefined ? unreadable('how it is stored is not said in JSON') : payloadOf(data, read)
}

/** Stands for what is stored in a way that cannot be read. */
export const unreadable = (problem: string): Payload => ({ serializer: 'json', text: '', unreadable: problem })

const payloadOf = (data: unknown, coding: Readonly<Record<string, unknown>>): Payload => {
  const { serializer, compression, encryption, signature } = coding
  const texts = Object.entries({ serializer, compression, encryption, signature }).filter(
    ([, value]) => value !== undefined,
  )
  const wrong = texts.find(([, value]) => typeof value !== 'string')
  if (wrong !== undefined) return unreadable(`its ${wrong[0]} is not text`)
  const said = { serializer: 'json', ...(Object.fromEntries(texts) as Record<string, string>) }
  if (data === null) return unreadable(`it has more than ${formatSize(maxStoredBytes)}`)
  if (!Buffer.isBuffer(data)) return { ...said, text: String(data) }
  if (data.byteLength > maxStoredBytes) return unreadable(`it has more than ${formatSize(maxStoredBytes)}`)
  return { ...said, text: data.toString('base64'), binary: true }
}
