/**
 * Values as they are stored and back: serialized, then compressed where that makes them smaller. What is recorded with them
 * decides how they are read.
 */
import type { Payload } from '../job.ts'
import { TooLarge } from '../plain-payload.ts'
import type { Coding } from '../sealing.ts'
import { compressIfSmaller, defaultThresholdBytes } from './compressors/compress-if-smaller.ts'
import { Compressors, type CustomCompressor } from './compressors/compressors.ts'
import { maxDepth } from './serializers/serializer.ts'
import { type CustomSerializer, type Serialized, Serializers } from './serializers/serializers.ts'

/** What there is beside the built-in codecs, and what is read. */
export interface CodecOptions {
  readonly serializers?: Readonly<Record<string, CustomSerializer>>
  readonly compressors?: Readonly<Record<string, CustomCompressor>>
  /** Names or content types. */
  readonly accept?: readonly string[]
}

/** What stands for JSON with stored values, instead of its content type. */
const json = 'json'
const jsonType = 'application/json'

/** The content type of a stored value. */
export const contentTypeOf = ({ serializer }: Payload): string => (serializer === json ? jsonType : serializer)

/** The bytes of a stored value. */
export const bytesOf = ({ text, binary }: Payload): Buffer => Buffer.from(text, binary ? 'base64' : 'utf8')

/** A stored value with other bytes. */
export const withBytes = (payload: Omit<Payload, 'text' | 'binary'>, bytes: Uint8Array): Payload => ({
  ...payload,
  text: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'),
  binary: true,
})

/** A value that somebody else has serialized already, and done nothing more with. */
export class Written {
  readonly payload: Payload

  constructor(payload: Payload) {
    this.payload = payload
  }
}

/** The serializers and compressors that a client, a worker or a child has. */
export class Codecs {
  readonly #serializers: Serializers
  readonly #compressors: Compressors

  /** @throws JobqError `usage` naming a codec that is none, or a name or type that is taken or unknown */
  constructor({ serializers, compressors, accept }: CodecOptions = {}) {
    this.#serializers = new Serializers({
      ...(serializers === undefined ? {} : { custom: serializers }),
      ...(accept === undefined ? {} : { accept }),
    })
    this.#compressors = new Compressors(compressors)
  }

  /** @throws JobqError `usage` for a name that no codec has */
  check({ serializer, compress }: Coding): void {
    this.#serializers.checkName(serializer ?? json)
    if (compress !== undefined && compress !== 'none') this.#compressors.checkName(compress)
  }

  /**
   * A value as it is to be stored.
   * @throws JobqError `usage` for a codec that there is not, for what the serializer would not keep, and for more than
   * `maxBytes`; Rejected for what was `Written` by another serializer and cannot be read here
   */
  encode(value: unknown, { serializer = json, compress }: Coding, maxBytes: number): Payload {
    // Also where there is too little to compress: a name that is wrong is wrong.
    this.check({ serializer, ...(compress === undefined ? {} : { compress }) })
    const { contentType, data } =
      value instanceof Written
        ? this.#rewrite(value, serializer, maxBytes)
        : this.#serializers.encode(serializer, value)
    const stored = { serializer: contentType === jsonType ? json : contentType }
    const bytes = typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength
    if (bytes > maxBytes) throw new TooLarge(maxBytes)
    const packed =
      compress === undefined || compress === 'none' || bytes < defaultThresholdBytes
        ? null
        : compressIfSmaller(typeof data === 'string' ? Buffer.from(data) : data, defaultThresholdBytes, (all) =>
            this.#compressors.compress(compress, all),
          )
    if (packed !== null) return withBytes({ ...stored, compression: String(compress) }, packed)
    return typeof data === 'string' ? { ...stored, text: data } : withBytes(stored, data)
  }

  #rewrite({ payload }: Written, serializer: string, maxBytes: number): Serialized {
    const contentType = contentTypeOf(payload)
    if (!this.#serializers.isOf(serializer, contentType)) {
      return this.#serializers.encode(serializer, this.decode(payload, maxBytes))
    }
    return { contentType, data: payload.binary ? bytesOf(payload) : payload.text }
  }

  /**
   * The value of what is stored and not encrypted (any more).
   * @throws Rejected `unknown-codec`, `not-accepted`, `too-large`, `unreadable`
   */
  decode(payload: Payload, maxBytes: number): unknown {
    const contentType = contentTypeOf(payload)
    const limits = { maxBytes, maxDepth }
    const { text, binary, compression } = payload
    if (compression === undefined) {
      return this.#serializers.decode({ contentType, data: binary ? bytesOf(payload) : text }, limits)
    }
    this.#serializers.checkAccepted(contentType)
    const data = this.#compressors.inflate(compression, bytesOf(payload), maxBytes)
    return this.#serializers.decode({ contentType, data }, limits)
  }
}
