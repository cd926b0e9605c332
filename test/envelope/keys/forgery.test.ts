// Whatever is changed in a signed content, in what it belongs to or in its signature: it is not believed any more.
import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { importedKey, newKey } from '../../../src/envelope/keys/new-key.ts'
import { type Content, resign, sign, verify } from '../../../src/envelope/keys/sign.ts'
import { formatSignature, parseSignature } from '../../../src/envelope/keys/signature.ts'
import { flipped } from '../../support/flipped.ts'
import { hasOpenssl, KeyringScene, later, refusal, sample, signed } from './scenery.ts'

const scene = new KeyringScene()
const { keyring } = scene
const imported: Readonly<Record<string, readonly string[]>> = {
  'ecdsa-p256-sha256': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  'ecdsa-p384-sha384': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  'rsa-pss-sha256': ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
}
const ids = ['hmac', 'ed25519', 'x509', ...(hasOpenssl ? Object.keys(imported) : [])]

before(async () => {
  for (const type of ['hmac', 'ed25519', 'x509'] as const) keyring.add(await newKey(type, type, { now: Date.now() }))
  keyring.add(await newKey('other', 'hmac', { now: Date.now() }))
  keyring.add(await newKey('aes', 'aes256', { now: Date.now() }))
  if (!hasOpenssl) return
  for (const [id, key] of Object.entries(imported))
    keyring.add(importedKey(id, scene.certificate(id, { key }), Date.now()))
})
after(() => scene.remove())

const believed = (signature: string, content: Content): boolean => refusal(keyring, signature, { content }) === null

for (const id of ids) {
  describe(`a signature with the key ${id}`, () => {
    it('holds for what was signed', () => {
      const now = later()
      const signature = signed(keyring, id)
      const verified = verify(keyring, { ...sample, signature, required: true }, now)
      assert.equal(verified?.keyId, id)
      assert.equal(formatSignature(parseSignature(signature)), signature)
    })

    it('does not hold with any bit of its text changed', () => {
      const signature = signed(keyring, id)
      for (const other of flipped(Buffer.from(signature))) {
        assert.ok(!believed(other.toString('latin1'), sample), other.toString('latin1'))
      }
    })

    it('does not hold with any bit of the signature itself or of its nonce changed', () => {
      const signature = parseSignature(signed(keyring, id))
      for (const other of flipped(signature.signature)) {
        assert.equal(refusal(keyring, formatSignature({ ...signature, signature: other })), 'bad-signature')
      }
      for (const other of flipped(Buffer.from(signature.nonce, 'base64url'))) {
        const nonce = other.toString('base64url')
        assert.equal(refusal(keyring, formatSignature({ ...signature, nonce })), 'bad-signature')
      }
    })

    it('does not hold with any bit of the content changed, or with more or less of it', () => {
      const signature = signed(keyring, id)
      for (const bytes of flipped(sample.bytes)) assert.ok(!believed(signature, { ...sample, bytes }))
      for (const bytes of [Buffer.alloc(0), sample.bytes.subarray(1), Buffer.concat([sample.bytes, Buffer.of(0)])]) {
        assert.ok(!believed(signature, { ...sample, bytes }))
      }
    })

    it('does not hold for anything else that the content would belong to', () => {
      const signature = signed(keyring, id)
      for (const field of ['task', 'queue', 'contentType', 'compression', 'encryption'] as const) {
        for (const value of flipped(Buffer.from(sample[field] ?? ''))) {
          assert.equal(
            refusal(keyring, signature, { content: { ...sample, [field]: value.toString('latin1') } }),
            'bad-signature',
          )
        }
      }
      const others: Partial<Content>[] = [
        { part: 'result' },
        { compression: null },
        { encryption: null },
        { compression: 'aes-256-gcm', encryption: 'zstd' },
        // The same letters, divided otherwise.
        { task: 'mail/sendm', queue: 'edia' },
        { task: 'mail/send5:media', queue: '' },
        { compression: '-', encryption: null },
      ]
      for (const other of others) {
        assert.equal(refusal(keyring, signature, { content: { ...sample, ...other } }), 'bad-signature')
      }
    })

    it('is a replay in another job, also where its text says that job', () => {
      const signature = parseSignature(signed(keyring, id))
      for (const job of [1, 40, 42, 410]) {
        const content = { ...sample, job }
        assert.equal(refusal(keyring, formatSignature(signature), { content }), 'replay')
        assert.equal(refusal(keyring, formatSignature({ ...signature, job }), { content }), 'bad-signature')
      }
    })

    it('holds for its own algorithm and key only', () => {
      const signature = parseSignature(signed(keyring, id))
      for (const algorithm of [
        'none',
        'hmac-sha256',
        'ed25519',
        'ecdsa-p256-sha256',
        'ecdsa-p384-sha384',
        'rsa-pss-sha256',
      ]) {
        if (algorithm === signature.algorithm) continue
        assert.equal(refusal(keyring, formatSignature({ ...signature, algorithm })), 'bad-signature')
      }
      for (const keyId of [...ids, 'other'].filter((other) => other !== id)) {
        assert.equal(refusal(keyring, formatSignature({ ...signature, keyId })), 'bad-signature')
      }
      assert.equal(refusal(keyring, formatSignature({ ...signature, keyId: 'nobody' })), 'unknown-key')
      assert.equal(refusal(keyring, formatSignature({ ...signature, keyId: '../keys/hmac' })), 'unknown-key')
      assert.equal(refusal(keyring, formatSignature({ ...signature, keyId: 'aes' })), 'unusable-key')
    })
  })
}

describe('a public key', () => {
  it('is not the secret with which anybody could sign in its name', () => {
    const forger = new KeyringScene()
    try {
      // The last 32 bytes of it are the key itself, and as long as a secret.
      const secret = createPublicKey(keyring.read('ed25519').public ?? '')
        .export({ format: 'der', type: 'spki' })
        .subarray(-32)
      forger.keyring.add({ id: 'ed25519', type: 'hmac', state: 'active', createdAt: 0, secret, public: null })
      const signature = signed(forger.keyring, 'ed25519')
      assert.equal(refusal(forger.keyring, signature), null)
      assert.equal(refusal(keyring, signature), 'bad-signature')
      assert.equal(refusal(keyring, signature.replace('hmac-sha256', 'ed25519')), 'bad-signature')
    } finally {
      forger.remove()
    }
  })
})

describe('an unsigned content', () => {
  it('is refused where a signature is required, and only there', () => {
    assert.equal(refusal(keyring, null, { required: true }), 'unsigned')
    assert.equal(refusal(keyring, null, { required: false }), null)
  })

  it('is not one with a wrong signature, required or not', () => {
    const signature = signed(keyring, 'other')
    const content = { ...sample, queue: 'default' }
    assert.equal(refusal(keyring, signature, { content, required: false }), 'bad-signature')
    for (const text of [
      '',
      ' ',
      '1',
      'null',
      `${signed(keyring, 'hmac')}\n`,
      `${signed(keyring, 'hmac')} `,
      '1 '.repeat(10_000),
    ]) {
      assert.equal(refusal(keyring, text, { required: false }), 'malformed', text.slice(0, 80))
    }
  })
})

describe('resign', () => {
  it('signs for another queue, or with another key, what is believed', () => {
    const now = later()
    const signature = signed(keyring, 'hmac')
    const moved = resign(
      keyring,
      { ...sample, signature },
      { key: keyring.signer('ed25519', now), queue: 'default', now },
    )
    assert.equal(moved.keyId, 'ed25519')
    assert.equal(refusal(keyring, formatSignature(moved), { content: { ...sample, queue: 'default' } }), null)
    assert.equal(refusal(keyring, formatSignature(moved)), 'bad-signature')
  })

  it('signs nothing else', () => {
    const now = later()
    const content = { ...sample, bytes: Buffer.from('{"to":"bob"}'), signature: signed(keyring, 'hmac') }
    const next = { key: keyring.signer('ed25519', now), queue: 'default', now }
    assert.throws(() => resign(keyring, content, next), { reason: 'bad-signature' })
  })
})

it('no two signatures of one content are the same', () => {
  const now = later()
  const key = keyring.signer('hmac', now)
  const nonces = Array.from({ length: 2_000 }, () => sign(key, sample, now.at).nonce)
  assert.equal(new Set(nonces).size, nonces.length)
})
