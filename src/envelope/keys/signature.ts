/**
 * Signatures, and the line of text as which one is stored with its job:
 * `1 ALGORITHM KEY AT JOB NONCE SIGNATURE`, the last two in base64url. One signature has one text.
 */
import { Rejected } from '../rejected.ts'

/** A signature with all that it says of itself, all of it signed too. */
export interface Signature {
  readonly algorithm: string
  readonly keyId: string
  /** When it was made, epoch milliseconds. */
  readonly at: number
  /** The id of the job that it was made for. */
  readonly job: number
  /** 16 random bytes in base64url: no two signatures are the same. */
  readonly nonce: string
  readonly signature: Buffer
}

/** Longer than the longest: a key's id of 128 characters and 8192 bits of RSA. */
const maxLength = 2_048
const form =
  /^1 ([a-z0-9-]{1,32}) ([A-Za-z0-9._:/-]{1,128}) (0|[1-9]\d{0,15}) (0|[1-9]\d{0,15}) ([\w-]{22}) ([\w-]{43,1366})$/

/** The text as which a signature is stored. */
export const formatSignature = ({ algorithm, keyId, at, job, nonce, signature }: Signature): string =>
  `1 ${algorithm} ${keyId} ${at} ${job} ${nonce} ${signature.toString('base64url')}`

/**
 * Reads the text of a signature.
 * @throws Rejected `malformed` for anything that `formatSignature` would not write
 */
export const parseSignature = (text: string): Signature => {
  const parts = text.length > maxLength ? null : form.exec(text)
  if (parts === null) throw malformed()
  const [, algorithm = '', keyId = '', at, job, nonce = '', encoded = ''] = parts
  const signature = Buffer.from(encoded, 'base64url')
  const read = { algorithm, keyId, at: Number(at), job: Number(job), nonce, signature }
  // The last character of base64 has bits that mean nothing.
  if (!Number.isSafeInteger(read.at) || !Number.isSafeInteger(read.job) || !/[AQgw]$/.test(nonce)) throw malformed()
  if (signature.toString('base64url') !== encoded) throw malformed()
  return read
}

const malformed = (): Rejected => new Rejected('malformed', 'its signature is not a signature')
