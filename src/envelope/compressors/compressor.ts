/** Makes bytes fewer and back. */
export interface Compressor {
  compress(bytes: Uint8Array): Uint8Array
  /**
   * The bytes that were compressed; never unpacks more than `maxBytes` of them.
   * @throws Rejected `too-large`, or `unreadable` for what is malformed, cut short, or followed by something
   */
  inflate(bytes: Uint8Array, maxBytes: number): Uint8Array
}
