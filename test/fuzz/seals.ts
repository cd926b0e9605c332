import assert from 'node:assert/strict'
import { Cipher } from '../../src/envelope/keys/cipher.ts'
import { formatKey, parseKey, parsePublicKey } from '../../src/envelope/keys/key-file.ts'
import { newKey } from '../../src/envelope/keys/new-key.ts'
import { verify } from '../../src/envelope/keys/sign.ts'
import { formatSignature, parseSignature } from '../../src/envelope/keys/signature.ts'
import { Rejected } from '../../src/envelope/rejected.ts'
import { JobqError } from '../../src/errors.ts'
import { KeyringScene, later, sample, signed } from '../envelope/keys/scenery.ts'
import type { FuzzTarget } from './target.ts'

const scene = new KeyringScene()
const { keyring } = scene
for (const id of ['a', 'b']) keyring.add(await newKey(id, 'hmac', { now: 0 }))
keyring.add(await newKey('pair', 'ed25519', { now: 0 }))

const now = later()
const signatures = ['a', 'b', 'pair'].map((id) => signed(keyring, id))
const [byA = ''] = signatures
const words = [
  '1 ',
  ' ',
  'a',
  'b',
  'pair',
  'hmac-sha256',
  'ed25519',
  'none',
  ' 41 ',
  ' 42 ',
  '0',
  '9'.repeat(16),
  '../',
  '=',
  '-',
  '\n',
  '\0',
]
const isRejected = (error: unknown): boolean => error instanceof Rejected

const signature: FuzzTarget = {
  name: 'signature',
  examples: signatures.map((text) => Buffer.from(text)),
  words: [...words, ...signatures.flatMap((text) => text.split(' '))],
  read(input) {
    const text = Buffer.from(input).toString('latin1')
    assert.equal(formatSignature(parseSignature(text)), text)
    verify(keyring, { ...sample, signature: text, required: true }, now)
    assert.ok(signatures.includes(text), 'a forgery is believed')
  },
  isRefusal: isRejected,
}

const content: FuzzTarget = {
  name: 'signed-content',
  examples: [sample.bytes],
  read(bytes) {
    verify(keyring, { ...sample, bytes, signature: byA, required: true }, now)
    assert.deepEqual(Buffer.from(bytes), sample.bytes, 'another content is believed')
  },
  isRefusal: isRejected,
}

const cipher = new Cipher(Buffer.alloc(32, 1))
const plain = Buffer.from('{"to":"ann","text":"a longer one"}')

const encrypted: FuzzTarget = {
  name: 'encrypted-content',
  examples: [plain, plain, Buffer.alloc(0)].map((bytes) => cipher.encrypt(bytes, sample)),
  read: (bytes) =>
    assert.ok([0, plain.length].includes(cipher.decrypt(bytes, sample).length), 'another content is believed'),
  isRefusal: isRejected,
}

const keys = [keyring.read('a'), keyring.read('pair'), await newKey('c', 'x509', { now: 0 })]
const isRefused = (error: unknown): boolean => error instanceof JobqError && error.code === 'permission'

const keyFile: FuzzTarget = {
  name: 'key-file',
  examples: keys.map((key) => Buffer.from(formatKey(key))),
  words: [
    '"__proto__":',
    '"id":"../a",',
    '"state":"active"',
    '"type":"hmac"',
    'null',
    '{',
    '}',
    '[',
    ',',
    '1e999',
    '\\u0000',
    '"',
  ],
  read(input) {
    const key = parseKey(Buffer.from(input).toString('utf8'))
    assert.deepEqual(parseKey(formatKey(key)), key)
  },
  isRefusal: isRefused,
}

const publicKey: FuzzTarget = {
  name: 'public-key',
  examples: keys.flatMap((key) => (key.public === null ? [] : [Buffer.from(key.public)])),
  words: [
    '-----BEGIN ',
    '-----END ',
    'PUBLIC KEY-----',
    'PRIVATE KEY-----',
    'CERTIFICATE-----',
    '\n',
    '\r\n',
    '=',
    'AAAA',
  ],
  read: (input) => parsePublicKey(Buffer.from(input).toString('utf8'), 'x', 0),
  isRefusal: isRefused,
}

/** Signatures, what is signed or encrypted, and the files of keys. */
export const sealTargets: readonly FuzzTarget[] = [signature, content, encrypted, keyFile, publicKey]
