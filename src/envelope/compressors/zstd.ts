import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { Compressor } from './compressor.ts'
import { nativeInflate } from './native-inflate.ts'

/** 8 MiB: what every decoder is asked to take, and all that `zstd` up to `-19` uses. */
const windowBits = 23

/** Zstandard, one frame with its checksum; windows beyond 8 MiB are refused. */
export const zstd: Compressor = {
  compress: (bytes) => zstdCompressSync(bytes, { params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
  inflate: (bytes, maxBytes) =>
    nativeInflate(bytes, maxBytes, (data, options) =>
      zstdDecompressSync(data, { ...options, params: { [constants.ZSTD_d_windowLogMax]: windowBits } }),
    ),
}
