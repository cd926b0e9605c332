import type { Payload, PayloadOwner } from '../job.ts'
import { bytesOf, contentTypeOf, withBytes } from './codecs.ts'
import { Cipher, type CipherBinding, cipherName } from './keys/cipher.ts'
import { readCipherKey } from './keys/cipher-key.ts'
import { Rejected } from './rejected.ts'

type Part = Pick<PayloadOwner, 'part' | 'task'>

/** Encrypts and decrypts what is stored, with the key of a file that is read when it is first needed. */
export class Encryption {
  readonly #keyFile: string | null
  #cipher: Cipher | null = null

  /** `keyFile` is an absolute path; null where nothing is encrypted. */
  constructor(keyFile: string | null) {
    this.#keyFile = keyFile
  }

  /**
   * Reads the key file, if there is one to read.
   * @throws JobqError `permission`, `not-found`, `usage`
   */
  load(): void {
    this.#used()
  }

  /**
   * What is to be stored; as it is without a key file.
   * @throws JobqError `permission`, `not-found`, `usage` for the key file
   */
  encrypt(payload: Payload, part: Part): Payload {
    const cipher = this.#used()
    if (cipher === null) return payload
    const { text: _, binary: __, ...rest } = payload
    return withBytes({ ...rest, encryption: cipherName }, cipher.encrypt(bytesOf(payload), bindingOf(payload, part)))
  }

  /**
   * What is stored, decrypted if it is encrypted.
   * @throws Rejected `unknown-codec`, `wrong-key`; JobqError `permission`, `not-found`, `usage` for the key file
   */
  decrypt(payload: Payload, part: Part): Payload {
    const { encryption, text: _, binary: __, ...rest } = payload
    if (encryption === undefined) return payload
    if (encryption !== cipherName) throw new Rejected('unknown-codec', `no cipher ${encryption}`)
    const cipher = this.#used()
    if (cipher === null) throw new Rejected('wrong-key', 'it is encrypted, and encrypt.keyFile is not set here')
    return withBytes(rest, cipher.decrypt(bytesOf(payload), bindingOf(payload, part)))
  }

  #used(): Cipher | null {
    if (this.#keyFile !== null) this.#cipher ??= new Cipher(readCipherKey(this.#keyFile))
    return this.#cipher
  }
}

const bindingOf = (payload: Payload, { part, task }: Part): CipherBinding => ({
  part,
  task,
  contentType: contentTypeOf(payload),
  compression: payload.compression ?? null,
})
