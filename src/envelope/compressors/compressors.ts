import { JobqError } from '../../errors.ts'
import { nearest } from '../../nearest.ts'
import { quote } from '../../quote.ts'
import { isContentType } from '../content-type.ts'
import { ofUser } from '../of-user.ts'
import { Rejected } from '../rejected.ts'
import { brotli } from './brotli.ts'
import { bzip2 } from './bzip2.ts'
import type { Compressor } from './compressor.ts'
import { gzip, zlib } from './deflate.ts'
import { tooLarge } from './native-inflate.ts'
import { zstd } from './zstd.ts'

/** A compressor of the user's own. */
export interface CustomCompressor {
  /** What it writes, such as `application/x-lz4`, for whoever reads the configuration: its name is what is recorded. */
  readonly contentType: string
  encode(bytes: Uint8Array): Uint8Array
  /** Has no need to give more than `maxBytes`: more is refused. */
  decode(bytes: Uint8Array, maxBytes: number): Uint8Array
}

const builtIn: Readonly<Record<string, Compressor>> = { gzip, zlib, bzip2, zstd, brotli }

/** The compressors that a client or worker has, by name. */
export class Compressors {
  readonly #byName = new Map<string, Compressor>(Object.entries(builtIn))

  /** @throws JobqError `usage` for a custom compressor that is none, or has the name of a built-in one */
  constructor(custom: Readonly<Record<string, CustomCompressor>> = {}) {
    for (const [name, compressor] of Object.entries(custom)) {
      if (Object.hasOwn(builtIn, name)) throw new JobqError('usage', `compressors.${name}: that name is built in`)
      for (const key of ['encode', 'decode'] as const)
        if (typeof compressor[key] !== 'function')
          throw new JobqError('usage', `compressors.${name}.${key} is not a function`)
      if (!isContentType(compressor.contentType))
        throw new JobqError(
          'usage',
          `compressors.${name}.contentType: ${quote(compressor.contentType)} is not a content type`,
        )
      this.#byName.set(name, fromCustom(name, compressor))
    }
  }

  /** The names that data can be compressed by. */
  get names(): readonly string[] {
    return [...this.#byName.keys()]
  }

  /** @throws JobqError `usage` for an unknown name */
  compress(name: string, bytes: Uint8Array): Uint8Array {
    return this.#named(name).compress(bytes)
  }

  /** @throws JobqError `usage` for an unknown name */
  checkName(name: string): void {
    this.#named(name)
  }

  /**
   * What was compressed, if that is at most `maxBytes`.
   * @throws Rejected `unknown-codec`, `too-large` or `unreadable`
   */
  inflate(name: string, bytes: Uint8Array, maxBytes: number): Uint8Array {
    const compressor = this.#byName.get(name)
    if (compressor === undefined)
      throw new Rejected('unknown-codec', `no compressor ${quote(name)}; add it to compressors`)
    return compressor.inflate(bytes, maxBytes)
  }

  #named(name: string): Compressor {
    const compressor = this.#byName.get(name)
    if (compressor !== undefined) return compressor
    const meant = nearest(name, this.names)
    throw new JobqError('usage', `no compressor ${quote(name)}${meant === null ? '' : `; did you mean ${meant}?`}`)
  }
}

const fromCustom = (name: string, custom: CustomCompressor): Compressor => ({
  compress(bytes) {
    const packed = ofUser(`compressors.${name}.encode`, () => custom.encode(bytes))
    if (packed instanceof Uint8Array) return packed
    throw new JobqError('usage', `compressors.${name}.encode gave no bytes`)
  },
  inflate(bytes, maxBytes) {
    let unpacked: Uint8Array
    try {
      unpacked = custom.decode(bytes, maxBytes)
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      throw new Rejected('unreadable', `${name} could not be read: ${message}`, { cause: error })
    }
    if (!(unpacked instanceof Uint8Array)) throw new Rejected('unreadable', `compressors.${name}.decode gave no bytes`)
    if (unpacked.byteLength > maxBytes) throw tooLarge(maxBytes)
    return unpacked
  },
})
