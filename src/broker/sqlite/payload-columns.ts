/** Stored values as columns: text as it is, bytes as bytes, and beside them how to read them. */
import type { Payload } from '../../job.ts'
import { isPlain, signerOf } from '../../plain-payload.ts'
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

/** A payload from its columns. */
export const toPayload = (
  data: string | Buffer,
  columns: { readonly serializer: string | null; readonly coding: string | null; readonly signature: string | null },
): Payload => {
  const { serializer, coding, signature } = columns
  const read = coding === null ? {} : (JSON.parse(coding) as Coding)
  return payloadOf(data, { ...read, serializer: serializer ?? 'json', ...(signature === null ? {} : { signature }) })
}

/** A result from its columns; null where there is none. */
export const toResult = (data: string | Buffer | null, coding: string | null): Payload | null => {
  if (data === null) return null
  return coding === null ? payloadOf(data, { serializer: 'json' }) : payloadOf(data, JSON.parse(coding) as ResultCoding)
}

const payloadOf = (data: string | Buffer, { key: _, ...coding }: ResultCoding): Payload =>
  typeof data === 'string' ? { ...coding, text: data } : { ...coding, text: data.toString('base64'), binary: true }
