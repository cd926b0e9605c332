import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib'
import type { Compressor } from './compressor.ts'
import { nativeInflate } from './native-inflate.ts'

/** Where more time makes it hardly smaller; the library's own default, 11, takes fifty times as long. */
const quality = 5

/** Brotli; windows beyond 16 MiB are refused. */
export const brotli: Compressor = {
  compress: (bytes) =>
    brotliCompressSync(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: quality, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.byteLength },
    }),
  inflate: (bytes, maxBytes) => nativeInflate(bytes, maxBytes, brotliDecompressSync),
}
