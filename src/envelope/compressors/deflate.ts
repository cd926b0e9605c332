// fflate packs; node:zlib unpacks, because fflate checks no checksum, believes the size that a gzip trailer claims, and
// cannot tell where the data ends.
import { inflateSync, gunzipSync as nativeGunzipSync } from 'node:zlib'
import { gzipSync, zlibSync } from 'fflate'
import type { Compressor } from './compressor.ts'
import { nativeInflate } from './native-inflate.ts'

/** As `gzip`, which also reads several members one after the other as one. */
export const gzip: Compressor = {
  compress: (bytes) => gzipSync(bytes, { mtime: 0 }),
  inflate: (bytes, maxBytes) => nativeInflate(bytes, maxBytes, nativeGunzipSync),
}

/** Deflate with zlib's header and checksum, a few bytes less than gzip. */
export const zlib: Compressor = {
  compress: (bytes) => zlibSync(bytes),
  inflate: (bytes, maxBytes) => nativeInflate(bytes, maxBytes, inflateSync),
}
