import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { importedKey, newKey } from '../../../src/envelope/keys/new-key.ts'
import { JobqError } from '../../../src/errors.ts'
import { hasOpenssl, KeyringScene, later, refusal, signed } from './scenery.ts'

const day = 86_400_000
let scene = new KeyringScene()
let worker = new KeyringScene()
beforeEach(() => {
  scene = new KeyringScene()
  worker = new KeyringScene()
  fs.mkdirSync(worker.keyring.folder, { mode: 0o700 })
})
afterEach(() => {
  scene.remove()
  worker.remove()
})

/** Puts a certificate where the worker believes it. */
const trust = (name: string, certificate: string): void =>
  fs.writeFileSync(worker.file(`${name}.crt`), certificate, { mode: 0o644 })

describe('a certificate that signed itself', () => {
  it('is believed where somebody put it, and nowhere else', async () => {
    scene.keyring.add(await newKey('web', 'x509', { now: Date.now() }))
    const signature = signed(scene.keyring, 'web')
    assert.equal(refusal(worker.keyring, signature), 'unknown-key')
    trust('web', scene.keyring.read('web').public ?? '')
    assert.equal(refusal(worker.keyring, signature), null)
    const impostor = new KeyringScene()
    impostor.keyring.add(await newKey('web', 'x509', { now: Date.now() }))
    assert.equal(refusal(worker.keyring, signed(impostor.keyring, 'web')), 'bad-signature')
    impostor.remove()
  })

  it('is believed, and signs, as long as it is valid', async () => {
    const now = Date.now()
    scene.keyring.add(await newKey('web', 'x509', { now, validMs: 10 * day }))
    const signature = signed(scene.keyring, 'web')
    assert.equal(refusal(scene.keyring, signature, { now: later(now + 9 * day) }), null)
    assert.equal(refusal(scene.keyring, signature, { now: later(now + 11 * day) }), 'expired-certificate')
    assert.equal(refusal(scene.keyring, signature, { now: later(now - day) }), 'expired-certificate')
    assert.throws(() => scene.keyring.signer('web', later(now + 11 * day)), { code: 'permission' })
  })
})

describe('a certificate from an authority', { skip: !hasOpenssl }, () => {
  const issue = (issuer: string): string => {
    const parts = scene.certificate('web', { issuer })
    scene.keyring.add(importedKey('web', parts, Date.now()))
    trust('web', parts.certificate)
    return signed(scene.keyring, 'web')
  }

  it('is believed if the authority is there, until that is retired', () => {
    const authority = scene.certificate('authority', { authority: true })
    const signature = issue('authority')
    assert.equal(refusal(worker.keyring, signature), 'untrusted-certificate')
    trust('authority', authority.certificate)
    assert.equal(refusal(worker.keyring, signature), null)
    assert.equal(refusal(worker.keyring, signature, { now: later(Date.now() + 11 * day) }), 'expired-certificate')
    worker.keyring.demote('authority', 'retired')
    assert.equal(refusal(worker.keyring, signature), 'untrusted-certificate')
  })

  it('is believed through an authority in between, if the whole chain is there', () => {
    trust('root', scene.certificate('root', { authority: true }).certificate)
    const between = scene.certificate('between', { authority: true, issuer: 'root' })
    const signature = issue('between')
    assert.equal(refusal(worker.keyring, signature), 'untrusted-certificate')
    trust('between', between.certificate)
    assert.equal(refusal(worker.keyring, signature), null)
    fs.rmSync(worker.file('root.crt'))
    assert.equal(refusal(worker.keyring, signature), 'untrusted-certificate')
  })

  it('is not believed for the name of an authority, nor through a certificate that is none', () => {
    scene.certificate('authority', { authority: true })
    const signature = issue('authority')
    trust('other', scene.certificate('other', { authority: true, subject: 'authority' }).certificate)
    assert.equal(refusal(worker.keyring, signature), 'untrusted-certificate')
    const plain = scene.certificate('plain')
    trust('plain', plain.certificate)
    const parts = scene.certificate('below', { issuer: 'plain' })
    scene.keyring.add(importedKey('below', parts, Date.now()))
    trust('below', parts.certificate)
    assert.equal(refusal(worker.keyring, signed(scene.keyring, 'below')), 'untrusted-certificate')
    assert.equal(worker.keyring.list().problems.length, 0)
  })
})

describe('importedKey', { skip: !hasOpenssl }, () => {
  it('takes a certificate and the private key to it', () => {
    const first = scene.certificate('first')
    const second = scene.certificate('second')
    const refused = (parts: { certificate: string; privateKey: string }): void =>
      assert.throws(
        () => importedKey('a', parts, 0),
        (error) => error instanceof JobqError && error.code === 'usage',
      )
    assert.equal(importedKey('a', first, 0).type, 'x509')
    refused({ ...first, privateKey: second.privateKey })
    refused({ ...first, privateKey: '' })
    refused({ ...first, certificate: first.privateKey })
    refused(scene.certificate('weak', { key: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024'] }))
    refused(scene.certificate('curve', { key: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:secp256k1'] }))
  })

  it('refuses a private key that needs a passphrase', () => {
    const { certificate } = scene.certificate('a')
    scene.openssl('pkcs8', '-topk8', '-in', 'a.pem', '-passout', 'pass:x', '-out', 'locked.pem')
    const privateKey = fs.readFileSync(path.join(scene.root, 'locked.pem'), 'utf8')
    assert.throws(() => importedKey('a', { certificate, privateKey }, 0), /without a passphrase/)
  })
})

it('the certificate that is made is one for openssl too', { skip: !hasOpenssl }, async () => {
  const { public: text } = await newKey('team/prod', 'x509', { now: Date.now() })
  fs.writeFileSync(path.join(scene.root, 'made.crt'), text ?? '')
  scene.openssl('verify', '-x509_strict', '-check_ss_sig', '-trusted', 'made.crt', 'made.crt')
  scene.openssl('x509', '-in', 'made.crt', '-noout', '-checkend', '60')
})
