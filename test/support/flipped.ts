/** Every buffer that differs from this one in one bit. */
export function* flipped(bytes: Uint8Array): Generator<Buffer> {
  for (let index = 0; index < bytes.length; index++) {
    for (let bit = 0; bit < 8; bit++) {
      const copy = Buffer.from(bytes)
      copy[index] = (copy[index] ?? 0) ^ (1 << bit)
      yield copy
    }
  }
}
