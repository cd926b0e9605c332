import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { Cipher, type CipherBinding, cipherOverheadBytes } from '../../../src/envelope/keys/cipher.ts'
import { reasonOf } from './scenery.ts'

const binding: CipherBinding = {
  part: 'payload',
  task: 'mail/send',
  contentType: 'application/json',
  compression: null,
}
const cipher = new Cipher(randomBytes(32))
const content = Buffer.from('{"to":"ann"}')

describe('Cipher', () => {
  it('gives back what it was given', () => {
    for (const length of [0, 1, 15, 16, 17, 1_000, 1_000_000]) {
      const bytes = randomBytes(length)
      const stored = cipher.encrypt(bytes, binding)
      assert.equal(stored.length, length + cipherOverheadBytes)
      assert.deepEqual(cipher.decrypt(stored, binding), bytes)
    }
  })

  it('tells nothing of it, not even that two are the same', () => {
    const stored = Array.from({ length: 100 }, () => cipher.encrypt(content, binding))
    for (const each of stored) assert.ok(!each.includes('ann'))
    assert.equal(new Set(stored.map((each) => each.toString('hex'))).size, 100)
  })

  it('refuses it with any bit changed', () => {
    const stored = cipher.encrypt(content, binding)
    for (let bit = 0; bit < stored.length * 8; bit++) {
      const other = Buffer.from(stored)
      other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      const expected = bit < 8 ? 'malformed' : bit < 40 ? 'wrong-key' : 'tampered'
      assert.equal(
        reasonOf(() => cipher.decrypt(other, binding)),
        expected,
      )
    }
  })

  it('refuses less or more of it', () => {
    const stored = cipher.encrypt(content, binding)
    for (let length = 0; length < stored.length; length++) {
      const expected = length < cipherOverheadBytes ? 'malformed' : 'tampered'
      assert.equal(
        reasonOf(() => cipher.decrypt(stored.subarray(0, length), binding)),
        expected,
      )
    }
    assert.equal(
      reasonOf(() => cipher.decrypt(Buffer.concat([stored, Buffer.of(0)]), binding)),
      'tampered',
    )
  })

  it('refuses it for anything else that it would belong to', () => {
    const stored = cipher.encrypt(content, binding)
    const others: Partial<CipherBinding>[] = [
      { part: 'result' },
      { task: 'mail/sen' },
      { contentType: 'application/yaml' },
      { compression: 'zstd' },
    ]
    for (const other of others) {
      assert.equal(
        reasonOf(() => cipher.decrypt(stored, { ...binding, ...other })),
        'tampered',
      )
    }
  })

  it('refuses it with another key', () => {
    const stored = cipher.encrypt(content, binding)
    assert.equal(
      reasonOf(() => new Cipher(randomBytes(32)).decrypt(stored, binding)),
      'wrong-key',
    )
  })
})
