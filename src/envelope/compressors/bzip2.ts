import { Rejected } from '../rejected.ts'
import type { Compressor } from './compressor.ts'
import { bzip2Compress, bzip2Decompress } from './libbz2.ts'
import { tooLarge } from './native-inflate.ts'

const blockBytes = 100_000

/** As `bzip2`, but of several streams one after the other nothing is read. */
export const bzip2: Compressor = {
  compress(bytes) {
    const level = Math.max(1, Math.min(9, Math.ceil(bytes.byteLength / blockBytes)))
    // The most that libbz2 may need.
    const packed = bzip2Compress(bytes, level, bytes.byteLength + Math.ceil(bytes.byteLength / 100) + 600)
    if (typeof packed === 'string') throw new RangeError(`${bytes.byteLength} bytes are too many for bzip2`)
    return packed
  },
  inflate(bytes, maxBytes) {
    let room = Math.min(maxBytes, bytes.byteLength * 16 + 1024)
    let unpacked = bzip2Decompress(bytes, room)
    while (unpacked === 'too-large' && room < maxBytes) {
      room = Math.min(maxBytes, room * 8)
      unpacked = bzip2Decompress(bytes, room)
    }
    if (unpacked === 'too-large') throw tooLarge(maxBytes)
    if (unpacked === 'malformed')
      throw new Rejected('unreadable', 'not the compressed data that it is said to be: libbz2 cannot read it')
    // libbz2 does not say where the stream ended: it goes to the end exactly if it is not complete without the last byte.
    if (typeof bzip2Decompress(bytes.subarray(0, -1), unpacked.byteLength) !== 'string')
      throw new Rejected('unreadable', 'something after the compressed data')
    return unpacked
  },
}
