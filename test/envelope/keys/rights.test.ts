// Keys that others can read, write or put in place are refused, and nothing is written.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { Cipher } from '../../../src/envelope/keys/cipher.ts'
import { readCipherKey } from '../../../src/envelope/keys/cipher-key.ts'
import { Keyring } from '../../../src/envelope/keys/keyring.ts'
import { newKey } from '../../../src/envelope/keys/new-key.ts'
import { JobqError } from '../../../src/errors.ts'
import { KeyringScene, later, refusal, signed } from './scenery.ts'

const posix = process.platform !== 'win32'
const isRoot = process.geteuid?.() === 0
const hasSetpriv = spawnSync('setpriv', ['--version']).status === 0
const nobody = 65_534

let scene = new KeyringScene()
let signature = ''
beforeEach(async () => {
  scene = new KeyringScene()
  scene.keyring.add(await newKey('a', 'hmac', { now: 0 }))
  scene.keyring.add(await newKey('pair', 'ed25519', { now: 0 }))
  fs.writeFileSync(scene.file('b.pub'), scene.keyring.read('pair').public ?? '', { mode: 0o644 })
  signature = signed(scene.keyring, 'a')
})
afterEach(() => scene.remove())

const permission = (call: () => unknown, message: RegExp): void => {
  assert.throws(call, (error) => {
    assert.ok(error instanceof JobqError && error.code === 'permission', String(error))
    assert.match(error.message, message)
    return true
  })
}

/** Neither signs nor verifies with the key, also where it was used before, and leaves the folder as it is. */
const refused = async (message: RegExp, id = 'a'): Promise<void> => {
  const before = fs.readdirSync(scene.root, { recursive: true })
  for (const keyring of [scene.keyring, new Keyring(scene.keyring.folder)]) {
    if (id === 'a') {
      permission(() => signed(keyring, id), message)
      assert.equal(refusal(keyring, signature), 'unusable-key')
    } else permission(() => keyring.read(id), message)
    permission(() => keyring.demote(id, 'retired'), message)
  }
  assert.deepEqual(fs.readdirSync(scene.root, { recursive: true }), before)
}

describe('a key file is refused', { skip: !posix }, () => {
  for (const mode of [0o640, 0o604, 0o620, 0o602, 0o644, 0o666, 0o777, 0o610]) {
    it(`with mode ${mode.toString(8)}`, async () => {
      fs.chmodSync(scene.file('a.key'), mode)
      await refused(/a\.key can be read or written by others \(mode 0\d+\): chmod 600/)
      fs.chmodSync(scene.file('a.key'), 0o600)
      assert.equal(refusal(scene.keyring, signature), null)
    })
  }

  it('where only public, if others can write it', async () => {
    assert.equal(scene.keyring.read('b').state, 'verify-only')
    for (const mode of [0o664, 0o646]) {
      fs.chmodSync(scene.file('b.pub'), mode)
      await refused(/b\.pub can be written by others/, 'b')
    }
  })

  it('that is a symbolic link, wherever it leads', async () => {
    fs.renameSync(scene.file('a.key'), path.join(scene.root, 'elsewhere.key'))
    fs.symlinkSync(path.join(scene.root, 'elsewhere.key'), scene.file('a.key'))
    await refused(/a\.key is a symbolic link/)
    fs.rmSync(scene.file('a.key'))
    fs.symlinkSync('nowhere', scene.file('a.key'))
    await refused(/a\.key is a symbolic link/)
    await assert.rejects(async () => scene.keyring.add(await newKey('a', 'hmac', { now: 0 })), { code: 'conflict' })
    assert.ok(!fs.existsSync(scene.file('nowhere')))
  })

  it('that is no file', async () => {
    fs.rmSync(scene.file('a.key'))
    fs.mkdirSync(scene.file('a.key'))
    await refused(/a\.key is not a regular file/)
    fs.rmdirSync(scene.file('a.key'))
    spawnSync('mkfifo', ['-m', '600', scene.file('a.key')])
    await refused(/a\.key is not a regular file/)
  })

  it('that belongs to another user', { skip: !isRoot }, async () => {
    fs.chownSync(scene.file('a.key'), nobody, 0)
    await refused(/a\.key belongs to another user \(id 65534\)/)
  })
})

describe('a folder of keys is refused', { skip: !posix }, () => {
  for (const mode of [0o770, 0o707, 0o777, 0o1777, 0o720]) {
    it(`with mode ${mode.toString(8)}`, async () => {
      fs.chmodSync(scene.keyring.folder, mode)
      await refused(/keys can be written by others \(mode 0\d+\): chmod 700/)
      await assert.rejects(async () => scene.keyring.add(await newKey('c', 'hmac', { now: 0 })), { code: 'permission' })
      assert.ok(!fs.existsSync(scene.file('c.key')))
    })
  }

  it('that is a symbolic link', async () => {
    fs.renameSync(scene.keyring.folder, path.join(scene.root, 'real'))
    fs.symlinkSync('real', scene.keyring.folder)
    await refused(/keys is a symbolic link/)
  })

  it('that is a file', () => {
    fs.rmSync(scene.keyring.folder, { recursive: true })
    fs.writeFileSync(scene.keyring.folder, '')
    permission(() => scene.keyring.signer('a', later()), /keys is not a folder/)
    permission(() => scene.keyring.list(), /keys is not a folder/)
  })

  it('that belongs to another user', { skip: !isRoot }, async () => {
    fs.chownSync(scene.keyring.folder, nobody, 0)
    await refused(/keys belongs to another user/)
  })
})

describe('a user who is not root', { skip: !isRoot || !hasSetpriv }, () => {
  const asNobody = (...parameters: readonly string[]): ReturnType<typeof spawnSync> => {
    const main = path.resolve(import.meta.dirname, '../../../cli/main.ts')
    const drop = ['--reuid', String(nobody), '--regid', String(nobody), '--clear-groups']
    const config = path.join(scene.root, 'jobq.config.json')
    return spawnSync('setpriv', [...drop, process.execPath, main, '--config', config, 'keys', ...parameters], {
      encoding: 'utf8',
      cwd: scene.root,
      env: { PATH: process.env.PATH, HOME: scene.root },
    })
  }
  beforeEach(() => {
    fs.chmodSync(scene.root, 0o755)
    fs.writeFileSync(path.join(scene.root, 'jobq.config.json'), '{"keys":{"folder":"keys"}}')
  })

  it('cannot use the keys of another one', () => {
    const closed = asNobody('verify', 'a')
    assert.equal(closed.status, 77, String(closed.stderr))
    fs.chmodSync(scene.keyring.folder, 0o755)
    const open = asNobody('verify', 'a')
    assert.equal(open.status, 77, String(open.stderr))
    assert.match(String(open.stderr), /a\.key cannot be read/)
    const added = asNobody('new', 'c', '--type', 'hmac')
    assert.equal(added.status, 77, String(added.stderr))
    assert.ok(!fs.existsSync(scene.file('c.key')))
  })

  it('can use keys of its own, and nobody else can give it one', () => {
    fs.chownSync(scene.keyring.folder, nobody, nobody)
    fs.chownSync(scene.file('a.key'), nobody, nobody)
    const own = asNobody('verify', 'a')
    assert.equal(own.status, 0, String(own.stderr))
    fs.chownSync(scene.file('a.key'), 1_234, nobody)
    fs.chmodSync(scene.file('a.key'), 0o644)
    const planted = asNobody('verify', 'a')
    assert.equal(planted.status, 77)
    assert.match(String(planted.stderr), /belongs to another user \(id 1234\)/)
  })
})

describe('a key file for encryption', { skip: !posix }, () => {
  const binding = { part: 'payload', task: 't', contentType: 'application/json', compression: null } as const

  it('is refused where others can read it', () => {
    const file = path.join(scene.root, 'secret')
    fs.writeFileSync(file, Buffer.alloc(32, 7), { mode: 0o644 })
    permission(() => readCipherKey(file), /secret can be read or written by others/)
    fs.chmodSync(file, 0o600)
    assert.deepEqual(readCipherKey(file), Buffer.alloc(32, 7))
    fs.symlinkSync('secret', path.join(scene.root, 'link'))
    permission(() => readCipherKey(path.join(scene.root, 'link')), /link is a symbolic link/)
  })

  it('holds 32 bytes, raw, in hexadecimal or base64, or is a key of its type', async () => {
    const file = path.join(scene.root, 'secret')
    const secret = Buffer.from(Array.from({ length: 32 }, (_, index) => 250 - index))
    scene.keyring.add({ id: 'e', type: 'aes256', state: 'active', createdAt: 0, secret, public: null })
    assert.deepEqual(readCipherKey(scene.file('e.key')), secret)
    const forms = [
      secret,
      secret.toString('hex'),
      `${secret.toString('hex').toUpperCase()}\n`,
      secret.toString('base64'),
      `${secret.toString('base64')}\r\n`,
    ]
    for (const form of forms) {
      fs.writeFileSync(file, form, { mode: 0o600 })
      assert.deepEqual(readCipherKey(file), secret)
      const content = Buffer.from('x')
      assert.deepEqual(
        new Cipher(readCipherKey(file)).decrypt(new Cipher(secret).encrypt(content, binding), binding),
        content,
      )
    }
    for (const wrong of [
      '',
      'secret',
      secret.subarray(1),
      Buffer.concat([secret, secret]),
      secret.toString('hex').slice(2),
      'g'.repeat(64),
      '{',
    ]) {
      fs.writeFileSync(file, wrong)
      assert.throws(
        () => readCipherKey(file),
        (error) => error instanceof JobqError && error.message.includes(file),
      )
    }
    assert.throws(() => readCipherKey(scene.file('a.key')), { code: 'usage' })
    scene.keyring.demote('e', 'retired')
    assert.throws(() => readCipherKey(scene.file('e.key')), { code: 'permission' })
    assert.throws(() => readCipherKey(path.join(scene.root, 'none')), { code: 'not-found' })
  })
})
