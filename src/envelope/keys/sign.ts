/**
 * Signing what is stored. A signature covers the bytes as they are stored (serialized, then compressed and encrypted, if
 * they are) and all that says how they are read and whose they are, so that it can be verified before anything is
 * decrypted, decompressed or decoded, and holds for one job only. The id of a job is known once its row is there: the
 * broker calls for the signature inside the transaction that adds the job.
 */
import { randomFillSync } from 'node:crypto'
import type { Moment } from '../../clock.ts'
import { Rejected } from '../rejected.ts'
import { type Binding, messageOf } from './binding.ts'
import type { Keyring } from './keyring.ts'
import { parseSignature, type Signature } from './signature.ts'
import type { Validity } from './trust.ts'
import type { SigningKey } from './usable-key.ts'

/** Stored bytes and what they belong to. */
export interface Content extends Binding {
  readonly bytes: Uint8Array
}

/** Signs content; `at` is epoch milliseconds. */
export const sign = (key: SigningKey, content: Content, at: number): Signature => {
  const head = { algorithm: key.algorithm, keyId: key.id, at, job: content.job, nonce: freshNonce() }
  return { ...head, signature: key.sign(signedMessage(head, content)) }
}

/**
 * Verifies content against the stored text of its signature, before anything is decoded; gives the signature, or null
 * where there is none and none is `required`.
 * @throws Rejected with what is wrong
 */
export const verify = (
  keyring: Keyring,
  content: Content & { readonly signature: string | null; readonly required: boolean },
  now: Moment,
): Signature | null => {
  if (content.signature === null) {
    if (content.required) throw new Rejected('unsigned', 'it is not signed, and only signed jobs are run here')
    return null
  }
  const signature = parseSignature(content.signature)
  const key = keyring.verifier(signature.keyId, now)
  if (signature.job !== content.job) {
    throw new Rejected('replay', `its signature was made for job ${signature.job}, not for this one`)
  }
  // The key says how it signs; a signature that says otherwise was not made with it.
  const message = signedMessage(signature, content)
  if (signature.algorithm !== key.algorithm || !key.verify(message, signature.signature)) {
    throw new Rejected('bad-signature', `it is not what was signed with the key ${signature.keyId}`)
  }
  checkValidity(key.validity, signature.keyId, now.at)
  return signature
}

/**
 * Signs content anew, with another key or for another queue, if its signature holds: `next` is what it is to be.
 * @throws Rejected as `verify`
 */
export const resign = (
  keyring: Keyring,
  content: Content & { readonly signature: string },
  next: { readonly key: SigningKey; readonly queue: string; readonly now: Moment },
): Signature => {
  verify(keyring, { ...content, required: true }, next.now)
  return sign(next.key, { ...content, queue: next.queue }, next.now.at)
}

type Head = Omit<Signature, 'signature'>

const signedMessage = (head: Head, content: Content): Buffer =>
  messageOf(
    [
      'jobq signature 1',
      head.algorithm,
      head.keyId,
      head.at,
      head.nonce,
      content.part,
      content.job,
      content.task,
      content.queue,
      content.contentType,
      content.compression,
      content.encryption,
    ],
    content.bytes,
  )

/** Whether a certificate is valid at an instant (epoch milliseconds). @throws Rejected `expired-certificate` */
export const checkValidity = (validity: Validity | null, keyId: string, at: number): void => {
  if (validity === null || (at >= validity.notBefore && at <= validity.notAfter)) return
  const when =
    at < validity.notBefore
      ? `is not valid before ${new Date(validity.notBefore).toISOString()}`
      : `expired at ${new Date(validity.notAfter).toISOString()}`
  throw new Rejected('expired-certificate', `the certificate ${keyId}, or one above it, ${when}`)
}

// Asking the system for 16 bytes at a time would cost more than signing.
const nonceBytes = 16
const pool = Buffer.alloc(256 * nonceBytes)
let used = pool.length

const freshNonce = (): string => {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += nonceBytes
  return pool.toString('base64url', used - nonceBytes, used)
}
