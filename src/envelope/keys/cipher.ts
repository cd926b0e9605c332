/**
 * Encryption of what is stored, after compression: AES-256 in Galois/Counter Mode. The stored bytes are
 * `version (1) · key mark (4) · nonce (12) · encrypted content · tag (16)`, 33 more than the content. The mark, the first
 * bytes of a hash of the key, tells a wrong key from a tampered content. Nonces are random: a key is good for 2^32
 * contents (NIST SP 800-38D), after which another one should take its place.
 *
 * Hidden are payloads and results. What a queue needs stays visible: the names of task, queue, worker, tags, labels and
 * `meta`, unique and concurrency keys, all times and counts, errors, progress, the output of jobs, the length of the
 * content, and how it is serialized and compressed.
 */
import { createCipheriv, createDecipheriv, createHash, createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { Rejected } from '../rejected.ts'
import { type Binding, messageOf } from './binding.ts'

/** The name under which content that is encrypted so is stored and signed. */
export const cipherName = 'aes-256-gcm'

/** How many bytes longer content gets. */
export const cipherOverheadBytes = 33

/**
 * What encrypted content belongs to: the part of what task, and how it is read. Its job and queue are the signature's
 * affair, because they are not known, or may change, when it is encrypted.
 */
export type CipherBinding = Pick<Binding, 'part' | 'task' | 'contentType' | 'compression'>

const version = 1
const markBytes = 4
const nonceBytes = 12
const tagBytes = 16
const headBytes = 1 + markBytes + nonceBytes

/** Encrypts and decrypts with one key. */
export class Cipher {
  readonly #key: KeyObject
  readonly #mark: Buffer

  /** With 32 bytes. */
  constructor(secret: Uint8Array) {
    this.#key = createSecretKey(secret)
    this.#mark = createHash('sha256').update('jobq cipher 1').update(secret).digest().subarray(0, markBytes)
  }

  /** The bytes to store for a content. */
  encrypt(content: Uint8Array, binding: CipherBinding): Buffer {
    const nonce = randomBytes(nonceBytes)
    const head = Buffer.concat([Buffer.of(version), this.#mark, nonce])
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce, { authTagLength: tagBytes })
    cipher.setAAD(boundMessage(binding, head))
    return Buffer.concat([head, cipher.update(content), cipher.final(), cipher.getAuthTag()])
  }

  /** The content of stored bytes. @throws Rejected `malformed`, `wrong-key`, `tampered` */
  decrypt(stored: Uint8Array, binding: CipherBinding): Buffer {
    if (stored.length < cipherOverheadBytes || stored[0] !== version) {
      throw new Rejected('malformed', 'its content is not encrypted as it should be')
    }
    const head = stored.subarray(0, headBytes)
    if (!this.#mark.equals(head.subarray(1, 1 + markBytes))) {
      throw new Rejected('wrong-key', 'it was encrypted with another key than the one of encrypt.keyFile')
    }
    const decipher = createDecipheriv('aes-256-gcm', this.#key, head.subarray(1 + markBytes), {
      authTagLength: tagBytes,
    })
    decipher.setAAD(boundMessage(binding, head))
    decipher.setAuthTag(stored.subarray(stored.length - tagBytes))
    const content = decipher.update(stored.subarray(headBytes, stored.length - tagBytes))
    try {
      return Buffer.concat([content, decipher.final()])
    } catch (error) {
      throw new Rejected('tampered', 'its encrypted content was changed, or belongs to another task', { cause: error })
    }
  }
}

const boundMessage = ({ part, task, contentType, compression }: CipherBinding, head: Uint8Array): Buffer =>
  messageOf(['jobq cipher 1', part, task, contentType, compression], head)
