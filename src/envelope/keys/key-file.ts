/**
 * Keys as they are stored. A key of one's own is a file `NAME.key`: JSON in exactly the form that is written here, with
 * its secret. A key of somebody else, whose signatures are to be believed, may also be what other programs write: a
 * public key (`NAME.pub`) or a certificate (`NAME.crt`, `NAME.pem`) in PEM. What is not exactly that is refused.
 */
import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import { JobqError } from '../../errors.ts'
import { checkName } from '../../name.ts'
import { algorithmOf } from './algorithm.ts'

/** The kinds of keys: `aes256` encrypts, the others sign. */
export const keyTypes = ['hmac', 'ed25519', 'x509', 'aes256'] as const
/** One of `keyTypes`. */
export type KeyType = (typeof keyTypes)[number]

/** `active` keys sign and verify, `verify-only` ones do not sign (any more), `retired` ones are refused for both. */
export const keyStates = ['active', 'verify-only', 'retired'] as const
/** One of `keyStates`. */
export type KeyState = (typeof keyStates)[number]

/** A key in full. */
export interface StoredKey {
  readonly id: string
  readonly type: KeyType
  readonly state: KeyState
  /** Epoch milliseconds. */
  readonly createdAt: number
  /** 32 bytes of a symmetric key; a private key in PKCS #8 (DER); null where only the public part is known. */
  readonly secret: Buffer | null
  /** PEM: the public key of `ed25519`, the certificate of `x509`; null for a symmetric key. */
  readonly public: string | null
}

/** The text of a key's file. */
export const formatKey = (key: StoredKey): string => `${JSON.stringify(document(key), null, 2)}\n`

/**
 * Reads the text of a key's file.
 * @throws JobqError `permission` saying what is wrong with it, never what is in it
 */
export const parseKey = (text: string): StoredKey => {
  const fields = objectIn(text)
  if (fields.format !== 'jobq key') throw corrupt('it is no key')
  if (fields.version !== 1) throw corrupt('it was written by a newer jobq')
  const key: StoredKey = {
    id: attempt('id', () => checkName('key', fields.id)),
    type: oneOf(keyTypes, fields.type, 'type'),
    state: oneOf(keyStates, fields.state, 'state'),
    createdAt: instant(fields.createdAt),
    secret: fields.secret === null ? null : bytes(fields.secret),
    public: fields.public === null ? null : pem(fields.public),
  }
  checkKey(key)
  // Nothing more is in it, and nothing that is read as something else.
  if (JSON.stringify(document(key)) !== JSON.stringify(fields)) throw corrupt('it is not as it was written')
  return key
}

/**
 * Reads a public key or a certificate in PEM.
 * @throws JobqError `permission` for anything else
 */
export const parsePublicKey = (text: string, id: string, createdAt: number): StoredKey => {
  const [, label] = /^-----BEGIN ([A-Z ]+)-----\r?\n[A-Za-z0-9+/=\r\n]+-----END \1-----\s*$/.exec(text) ?? []
  if (label !== 'CERTIFICATE' && label !== 'PUBLIC KEY') throw corrupt('it is not one public key or certificate in PEM')
  const type = label === 'CERTIFICATE' ? 'x509' : 'ed25519'
  const key: StoredKey = { id, type, state: 'verify-only', createdAt, secret: null, public: text }
  checkKey(key)
  return key
}

/**
 * Looks whether the parts of a key fit together.
 * @throws JobqError `permission`
 */
export const checkKey = ({ type, state, secret, public: text }: StoredKey): void => {
  if (secret === null && state === 'active') throw corrupt('it has no secret to sign with')
  if (type === 'aes256' && state === 'verify-only') throw corrupt('a key of the type aes256 verifies nothing')
  if (type === 'hmac' || type === 'aes256') {
    if (secret?.length !== 32 || text !== null) throw corrupt(`a key of the type ${type} is a secret of 32 bytes`)
    return
  }
  if (text === null) throw corrupt('it has no public part')
  const publicKey = attempt('public', () => publicKeyOf(type, text))
  const algorithm = algorithmOf(publicKey)
  if (algorithm === null || (type === 'ed25519' && algorithm !== 'ed25519')) {
    throw corrupt('its kind is not supported: Ed25519, P-256, P-384 and RSA from 2048 bits are')
  }
  if (secret === null) return
  const privateKey = attempt('secret', () => privateKeyOf(secret))
  if (!createPublicKey(privateKey).equals(publicKey))
    throw corrupt('its secret and public parts do not belong together')
}

/** The private key in PKCS #8 (DER). */
export const privateKeyOf = (secret: Buffer): KeyObject =>
  createPrivateKey({ key: secret, format: 'der', type: 'pkcs8' })

/** The public key in a PEM of the type's kind. */
export const publicKeyOf = (type: 'ed25519' | 'x509', text: string): KeyObject =>
  type === 'x509' ? new X509Certificate(text).publicKey : createPublicKey(text)

const document = (key: StoredKey): object => ({
  format: 'jobq key',
  version: 1,
  id: key.id,
  type: key.type,
  state: key.state,
  createdAt: new Date(key.createdAt).toISOString(),
  secret: key.secret === null ? null : key.secret.toString('base64'),
  public: key.public,
})

const corrupt = (what: string, cause?: unknown): JobqError =>
  new JobqError('permission', what, cause === undefined ? undefined : { cause })

const objectIn = (text: string): Readonly<Record<string, unknown>> => {
  // What the parser says would show the text.
  const value = attempt('its text', (): unknown => JSON.parse(text))
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  throw corrupt('it is no key')
}

const attempt = <T>(place: string, read: () => T): T => {
  try {
    return read()
  } catch {
    throw corrupt(`${place} cannot be read`)
  }
}

const oneOf = <const T extends string>(words: readonly T[], value: unknown, place: string): T => {
  const found = words.find((word) => word === value)
  if (found === undefined) throw corrupt(`${place} is none of ${words.join(', ')}`)
  return found
}

const instant = (value: unknown): number => {
  const at = typeof value === 'string' ? Date.parse(value) : Number.NaN
  if (Number.isNaN(at)) throw corrupt('createdAt is no instant')
  return at
}

const bytes = (value: unknown): Buffer => {
  if (typeof value !== 'string') throw corrupt('secret is not text')
  return Buffer.from(value, 'base64')
}

const pem = (value: unknown): string => {
  if (typeof value !== 'string') throw corrupt('public is not text')
  return value
}
