/** What a decoder accepts at most. */
export interface DecodeLimits {
  /** Bytes of what is decoded, and of the text and values that it stands for. */
  readonly maxBytes: number
  /** Arrays and objects inside each other. */
  readonly maxDepth: number
}

/** The deepest nesting that is written, and read unless a limit says less. */
export const maxDepth = 100

/** The limits of a payload where nothing else is set: 1 MiB, 100 levels. */
export const defaultLimits: DecodeLimits = { maxBytes: 1024 ** 2, maxDepth }

/** Writes values as text or bytes and reads them back. */
export interface Serializer {
  /** What is recorded with the data and decides how it is read. */
  readonly contentType: string
  /**
   * A value as text or bytes.
   * @throws JobqError `usage` naming the first place that would not be kept as it is
   */
  encode(value: unknown): string | Uint8Array
  /**
   * The value that text or bytes stand for; text may come as its UTF-8 bytes.
   * @throws Rejected `too-large` or `unreadable`
   */
  decode(data: string | Uint8Array, limits: DecodeLimits): unknown
}
