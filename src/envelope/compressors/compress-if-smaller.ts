/** Compressing less than this rarely makes it smaller, in bytes. */
export const defaultThresholdBytes = 1024

/** The compressed bytes; null where there are fewer than `thresholdBytes` of them or they did not become fewer. */
export const compressIfSmaller = (
  bytes: Uint8Array,
  thresholdBytes: number,
  compress: (bytes: Uint8Array) => Uint8Array,
): Uint8Array | null => {
  if (bytes.byteLength < thresholdBytes) return null
  const packed = compress(bytes)
  return packed.byteLength < bytes.byteLength ? packed : null
}
