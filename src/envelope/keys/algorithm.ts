import { constants, createHmac, type KeyObject, sign, timingSafeEqual, verify } from 'node:crypto'

/** How a key signs. The key decides it, never the signature. */
export type Algorithm = 'hmac-sha256' | 'ed25519' | 'ecdsa-p256-sha256' | 'ecdsa-p384-sha384' | 'rsa-pss-sha256'

/** The algorithm of a key; null for one that is too weak or not supported. */
export const algorithmOf = (key: KeyObject): Algorithm | null => {
  if (key.type === 'secret') return 'hmac-sha256'
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'ed25519') return 'ed25519'
  if (key.asymmetricKeyType === 'ec' && namedCurve === 'prime256v1') return 'ecdsa-p256-sha256'
  if (key.asymmetricKeyType === 'ec' && namedCurve === 'secp384r1') return 'ecdsa-p384-sha384'
  if (key.asymmetricKeyType === 'rsa' && modulusLength >= 2048 && modulusLength <= 8192) return 'rsa-pss-sha256'
  return null
}

/** Signs with a secret or private key. */
export const signWith = (algorithm: Algorithm, key: KeyObject, message: Buffer): Buffer =>
  algorithm === 'hmac-sha256'
    ? createHmac('sha256', key).update(message).digest()
    : sign(digestOf(algorithm), message, { key, ...formOf(algorithm) })

/** True for the signature of this message by the holder of this secret or of the private key to this public one. */
export const verifyWith = (
  algorithm: Algorithm,
  key: KeyObject,
  signed: { readonly message: Buffer; readonly signature: Buffer },
): boolean => {
  const { message, signature } = signed
  if (algorithm !== 'hmac-sha256') return verify(digestOf(algorithm), message, { key, ...formOf(algorithm) }, signature)
  return signature.length === 32 && timingSafeEqual(signWith(algorithm, key, message), signature)
}

type Asymmetric = Exclude<Algorithm, 'hmac-sha256'>

const digestOf = (algorithm: Asymmetric): string | null =>
  ({ ed25519: null, 'ecdsa-p256-sha256': 'sha256', 'ecdsa-p384-sha384': 'sha384', 'rsa-pss-sha256': 'sha256' })[
    algorithm
  ]

const formOf = (algorithm: Asymmetric): { dsaEncoding?: 'ieee-p1363'; padding?: number; saltLength?: number } =>
  ({
    ed25519: {},
    'ecdsa-p256-sha256': { dsaEncoding: 'ieee-p1363' as const },
    'ecdsa-p384-sha384': { dsaEncoding: 'ieee-p1363' as const },
    'rsa-pss-sha256': { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
  })[algorithm]
