// Compressors: both ways, with the programs of the same names, and with what was made to do harm.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { compressIfSmaller } from '../../src/envelope/compressors/compress-if-smaller.ts'
import { Compressors } from '../../src/envelope/compressors/compressors.ts'
import { Rejected, type RejectedReason } from '../../src/envelope/rejected.ts'
import { JobqError } from '../../src/errors.ts'
import { SeededRandom } from '../support/random.ts'

const compressors = new Compressors()

const isRejected =
  (reason: RejectedReason, message = /./) =>
  (error: unknown) =>
    error instanceof Rejected && error.reason === reason && message.test(error.message)

const noise = (length: number): Buffer => {
  const random = new SeededRandom('noise')
  return Buffer.from(Array.from({ length }, () => random.below(256)))
}

const samples: Readonly<Record<string, Buffer>> = {
  nothing: Buffer.alloc(0),
  'one byte': Buffer.of(7),
  text: Buffer.from(
    JSON.stringify(Array.from({ length: 2000 }, (_, id) => ({ id, to: `user${id % 17}@example.org` }))),
  ),
  noise: noise(5000),
  'long runs': Buffer.concat([Buffer.alloc(250_000, 1), Buffer.alloc(300_000, 2)]),
}

const megabytes = 64

/** What each makes of 64 MiB of zeros. */
const bombs = new Map(
  compressors.names.map((name) => [name, compressors.compress(name, Buffer.alloc(megabytes * 1024 ** 2))]),
)

/** The programs, by what they are called with. zlib has none. */
const programs: readonly [name: string, pack: readonly string[], unpack: readonly string[]][] = [
  ['gzip', ['gzip', '-c', '-9'], ['gzip', '-dc']],
  ['bzip2', ['bzip2', '-c'], ['bzip2', '-dc']],
  ['zstd', ['zstd', '-q', '-c', '-19'], ['zstd', '-q', '-dc']],
  ['brotli', ['brotli', '-c'], ['brotli', '-dc']],
]

const run = ([program = '', ...parameters]: readonly string[], input: Uint8Array): Buffer => {
  const { status, stdout, stderr } = spawnSync(program, parameters, { input, maxBuffer: 2 ** 27 })
  assert.equal(status, 0, `${program}: ${stderr}`)
  return stdout
}

for (const name of compressors.names) {
  describe(name, () => {
    for (const [kind, sample] of Object.entries(samples)) {
      it(`gives back ${kind}, and not a byte more than allowed`, () => {
        const packed = compressors.compress(name, sample)
        assert.ok(sample.equals(compressors.inflate(name, packed, sample.length)))
        assert.ok(sample.equals(compressors.inflate(name, packed, 2 ** 20)))
        if (sample.length > 0)
          assert.throws(() => compressors.inflate(name, packed, sample.length - 1), isRejected('too-large'))
      })
    }
    it('refuses what is cut short, at every byte', () => {
      const packed = compressors.compress(name, Buffer.from('x'.repeat(300) + 'y'))
      for (let length = 0; length < packed.length; length++)
        assert.throws(() => compressors.inflate(name, packed.subarray(0, length), 1e6), isRejected('unreadable'))
    })
    it('refuses what is followed by something', () => {
      const packed = compressors.compress(name, samples.text ?? Buffer.alloc(0))
      for (const more of ['x', '\0', '\0'.repeat(9), packed.subarray(0, 5)])
        assert.throws(
          () => compressors.inflate(name, Buffer.concat([packed, Buffer.from(more)]), 1e6),
          isRejected('unreadable'),
        )
      const twice = Buffer.concat([packed, packed])
      if (name === 'gzip') assert.equal(compressors.inflate(name, twice, 1e6).length, 2 * (samples.text?.length ?? 0))
      else assert.throws(() => compressors.inflate(name, twice, 1e6), isRejected('unreadable', /after/))
    })
    it('gives what was packed, or refuses, when a bit is wrong', () => {
      const sample = Buffer.from('some text, and some more text, and some other text')
      const packed = compressors.compress(name, sample)
      let refused = 0
      for (let bit = 0; bit < packed.length * 8; bit++) {
        const wrong = Buffer.from(packed)
        wrong[bit >> 3] = (wrong[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        try {
          assert.ok(compressors.inflate(name, wrong, 1e6).length <= 1e6)
        } catch (error) {
          assert.ok(isRejected('unreadable')(error) || isRejected('too-large')(error), String(error))
          refused++
        }
      }
      // brotli has no checksum; gzip's header has bytes that mean nothing.
      assert.ok(refused > packed.length * (name === 'brotli' ? 1 : 5), `${refused} of ${packed.length * 8}`)
    })
    it(`stops at the cap in ${megabytes} MiB of zeros`, () => {
      const bomb = bombs.get(name) ?? Buffer.alloc(0)
      const before = process.memoryUsage()
      assert.throws(() => compressors.inflate(name, bomb, 2 ** 20), isRejected('too-large', /1M/))
      const after = process.memoryUsage()
      assert.ok(after.external - before.external < 24 * 2 ** 20, `${after.external - before.external} bytes more`)
    })
  })
}

for (const [name, pack, unpack] of programs) {
  const missing = spawnSync(pack[0] ?? '', ['--version']).error !== undefined
  describe(`${name}, the program`, { skip: missing && `${name} is not installed` }, () => {
    for (const [kind, sample] of Object.entries(samples)) {
      it(`unpacks ${kind} that was packed here`, () => {
        assert.ok(sample.equals(run(unpack, compressors.compress(name, sample))))
      })
      it(`packs ${kind} so that it can be unpacked here`, () => {
        assert.ok(sample.equals(compressors.inflate(name, run(pack, sample), sample.length)))
      })
    }
  })
}

describe('a custom compressor', () => {
  const reverse = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes).reverse()
  const contentType = 'application/x-reversed'

  it('is used by its name, and kept to the cap', () => {
    const own = new Compressors({ reversed: { contentType, encode: reverse, decode: reverse } })
    const packed = own.compress('reversed', Buffer.from('abc'))
    assert.equal(Buffer.from(packed).toString(), 'cba')
    assert.equal(Buffer.from(own.inflate('reversed', packed, 3)).toString(), 'abc')
    assert.throws(() => own.inflate('reversed', packed, 2), isRejected('too-large'))
  })
  it('that throws rejects what it was to read', () => {
    const decode = (): Uint8Array => {
      throw new Error('broken')
    }
    const own = new Compressors({ odd: { contentType, encode: reverse, decode } })
    assert.throws(() => own.inflate('odd', Buffer.of(1), 9), isRejected('unreadable', /broken/))
  })
  it('cannot stand in for a built-in one', () => {
    const isUsage = (error: unknown) => error instanceof JobqError && error.code === 'usage'
    assert.throws(() => new Compressors({ gzip: { contentType, encode: reverse, decode: reverse } }), isUsage)
    assert.throws(() => new Compressors({ odd: { contentType: 'odd', encode: reverse, decode: reverse } }), isUsage)
    assert.throws(() => compressors.compress('zst', Buffer.of(1)), /did you mean zstd\?/)
    assert.throws(() => compressors.inflate('lz4', Buffer.of(1), 9), isRejected('unknown-codec', /lz4/))
  })
})

describe('compressIfSmaller', () => {
  const half = (bytes: Uint8Array): Uint8Array => bytes.subarray(bytes.length >> 1)
  it('leaves what is below the threshold', () => {
    assert.equal(compressIfSmaller(Buffer.alloc(99), 100, half), null)
    assert.equal(compressIfSmaller(Buffer.alloc(100), 100, half)?.length, 50)
  })
  it('keeps only what became smaller', () => {
    assert.equal(
      compressIfSmaller(noise(5000), 0, (bytes) => compressors.compress('zstd', bytes)),
      null,
    )
    assert.equal(
      compressIfSmaller(Buffer.alloc(100), 0, (bytes) => bytes),
      null,
    )
  })
})
