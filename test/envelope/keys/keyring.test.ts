import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, describe, it } from 'node:test'
import { formatKey, type KeyType, keyTypes, parseKey } from '../../../src/envelope/keys/key-file.ts'
import { Keyring } from '../../../src/envelope/keys/keyring.ts'
import { newKey } from '../../../src/envelope/keys/new-key.ts'
import { sign } from '../../../src/envelope/keys/sign.ts'
import { formatSignature } from '../../../src/envelope/keys/signature.ts'
import { JobqError } from '../../../src/errors.ts'
import { KeyringScene, later, refusal, sample, signed } from './scenery.ts'

let scene = new KeyringScene()
afterEach(() => {
  scene.remove()
  scene = new KeyringScene()
})

const add = async (id: string, type: KeyType = 'hmac'): Promise<void> =>
  scene.keyring.add(await newKey(id, type, { now: Date.UTC(2030, 0, 1) }))

const code = (call: () => unknown): string | null => {
  try {
    call()
    return null
  } catch (error) {
    assert.ok(error instanceof JobqError, String(error))
    return error.code
  }
}

describe('a keyring', () => {
  it('keeps keys of every type in a folder and files of its owner', async () => {
    for (const type of keyTypes) await add(`a-${type}`, type)
    assert.equal(fs.statSync(scene.keyring.folder).mode & 0o777, 0o700)
    assert.deepEqual(fs.readdirSync(scene.keyring.folder).sort(), keyTypes.map((type) => `a-${type}.key`).sort())
    for (const name of fs.readdirSync(scene.keyring.folder))
      assert.equal(fs.statSync(scene.file(name)).mode & 0o777, 0o600)
    const { keys, problems } = new Keyring(scene.keyring.folder).list()
    assert.deepEqual(problems, [])
    assert.deepEqual(
      keys.map(({ id, type, state, createdAt }) => ({ id, type, state, createdAt })),
      ['aes256', 'ed25519', 'hmac', 'x509'].map((type) => ({
        id: `a-${type}`,
        type,
        state: 'active',
        createdAt: Date.UTC(2030, 0, 1),
      })),
    )
  })

  it('takes every id that is a name, and no other', async () => {
    const ids = ['a', 'team/prod:2030', '.hidden', '-', 'A.b_c', 'x/', 'z'.repeat(128), `${':'.repeat(127)}x`]
    for (const id of ids) {
      await add(id)
      assert.equal(refusal(scene.keyring, signed(scene.keyring, id)), null)
    }
    assert.deepEqual(
      scene.keyring
        .list()
        .keys.map(({ id }) => id)
        .sort(),
      ids.sort(),
    )
    for (const id of ['', '..', 'a/../b', '/etc/passwd', 'a b', 'é', 'x'.repeat(129)]) {
      assert.equal(
        code(() => scene.keyring.read(id)),
        'usage',
        id,
      )
    }
    assert.deepEqual(fs.readdirSync(scene.root), ['keys'])
  })

  it('has nothing where there is no folder, and makes none by looking', () => {
    assert.deepEqual(scene.keyring.list(), { keys: [], problems: [] })
    assert.equal(
      code(() => scene.keyring.signer('a', later())),
      'not-found',
    )
    assert.deepEqual(fs.readdirSync(scene.root), [])
  })

  it('never puts one key in the place of another', async () => {
    await add('a')
    const before = fs.readFileSync(scene.file('a.key'), 'utf8')
    await assert.rejects(() => add('a', 'ed25519'), { code: 'conflict' })
    fs.writeFileSync(scene.file('b.pub'), '')
    await assert.rejects(() => add('b'), { code: 'conflict' })
    assert.equal(fs.readFileSync(scene.file('a.key'), 'utf8'), before)
  })

  it('does not sign with a key for encryption, nor give it another use', async () => {
    await add('e', 'aes256')
    assert.equal(
      code(() => scene.keyring.signer('e', later())),
      'permission',
    )
    assert.equal(
      code(() => scene.keyring.demote('e', 'verify-only')),
      'usage',
    )
    assert.equal(scene.keyring.demote('e', 'retired').state, 'retired')
  })
})

describe('rotation', () => {
  it('lets several keys verify while one signs, and refuses a retired one both ways', async () => {
    await add('old')
    await add('new', 'ed25519')
    const byOld = signed(scene.keyring, 'old')
    const byNew = signed(scene.keyring, 'new')
    scene.keyring.demote('old', 'verify-only')
    assert.equal(refusal(scene.keyring, byOld), null)
    assert.equal(refusal(scene.keyring, byNew), null)
    assert.equal(
      code(() => signed(scene.keyring, 'old')),
      'permission',
    )
    scene.keyring.demote('old', 'retired')
    assert.equal(refusal(scene.keyring, byOld), 'retired-key')
    assert.equal(refusal(scene.keyring, byNew), null)
    assert.equal(
      code(() => signed(scene.keyring, 'old')),
      'permission',
    )
    assert.equal(
      code(() => scene.keyring.demote('old', 'verify-only')),
      'conflict',
    )
    assert.equal(
      code(() => scene.keyring.demote('nobody', 'retired')),
      'not-found',
    )
  })

  it('is heard of by another process within a second', async () => {
    await add('old')
    const other = new Keyring(scene.keyring.folder)
    const at = Date.now()
    const signature = formatSignature(sign(other.signer('old', { at, tick: 0 }), sample, at))
    scene.keyring.demote('old', 'retired')
    assert.equal(refusal(other, signature, { now: { at, tick: 1_000 } }), 'retired-key')
    assert.equal(
      code(() => other.signer('old', { at, tick: 1_001 })),
      'permission',
    )
    await add('fresh')
    assert.equal(refusal(other, signed(scene.keyring, 'fresh'), { now: { at, tick: 1_500 } }), null)
    fs.rmSync(scene.file('fresh.key'))
    assert.equal(refusal(other, signature.replace('old', 'fresh'), { now: { at, tick: 3_000 } }), 'unknown-key')
  })

  it('believes a public key that somebody put there, until it is retired', async () => {
    await add('mine', 'ed25519')
    const worker = new KeyringScene()
    try {
      fs.mkdirSync(worker.keyring.folder, { mode: 0o700 })
      fs.writeFileSync(worker.file('mine.pub'), scene.keyring.read('mine').public ?? '', { mode: 0o644 })
      const signature = signed(scene.keyring, 'mine')
      assert.equal(refusal(worker.keyring, signature), null)
      assert.equal(
        code(() => worker.keyring.signer('mine', later())),
        'permission',
      )
      assert.equal(worker.keyring.list().keys[0]?.state, 'verify-only')
      worker.keyring.demote('mine', 'retired')
      assert.equal(refusal(worker.keyring, signature), 'retired-key')
      assert.deepEqual(
        worker.keyring.list().keys.map(({ id, state }) => [id, state]),
        [['mine', 'retired']],
      )
    } finally {
      worker.remove()
    }
  })
})

describe('a key file', () => {
  it('is read as it was written', async () => {
    for (const type of keyTypes) {
      const key = await newKey(type, type, { now: 1_000 })
      assert.deepEqual(parseKey(formatKey(key)), key)
    }
  })

  it('is refused by its name in any other form', async () => {
    await add('a')
    await add('pair', 'ed25519')
    const file = scene.file('a.key')
    const text = fs.readFileSync(file, 'utf8')
    const fields = JSON.parse(text) as Record<string, unknown>
    const pair = JSON.parse(fs.readFileSync(scene.file('pair.key'), 'utf8')) as Record<string, unknown>
    const secret = String(fields.secret)
    const wrong: (string | Record<string, unknown>)[] = [
      '',
      '{',
      'null',
      '[]',
      text.slice(0, -4),
      `${text}x`,
      { ...fields, format: 'other key' },
      { ...fields, version: 2 },
      { ...fields, id: 'b' },
      { ...fields, id: '../a' },
      { ...fields, type: 'x509' },
      { ...fields, type: 'rot13' },
      { ...fields, state: 'activ' },
      { ...fields, createdAt: 'soon' },
      { ...fields, createdAt: 5 },
      { ...fields, secret: null },
      { ...fields, secret: secret.slice(4) },
      { ...fields, secret: `${secret} ` },
      { ...fields, secret: secret.replace('=', '') },
      { ...fields, extra: 1 },
      { ...fields, public: 'x' },
      Object.fromEntries(Object.entries(fields).reverse()),
      { ...pair, id: 'a', secret },
      { ...pair, id: 'a', public: null },
      { ...pair, id: 'a', type: 'hmac' },
    ]
    for (const content of wrong) {
      fs.writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
      assert.throws(
        () => scene.keyring.read('a'),
        (error) => {
          assert.ok(error instanceof JobqError && error.code === 'permission', String(error))
          assert.ok(error.message.startsWith(`${file} is not a sound key: `), error.message)
          assert.ok(!error.message.includes(secret.slice(0, 8)), error.message)
          return true
        },
      )
      const { keys, problems } = scene.keyring.list()
      assert.deepEqual([keys.map(({ id }) => id), problems.map(({ id }) => id)], [['pair'], ['a']])
    }
    fs.writeFileSync(file, Buffer.alloc(65 * 1024, ' '))
    assert.equal(
      code(() => scene.keyring.read('a')),
      'permission',
    )
  })

  it('in PEM is one public key or certificate, never a private one', async () => {
    await add('pair', 'ed25519')
    const { public: text = '' } = scene.keyring.read('pair')
    const privateText =
      '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIPSyBl0IaSWEtyQ8ml\n-----END PRIVATE KEY-----\n'
    for (const content of [
      '',
      'text',
      privateText,
      `${text}${text}`,
      `${text}${privateText}`,
      String(text).replace('MCow', 'AAAA'),
    ]) {
      fs.writeFileSync(scene.file('other.pub'), content)
      assert.equal(
        code(() => scene.keyring.read('other')),
        'permission',
        content,
      )
    }
    fs.writeFileSync(scene.file('other.pub'), String(text))
    assert.equal(scene.keyring.read('other').type, 'ed25519')
  })
})

it('a process killed while it writes leaves whole keys only', async () => {
  const library = path.resolve(import.meta.dirname, '../../../src/envelope/keys')
  const script = `
    const { Keyring } = await import(${JSON.stringify(path.join(library, 'keyring.ts'))})
    const { newKey } = await import(${JSON.stringify(path.join(library, 'new-key.ts'))})
    const keyring = new Keyring(process.argv[1])
    for (let n = 0; ; n++) {
      const id = 'k' + process.pid + '-' + n
      keyring.add(await newKey(id, 'hmac', { now: 0 }))
      console.log(id)
      keyring.demote(id, 'verify-only')
    }`
  const told: string[] = []
  for (let round = 1; round <= 5; round++) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, scene.keyring.folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.setEncoding('utf8')
    child.stdout.on('data', (chunk: string) => {
      text += chunk
      if (text.split('\n').length > round * 3) child.kill('SIGKILL')
    })
    await new Promise((resolve) => child.once('close', resolve))
    assert.equal(child.signalCode, 'SIGKILL')
    told.push(...text.split('\n').slice(0, -1))
  }
  const { keys, problems } = scene.keyring.list()
  assert.deepEqual(problems, [])
  const ids = new Set(keys.map(({ id }) => id))
  assert.deepEqual(
    told.filter((id) => !ids.has(id)),
    [],
  )
  assert.ok(told.length >= 15)
})
