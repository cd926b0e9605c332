/** What stored bytes belong to: moved to anything else, they neither verify nor decrypt. */
export interface Binding {
  /** Which part of its job it is. */
  readonly part: 'payload' | 'result'
  /** The job's id. */
  readonly job: number
  readonly task: string
  readonly queue: string
  /** The serializer's content type. */
  readonly contentType: string
  /** The compressor's name; null for none. */
  readonly compression: string | null
  /** The cipher's name; null for none. */
  readonly encryption: string | null
}

/**
 * Fields and bytes as one message. Each field has its length, in UTF-16 units, before it, so that no two different
 * lists have the same message; an absent one is `-`.
 */
export const messageOf = (fields: readonly (string | number | null)[], bytes: Uint8Array): Buffer => {
  let head = ''
  for (const field of fields) head += field === null ? '-,' : measured(String(field))
  head += `${bytes.length}:`
  const length = Buffer.byteLength(head)
  const message = Buffer.allocUnsafe(length + bytes.length)
  message.write(head)
  message.set(bytes, length)
  return message
}

const measured = (text: string): string => `${text.length}:${text},`
