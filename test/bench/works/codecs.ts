import zlib from 'node:zlib'
import { Compressors } from '../../../src/envelope/compressors/compressors.ts'
import { defaultLimits } from '../../../src/envelope/serializers/serializer.ts'
import { Serializers } from '../../../src/envelope/serializers/serializers.ts'
import type { Figures, RowPlan } from '../figures.ts'
import { durability } from '../floors.ts'
import type { Work } from '../work.ts'

const payloadSizes = [100, 10_000, 500_000]

/** Bytes that go through each codec for one figure. */
const volume = 2_000_000
const mostRuns = 2_000

const serializers = new Serializers({ accept: ['json', 'msgpack', 'yaml', 'v8'] })
const compressors = new Compressors()

/** What node:zlib does when it is told nothing but the data; bzip2 is beside its gzip. */
const plainCompressors: Readonly<
  Record<string, { pack(bytes: Uint8Array): Buffer; unpack(bytes: Uint8Array): Buffer }>
> = {
  gzip: { pack: (bytes) => zlib.gzipSync(bytes), unpack: (bytes) => zlib.gunzipSync(bytes) },
  zlib: { pack: (bytes) => zlib.deflateSync(bytes), unpack: (bytes) => zlib.inflateSync(bytes) },
  bzip2: { pack: (bytes) => zlib.gzipSync(bytes), unpack: (bytes) => zlib.gunzipSync(bytes) },
  zstd: { pack: (bytes) => zlib.zstdCompressSync(bytes), unpack: (bytes) => zlib.zstdDecompressSync(bytes) },
  brotli: {
    pack: (bytes) => zlib.brotliCompressSync(bytes, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 5 } }),
    unpack: (bytes) => zlib.brotliDecompressSync(bytes),
  },
}

/** One codec at one size: what it does, and the plain call beside it. */
interface Case {
  readonly what: string
  readonly plainName: string
  readonly bytes: number
  run(): unknown
  plain(): unknown
}

/** W10: encoding and decoding by each serializer and compressor, over the plain calls. */
export const codecs: Work = {
  id: 'W10',
  title: 'codecs',
  async prepare({ sizes }) {
    const cases = payloadSizes.flatMap((bytes) => {
      const value = payload(bytes)
      return [...serializerCases(value, bytes), ...compressorCases(value, bytes)]
    })
    return {
      rows: cases.map(
        ({ what, plainName }, index): RowPlan => ({
          what,
          figure: `codec${index}`,
          unit: 'µs',
          against: { figure: `plain${index}`, name: plainName },
          durability: durability.none,
        }),
      ),
      async round() {
        const figures: Record<string, number> = {}
        for (const [index, { bytes, run, plain }] of cases.entries()) {
          const runs = Math.max(1, Math.min(mostRuns, Math.floor((volume * sizes.mixtures) / 20 / bytes)))
          figures[`plain${index}`] = microseconds(plain, runs)
          figures[`codec${index}`] = microseconds(run, runs)
        }
        return figures satisfies Figures
      },
    }
  },
}

const serializerCases = (value: unknown, bytes: number): Case[] => {
  const json = JSON.stringify(value)
  return serializers.names.flatMap((name) => {
    const written = serializers.encode(name, value)
    const limits = { ...defaultLimits, maxBytes: 2 * defaultLimits.maxBytes }
    const at = `${name}, ${bytes.toLocaleString('en')} B`
    return [
      {
        what: `${at}: encode`,
        plainName: 'JSON.stringify',
        bytes,
        run: () => serializers.encode(name, value),
        plain: () => JSON.stringify(value),
      },
      {
        what: `${at}: decode`,
        plainName: 'JSON.parse',
        bytes,
        run: () => serializers.decode(written, limits),
        plain: () => JSON.parse(json),
      },
    ]
  })
}

const compressorCases = (value: unknown, bytes: number): Case[] => {
  const text = Buffer.from(JSON.stringify(value))
  return Object.entries(plainCompressors).flatMap(([name, { pack, unpack }]) => {
    const packed = compressors.compress(name, text)
    const plainPacked = pack(text)
    const at = `${name}, ${bytes.toLocaleString('en')} B`
    const plainName = `node:zlib ${name === 'bzip2' ? 'gzip' : name}`
    const smaller = `to ${Math.round((100 * packed.length) / text.length)} %`
    return [
      {
        what: `${at}: compress ${smaller}`,
        plainName,
        bytes,
        run: () => compressors.compress(name, text),
        plain: () => pack(text),
      },
      {
        what: `${at}: inflate`,
        plainName,
        bytes,
        run: () => compressors.inflate(name, packed, 2 * text.length),
        plain: () => unpack(plainPacked),
      },
    ]
  })
}

/** A payload as jobs have it, of about so many bytes as JSON. */
const payload = (bytes: number): unknown => {
  const items: unknown[] = []
  for (let length = 30; length < bytes || items.length === 0; ) {
    const id = items.length * 7919
    const item = { id, to: `user${id % 9973}@example.org`, share: id / 1000, done: id % 3 === 0 }
    items.push(item)
    length += JSON.stringify(item).length + 1
  }
  return { kind: 'report', items }
}

/** The mean of some runs, after a few that do not count. */
const microseconds = (run: () => unknown, runs: number): number => {
  for (let warm = 0; warm < Math.min(20, runs); warm++) run()
  const begun = performance.now()
  for (let count = 0; count < runs; count++) run()
  return ((performance.now() - begun) * 1000) / runs
}
