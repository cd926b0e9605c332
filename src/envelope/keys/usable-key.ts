import { createSecretKey, X509Certificate } from 'node:crypto'
import { JobqError } from '../../errors.ts'
import { Rejected } from '../rejected.ts'
import { type Algorithm, algorithmOf, signWith, verifyWith } from './algorithm.ts'
import { privateKeyOf, publicKeyOf, type StoredKey } from './key-file.ts'
import { ownValidity, type Validity } from './trust.ts'

/** A key that signs. */
export interface SigningKey {
  readonly id: string
  readonly algorithm: Algorithm
  /** When it signs; null for always. */
  readonly validity: Validity | null
  sign(message: Buffer): Buffer
}

/** A key whose signatures are believed. */
export interface VerifyingKey {
  readonly id: string
  readonly algorithm: Algorithm
  /** When they are believed; null for always. */
  readonly validity: Validity | null
  verify(message: Buffer, signature: Buffer): boolean
}

/**
 * A stored key, to sign with.
 * @throws JobqError `permission` for one that is retired, only verifies or encrypts, or is of an unsupported kind
 */
export const signingKey = ({ id, type, state, secret, public: text }: StoredKey): SigningKey => {
  if (state === 'retired') throw refusedKey(id, 'is retired')
  if (type === 'aes256') throw refusedKey(id, 'is for encryption and does not sign')
  if (state !== 'active' || secret === null) throw refusedKey(id, 'only verifies')
  const object = type === 'hmac' ? createSecretKey(secret) : privateKeyOf(secret)
  const algorithm = algorithmOf(object)
  if (algorithm === null) throw refusedKey(id, unsupported)
  // Whether it is trusted is for those to say who verify.
  const validity = type === 'x509' ? ownValidity(new X509Certificate(text ?? '')) : null
  return { id, algorithm, validity, sign: (message) => signWith(algorithm, object, message) }
}

/**
 * A stored key, to verify with; `trusted` says when a certificate is believed.
 * @throws Rejected `retired-key`, `unusable-key`, what `trusted` throws; JobqError `permission` for an unsupported kind
 */
export const verifyingKey = (key: StoredKey, trusted: (key: StoredKey) => Validity): VerifyingKey => {
  const { id, type, secret, public: text } = key
  if (key.state === 'retired') throw new Rejected('retired-key', `the key ${id} of its signature is retired`)
  if (type === 'aes256') throw new Rejected('unusable-key', `the key ${id} of its signature does not sign`)
  const object = type === 'hmac' ? createSecretKey(secret ?? Buffer.alloc(0)) : publicKeyOf(type, text ?? '')
  const algorithm = algorithmOf(object)
  if (algorithm === null) throw refusedKey(id, unsupported)
  return {
    id,
    algorithm,
    validity: type === 'x509' ? trusted(key) : null,
    verify: (message, signature) => verifyWith(algorithm, object, { message, signature }),
  }
}

const unsupported = 'is of a kind that is not supported'

/** The error of a key that is not fit for what was asked of it. */
export const refusedKey = (id: string, what: string): JobqError => new JobqError('permission', `the key ${id} ${what}`)
