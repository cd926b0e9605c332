/**
 * Payloads and results on their way into the queue and out of it: sealed (serialized, compressed, encrypted, signed) and
 * opened in the reverse order, so that nothing is decoded that was not verified. A worker keeps the keys and only unlocks;
 * its children decode.
 */

import type { Clock } from '../clock.ts'
import { JobqError } from '../errors.ts'
import type { Payload, PayloadOwner, PayloadReader } from '../job.ts'
import { encodePlain, isLarger, isPlain, readPlain } from '../plain-payload.ts'
import type { PayloadSealer, Sealed, Sealing } from '../sealing.ts'
import { formatSize } from '../size.ts'
import { bytesOf, type CodecOptions, Codecs, contentTypeOf, Written } from './codecs.ts'
import { Encryption } from './encryption.ts'
import { cipherOverheadBytes } from './keys/cipher.ts'
import { Keyring } from './keys/keyring.ts'
import { type Content, resign, sign, verify } from './keys/sign.ts'
import { formatSignature } from './keys/signature.ts'
import { Rejected } from './rejected.ts'
import { checkPrintedWeight } from './serializers/weigh.ts'

/** What `Messages` goes by. */
export interface MessageOptions extends CodecOptions {
  /** Absolute path of the folder of keys, and the key that signs where none is named. */
  readonly keys?: { readonly folder?: string; readonly sign?: string }
  /** Absolute path of the key file for encryption. */
  readonly keyFile?: string
  /** Only signed jobs are run, in all queues or in these. */
  readonly requireSigned?: boolean | readonly string[]
  readonly maxPayloadBytes: number
  readonly maxResultBytes: number
  readonly clock: Clock
}

/** How one client or worker writes and reads what jobs carry. */
export class Messages implements PayloadSealer {
  readonly codecs: Codecs
  readonly #options: MessageOptions
  /** Payloads are neither encrypted nor signed unless somebody asks for it. */
  readonly #plain: boolean
  readonly #encryption: Encryption
  #keyring: Keyring | null = null

  /** @throws JobqError `usage` for codecs that are none */
  constructor(options: MessageOptions) {
    this.#options = options
    this.codecs = new Codecs(options)
    this.#encryption = new Encryption(options.keyFile ?? null)
    this.#plain = options.keyFile === undefined && !this.requiresAny && this.usualKey === null
  }

  /**
   * Reads the key file of encryption, and the key that signs, now rather than when the first result needs them.
   * @throws JobqError `permission`, `not-found`, `usage`
   */
  loadKeys(): void {
    this.#encryption.load()
    if (this.usualKey !== null) this.checkSigner(this.usualKey)
  }

  /** True where unsigned jobs of a queue are not run. */
  requiresSigned(queue: string): boolean {
    const { requireSigned = false } = this.#options
    return typeof requireSigned === 'boolean' ? requireSigned : requireSigned.includes(queue)
  }

  /** True of a payload that no worker has to unlock: it is neither signed nor encrypted, nor has to be, and not too large. */
  isOpen(payload: Payload): boolean {
    const { encryption, signature, unreadable } = payload
    if (encryption !== undefined || signature !== undefined || unreadable !== undefined || this.requiresAny)
      return false
    return !isLarger(payload, this.#options.maxPayloadBytes)
  }

  /** True where any queue wants signed jobs. */
  get requiresAny(): boolean {
    const { requireSigned = false } = this.#options
    return typeof requireSigned === 'boolean' ? requireSigned : requireSigned.length > 0
  }

  /** True of a payload in plain JSON that is to be stored as it is, where nobody asks for anything else. */
  keepsPlain(payload: Payload): boolean {
    return this.#plain && isPlain(payload) && !isLarger(payload, this.#options.maxPayloadBytes)
  }

  /** The key that signs where only signing was asked for; null where none is set. */
  get usualKey(): string | null {
    return this.#options.keys?.sign ?? null
  }

  seal(value: unknown, sealing: Sealing, of: { readonly task: string; readonly queue: string | null }): Sealed {
    const { serializer, compress, sign: asked } = sealing
    if (serializer === undefined && compress === undefined && asked === undefined && !(value instanceof Written)) {
      // What most payloads are comes by the thousand.
      if (this.#plain) return { payload: encodePlain(value, this.#options.maxPayloadBytes) }
    }
    const coded = this.codecs.encode(value, sealing, this.#options.maxPayloadBytes)
    const payload = this.#encryption.encrypt(coded, { part: 'payload', task: of.task })
    const keyId = this.#signer(sealing.sign, of.queue)
    if (keyId === null) return { payload }
    const now = this.#options.clock.now()
    // A key that cannot be used is to be known before anything is written.
    const key = this.#keys().signer(keyId, now)
    return {
      payload,
      sign: (owner) => formatSignature(sign(key, contentOf(payload, owner), now.at)),
    }
  }

  /**
   * A result as it is to be stored: encrypted if payloads are, and signed if its job was and there is a key to do it with.
   * @throws JobqError `permission`, `not-found` for a key
   */
  lock(result: Payload, owner: PayloadOwner, signed: boolean): Payload {
    const stored = this.#encryption.encrypt(result, owner)
    if (!signed || this.usualKey === null) return stored
    const now = this.#options.clock.now()
    const signature = sign(this.#keys().signer(this.usualKey, now), contentOf(stored, owner), now.at)
    return { ...stored, signature: formatSignature(signature) }
  }

  /** True where results may have to be locked. */
  get locks(): boolean {
    return this.#options.keyFile !== undefined || this.usualKey !== null
  }

  /**
   * What is stored, verified and decrypted, still to be decoded.
   * @throws Rejected with what is wrong
   */
  unlock(payload: Payload, owner: PayloadOwner): Payload {
    this.#checkStored(payload, owner)
    const required = owner.part === 'payload' && this.requiresSigned(owner.queue)
    const { signature = null } = payload
    if (signature !== null || required) {
      verify(this.#keys(), { ...contentOf(payload, owner), signature, required }, this.#options.clock.now())
    }
    return this.#encryption.decrypt(payload, owner)
  }

  /** @throws JobqError `permission`, `not-found` for a key that cannot sign now */
  checkSigner(keyId: string): void {
    this.#keys().signer(keyId, this.#options.clock.now())
  }

  /**
   * Verifies a signature that must be there; gives the id of its key.
   * @throws Rejected with what is wrong
   */
  verify(payload: Payload, owner: PayloadOwner): string {
    this.#checkStored(payload, owner)
    const { signature = null } = payload
    const content = { ...contentOf(payload, owner), signature, required: true }
    return verify(this.#keys(), content, this.#options.clock.now())?.keyId ?? ''
  }

  /**
   * The signature of a signed payload by another key, if the one that it has holds.
   * @throws Rejected with what is wrong with that; JobqError `permission`, `not-found` for the key
   */
  resign(payload: Payload, owner: PayloadOwner, keyId: string): string {
    const now = this.#options.clock.now()
    const key = this.#keys().signer(keyId, now)
    const { signature = '' } = payload
    return formatSignature(
      resign(this.#keys(), { ...contentOf(payload, owner), signature }, { key, queue: owner.queue, now }),
    )
  }

  /**
   * The value of what is stored.
   * @throws Rejected with what is wrong
   */
  open(payload: Payload, owner: PayloadOwner): unknown {
    return this.codecs.decode(this.unlock(payload, owner), this.#maxBytes(owner))
  }

  /** Reads what is stored to show it. What is signed is not shown if it was forged; who has not the key to tell, sees it. */
  readonly read: PayloadReader = (payload, owner) => {
    try {
      this.#checkStored(payload, owner)
      if (payload.signature !== undefined) this.#checkForgery(payload, payload.signature, owner)
      if (isPlain(payload)) return readPlain(payload, owner)
      const value = this.codecs.decode(this.#encryption.decrypt(payload, owner), this.#maxBytes(owner))
      // A structured clone of 200 bytes may hold one array in 2^40 places.
      checkPrintedWeight(value, this.#maxBytes(owner))
      return { value }
    } catch (error) {
      return { hidden: error instanceof Error ? error.message : String(error) }
    }
  }

  #maxBytes({ part }: PayloadOwner): number {
    return part === 'payload' ? this.#options.maxPayloadBytes : this.#options.maxResultBytes
  }

  /** What is too large is neither hashed nor decrypted. */
  #checkStored(payload: Payload, owner: PayloadOwner): void {
    if (payload.unreadable !== undefined) throw new Rejected('malformed', payload.unreadable)
    const allowed = this.#maxBytes(owner) + (payload.encryption === undefined ? 0 : cipherOverheadBytes)
    if (!isLarger(payload, allowed)) return
    throw new Rejected('too-large', `it has more than the allowed ${formatSize(this.#maxBytes(owner))}`)
  }

  #checkForgery(payload: Payload, signature: string, owner: PayloadOwner): void {
    try {
      verify(this.#keys(), { ...contentOf(payload, owner), signature, required: false }, this.#options.clock.now())
    } catch (error) {
      if (error instanceof Rejected && ['bad-signature', 'replay', 'malformed'].includes(error.reason)) throw error
    }
  }

  #signer(asked: string | boolean | undefined, queue: string | null): string | null {
    if (typeof asked === 'string') return asked
    if (asked === false) return null
    // Who has set a key to sign with wants it used.
    if (this.usualKey !== null) return this.usualKey
    const wanted = asked ?? (queue === null ? this.requiresAny : this.requiresSigned(queue))
    if (!wanted) return null
    const why = asked === true ? 'jobs of this task are to be signed' : 'only signed jobs are taken here'
    throw new JobqError('permission', `${why}: name a key to sign with, or set keys.sign in the configuration`)
  }

  #keys(): Keyring {
    const folder = this.#options.keys?.folder
    if (folder === undefined) throw new JobqError('usage', 'keys.folder is not set')
    this.#keyring ??= new Keyring(folder)
    return this.#keyring
  }
}

const contentOf = (payload: Payload, owner: PayloadOwner): Content => ({
  ...owner,
  contentType: contentTypeOf(payload),
  compression: payload.compression ?? null,
  encryption: payload.encryption ?? null,
  bytes: bytesOf(payload),
})
