/**
 * - `unsigned`: there is no signature where one is required
 * - `malformed`: what is stored is not a signature, or not encrypted bytes, at all
 * - `unknown-key`: no such key in the keyring
 * - `retired-key`: the key has been retired
 * - `unusable-key`: the key's file cannot be trusted or read
 * - `untrusted-certificate`: it is neither pinned nor issued by an authority in the keyring
 * - `expired-certificate`: it, or one above it, is not valid now
 * - `bad-signature`: the content, or what it belongs to, is not what was signed
 * - `replay`: it was signed for another job
 * - `wrong-key`: it was encrypted with another key
 * - `tampered`: the encrypted bytes, or what they belong to, were changed
 * - `unknown-codec`: no serializer or compressor of that name or content type
 * - `not-accepted`: there is such a serializer, but it is not in the accept list
 * - `too-large`: it has, or unpacks to, more bytes than allowed
 * - `unreadable`: malformed, or a value that could not be kept as it is
 */
export type RejectedReason =
  | 'unsigned'
  | 'malformed'
  | 'unknown-key'
  | 'retired-key'
  | 'unusable-key'
  | 'untrusted-certificate'
  | 'expired-certificate'
  | 'bad-signature'
  | 'replay'
  | 'wrong-key'
  | 'tampered'
  | 'unknown-codec'
  | 'not-accepted'
  | 'too-large'
  | 'unreadable'

/** Content that must not be decoded; the job that holds it is parked with this as its error. */
export class Rejected extends Error {
  readonly reason: RejectedReason
  constructor(reason: RejectedReason, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Rejected'
    this.reason = reason
  }
}
