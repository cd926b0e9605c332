import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, X509Certificate } from 'node:crypto'
import { JobqError } from '../../errors.ts'
import { checkKey, type KeyType, type StoredKey } from './key-file.ts'

/** How long a certificate is valid unless told otherwise, in milliseconds: two years. */
export const defaultCertificateMs = 730 * 86_400_000

/** Makes a key. `now` is epoch milliseconds, `validMs` how long the certificate of an `x509` key is valid. */
export const newKey = async (
  id: string,
  type: KeyType,
  options: { readonly now: number; readonly validMs?: number },
): Promise<StoredKey> => {
  const { now, validMs = defaultCertificateMs } = options
  const base = { id, type, state: 'active', createdAt: now } as const
  if (type === 'hmac' || type === 'aes256') return { ...base, secret: randomBytes(32), public: null }
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const secret = privateKey.export({ format: 'der', type: 'pkcs8' })
  if (type === 'ed25519')
    return { ...base, secret, public: publicKey.export({ format: 'pem', type: 'spki' }).toString() }
  // Its library takes a while to load.
  const { selfSignedCertificate } = await import('./self-signed.ts')
  const validity = { notBefore: now, notAfter: now + validMs }
  return { ...base, secret, public: selfSignedCertificate(id, { publicKey, privateKey }, validity) }
}

/**
 * A key from a certificate that an authority issued and the private key to it, both PEM.
 * @throws JobqError `usage` where they cannot be read or do not belong together
 */
export const importedKey = (
  id: string,
  parts: { readonly certificate: string; readonly privateKey: string },
  now: number,
): StoredKey => {
  const secret = privateKeyIn(parts.privateKey).export({ format: 'der', type: 'pkcs8' })
  const key: StoredKey = {
    id,
    type: 'x509',
    state: 'active',
    createdAt: now,
    secret,
    public: certificateIn(parts.certificate),
  }
  try {
    checkKey(key)
  } catch (error) {
    throw new JobqError('usage', error instanceof Error ? error.message : String(error), { cause: error })
  }
  return key
}

const certificateIn = (text: string): string => {
  try {
    return new X509Certificate(text).toString()
  } catch {
    throw new JobqError('usage', 'the certificate cannot be read')
  }
}

const privateKeyIn = (text: string): KeyObject => {
  try {
    return createPrivateKey(text)
  } catch {
    throw new JobqError('usage', 'the private key cannot be read; it must be PEM without a passphrase')
  }
}
