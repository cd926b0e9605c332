// Everything that reads signatures, keys and encrypted bytes is given what no program of jobq writes. It answers with the
// refusal that its contract names, or, where nothing was changed in effect, with what was written; never otherwise.
// JOBQ_FUZZ_INPUTS says how many inputs each gets, JOBQ_FUZZ_SEED repeats a run.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { Cipher } from '../../src/envelope/keys/cipher.ts'
import { formatKey, parseKey, parsePublicKey } from '../../src/envelope/keys/key-file.ts'
import { newKey } from '../../src/envelope/keys/new-key.ts'
import { verify } from '../../src/envelope/keys/sign.ts'
import { formatSignature, parseSignature } from '../../src/envelope/keys/signature.ts'
import { Rejected } from '../../src/envelope/rejected.ts'
import { JobqError } from '../../src/errors.ts'
import { KeyringScene, later, sample, signed } from '../envelope/keys/scenery.ts'
import { SeededRandom } from '../support/random.ts'

const inputs = Number(process.env.JOBQ_FUZZ_INPUTS ?? 20_000)
const random = new SeededRandom(process.env.JOBQ_FUZZ_SEED)
const scene = new KeyringScene()
const { keyring } = scene

before(() => console.log(`seed ${random.seed}`))
before(async () => {
  for (const id of ['a', 'b']) keyring.add(await newKey(id, 'hmac', { now: 0 }))
  keyring.add(await newKey('pair', 'ed25519', { now: 0 }))
})
after(() => scene.remove())

const anything = (): Buffer => createHash('sha512').update(String(random.next())).digest().subarray(0, random.below(65))

/** One to three changes of some bytes: flipped, cut out, doubled, moved, overwritten by anything or by a part of another. */
const changed = (original: Buffer, other: Buffer): Buffer => {
  let bytes = Buffer.from(original)
  for (let change = 0; change <= random.below(3); change++) {
    const from = random.below(bytes.length + 1)
    const to = from + random.below(Math.min(40, bytes.length - from) + 1)
    const [start, middle, end] = [bytes.subarray(0, from), bytes.subarray(from, to), bytes.subarray(to)]
    const flipped = Buffer.from(middle.map((byte, index) => (index === 0 ? byte ^ (1 << random.below(8)) : byte)))
    const foreign = other.subarray(random.below(other.length + 1)).subarray(0, random.below(40))
    const parts = random.pick([
      [start, flipped, end],
      [start, end],
      [start, middle, middle, end],
      [end, middle, start],
      [start, anything(), end],
      [start, foreign, end],
      [start, Buffer.alloc(random.below(3_000), middle.length === 0 ? ' ' : middle), end],
    ])
    bytes = Buffer.concat(parts ?? [])
  }
  return bytes
}

/** Calls with each input and gives how many were accepted; what it throws must be one of these. */
const fuzz = (make: () => Buffer, read: (input: Buffer) => void, allowed: (error: unknown) => boolean): number => {
  let accepted = 0
  for (let count = 0; count < inputs; count++) {
    const input = make()
    try {
      read(input)
      accepted += 1
    } catch (error) {
      const shown = `input ${count} of seed ${random.seed}: ${JSON.stringify(input.toString('latin1'))}`
      assert.ok(allowed(error), new Error(shown, { cause: error }))
    }
  }
  return accepted
}

const isRejected = (error: unknown): boolean => error instanceof Rejected
const isRefused = (error: unknown): boolean => error instanceof JobqError && error.code === 'permission'

describe(`with ${inputs} inputs each`, () => {
  it('signatures', { timeout: 300_000 }, () => {
    const now = later()
    const all = ['a', 'b', 'pair'].map((id) => signed(keyring, id))
    const texts = all.map((text) => Buffer.from(text))
    const make = (): Buffer => {
      if (random.below(20) === 0) return random.below(2) === 0 ? anything() : Buffer.from(random.pick(all) ?? '')
      return changed(random.pick(texts) ?? anything(), random.pick(texts) ?? anything())
    }
    const accepted = fuzz(
      make,
      (input) => {
        const signature = input.toString('latin1')
        verify(keyring, { ...sample, signature, required: true }, now)
        assert.ok(all.includes(signature), `a forgery is believed: ${signature}`)
      },
      isRejected,
    )
    assert.ok(accepted > 0)
  })

  it('the text of signatures, which is one for each', { timeout: 300_000 }, () => {
    const texts = ['a', 'b', 'pair'].map((id) => Buffer.from(signed(keyring, id)))
    const pick = (): Buffer => random.pick(texts) ?? anything()
    const accepted = fuzz(
      () => changed(pick(), pick()),
      (input) => {
        const text = input.toString('latin1')
        assert.equal(formatSignature(parseSignature(text)), text)
      },
      isRejected,
    )
    assert.ok(accepted > 0)
  })

  it('contents under a signature', { timeout: 300_000 }, () => {
    const now = later()
    const signature = signed(keyring, 'a')
    const original = Buffer.from(sample.bytes)
    fuzz(
      () => changed(original, original),
      (bytes) => {
        verify(keyring, { ...sample, bytes, signature, required: true }, now)
        assert.deepEqual(bytes, original)
      },
      isRejected,
    )
  })

  it('encrypted contents', { timeout: 300_000 }, () => {
    const cipher = new Cipher(Buffer.alloc(32, 1))
    const original = Buffer.from('{"to":"ann","text":"a longer one"}')
    const stored = [0, 1].map(() => cipher.encrypt(original, sample))
    fuzz(
      () => (random.below(20) === 0 ? anything() : changed(random.pick(stored) ?? anything(), stored[1] ?? anything())),
      (bytes) => assert.deepEqual(cipher.decrypt(bytes, sample), original),
      isRejected,
    )
  })

  it('key files', { timeout: 300_000 }, async () => {
    const texts = [keyring.read('a'), keyring.read('pair'), await newKey('c', 'x509', { now: 0 })].map((key) =>
      Buffer.from(formatKey(key)),
    )
    const pick = (): Buffer => random.pick(texts) ?? anything()
    fuzz(
      () => changed(pick(), pick()),
      (input) => {
        const key = parseKey(input.toString('utf8'))
        assert.deepEqual(parseKey(formatKey(key)), key)
        assert.equal(Object.getPrototypeOf(key), Object.prototype)
      },
      isRefused,
    )
    const pem = ['pair', 'a'].map((id) => Buffer.from(keyring.read(id).public ?? ''))
    fuzz(
      () => changed(pem[0] ?? anything(), texts[2] ?? anything()),
      (input) => void parsePublicKey(input.toString('utf8'), 'x', 0),
      isRefused,
    )
  })
})
