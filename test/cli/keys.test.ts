import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { hasOpenssl, KeyringScene } from '../envelope/keys/scenery.ts'
import { Workspace } from '../support/cli.ts'

type Json = Record<string, unknown>

let workspace: Workspace
beforeEach(() => {
  workspace = new Workspace()
})
afterEach(() => workspace.remove())

const folder = (): string => path.join(workspace.folder, '.config', 'jobq', 'keys')

describe('jobq keys', () => {
  it('makes, lists, tries out and retires keys of every type, without a broker', async () => {
    for (const type of ['hmac', 'ed25519', 'x509', 'aes256']) {
      assert.equal(await workspace.output(['keys', 'new', `my-${type}`, '--type', type]), `my-${type}\n`)
      const does = type === 'aes256' ? 'encrypts and decrypts' : 'signs and verifies'
      assert.equal(await workspace.output(['keys', 'verify', `my-${type}`]), `my-${type}\t${does}\n`)
    }
    const listed = (await workspace.json(['keys', 'list'])) as Json[]
    assert.deepEqual(
      listed.map(({ id, type, state }) => [id, type, state]),
      ['aes256', 'ed25519', 'hmac', 'x509'].map((type) => [`my-${type}`, type, 'active']),
    )
    for (const key of listed) {
      assert.deepEqual(Object.keys(key), ['id', 'type', 'state', 'createdAt'])
      assert.match(String(key.createdAt), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    }
    assert.equal(await workspace.output(['keys', 'list', '--quiet']), 'my-aes256\nmy-ed25519\nmy-hmac\nmy-x509\n')
    const [first] = (await workspace.output(['keys', 'list'])).split('\n')
    assert.equal(first, `my-aes256\taes256\tactive\t${listed[0]?.createdAt}`)
    assert.equal(await workspace.output(['keys', 'retire', 'my-hmac', '--verify-only']), 'my-hmac\tverify-only\n')
    assert.equal(await workspace.output(['keys', 'verify', 'my-hmac']), 'my-hmac\tverifies\n')
    assert.equal(((await workspace.json(['keys', 'retire', 'my-hmac'])) as Json).state, 'retired')
    const retired = await workspace.run(['keys', 'verify', 'my-hmac'])
    assert.deepEqual([retired.code, retired.stderr], [77, 'jobq: the key my-hmac is retired\n'])
    assert.equal(fs.statSync(folder()).mode & 0o777, 0o700)
    assert.ok(!fs.existsSync(workspace.database))
  })

  it('prints what others need to verify, and never a secret', async () => {
    await workspace.output(['keys', 'new', 'pair', '--type', 'ed25519'])
    await workspace.output(['keys', 'new', 'web', '--type', 'x509', '--valid-for', '30d'])
    await workspace.output(['keys', 'new', 'shared', '--type', 'hmac'])
    const exported = await workspace.output(['keys', 'export', 'pair'])
    assert.match(exported, /^-----BEGIN PUBLIC KEY-----\n[^-]+-----END PUBLIC KEY-----\n$/)
    const worker = path.join(workspace.folder, 'worker')
    fs.mkdirSync(path.join(worker, 'jobq', 'keys'), { recursive: true, mode: 0o700 })
    fs.writeFileSync(path.join(worker, 'jobq', 'keys', 'pair.pub'), exported)
    const certificate = await workspace.output(['keys', 'export', 'web'])
    fs.writeFileSync(path.join(worker, 'jobq', 'keys', 'web.crt'), certificate)
    const env = { XDG_CONFIG_HOME: worker }
    assert.equal(await workspace.output(['keys', 'verify', 'pair'], { env }), 'pair\tverifies\n')
    assert.equal(await workspace.output(['keys', 'verify', 'web'], { env }), 'web\tverifies\n')
    const refused = await workspace.run(['keys', 'export', 'shared'])
    assert.deepEqual([refused.code, refused.stdout], [2, ''])
    const secrets = fs
      .readdirSync(folder())
      .map((name) => JSON.parse(fs.readFileSync(path.join(folder(), name), 'utf8')) as Json)
    const all = [exported, certificate, await workspace.output(['keys', 'list', '--json'])].join('')
    for (const { secret } of secrets) assert.ok(!all.includes(String(secret)))
  })

  it('takes a certificate of an authority', { skip: !hasOpenssl }, async () => {
    const scene = new KeyringScene()
    try {
      const authority = scene.certificate('authority', { authority: true })
      scene.certificate('web', { issuer: 'authority' })
      const parts = [
        '--certificate',
        path.join(scene.root, 'web.crt'),
        '--private-key',
        path.join(scene.root, 'web.pem'),
      ]
      await workspace.output(['keys', 'new', 'web', '--type', 'x509', ...parts])
      const alone = await workspace.run(['keys', 'verify', 'web'])
      assert.equal(alone.code, 77)
      assert.match(alone.stderr, /no authority in .+ issued it/)
      fs.writeFileSync(path.join(folder(), 'authority.crt'), authority.certificate)
      assert.equal(await workspace.output(['keys', 'verify', 'web']), 'web\tsigns and verifies\n')
    } finally {
      scene.remove()
    }
  })

  it('keeps them where the configuration says, relative to it', async () => {
    workspace.write('elsewhere/jobq.config.json', '{"keys": {"folder": "secrets"}}')
    const config = path.join(workspace.folder, 'elsewhere', 'jobq.config.json')
    await workspace.output(['--config', config, 'keys', 'new', 'a', '--type', 'hmac'])
    assert.deepEqual(fs.readdirSync(path.join(workspace.folder, 'elsewhere', 'secrets')), ['a.key'])
    assert.equal(await workspace.output(['keys', 'list']), '')
  })

  it('says which file cannot be used, and lists the others', async () => {
    await workspace.output(['keys', 'new', 'a', '--type', 'hmac'])
    await workspace.output(['keys', 'new', 'b', '--type', 'hmac'])
    fs.chmodSync(path.join(folder(), 'a.key'), 0o644)
    const { code, stdout, stderr } = await workspace.run(['keys', 'list', '--quiet'])
    assert.deepEqual([code, stdout], [77, 'b\n'])
    assert.match(stderr, /a\.key can be read or written by others \(mode 0644\): chmod 600 it/)
    fs.writeFileSync(path.join(folder(), 'b.key'), '{')
    const corrupt = await workspace.run(['keys', 'retire', 'b'])
    assert.equal(corrupt.code, 77)
    assert.match(corrupt.stderr, /b\.key is not a sound key/)
    assert.equal(fs.readFileSync(path.join(folder(), 'b.key'), 'utf8'), '{')
  })

  const wrong: readonly (readonly [parameters: readonly string[], code: number, message: RegExp])[] = [
    [['verify', 'nobody'], 3, /there is no key "nobody"/],
    [['retire', 'nobody'], 3, /there is no key "nobody"/],
    [['export', 'nobody'], 3, /there is no key "nobody"/],
    [['new', 'a'], 2, /--type is missing: one of hmac, ed25519, x509, aes256/],
    [['new', 'a', '--type', 'rsa'], 2, /--type: "rsa" is not one of/],
    [['new', '../a', '--type', 'hmac'], 2, /"\.\.\/a" is not a name for a key/],
    [['new', 'a b', '--type', 'hmac'], 2, /"a b" is not a name for a key/],
    [['new', '--type', 'hmac'], 2, /new: which key\?/],
    [['list', 'a'], 2, /one word too many/],
    [['list', '--type', 'hmac'], 2, /--type does not go with list/],
    [['new', 'a', '--type', 'hmac', '--verify-only'], 2, /--verify-only does not go with new/],
    [['new', 'a', '--type', 'hmac', '--valid-for', '1d'], 2, /go with --type x509/],
    [['new', 'a', '--type', 'x509', '--valid-for', 'soon'], 2, /--valid-for: "soon"/],
    [['new', 'a', '--type', 'x509', '--certificate', 'c.pem'], 2, /go together/],
    [['new', 'a', '--type', 'x509', '--certificate', 'c.pem', '--private-key', 'k.pem'], 3, /there is no file/],
    [['shred', 'a'], 2, /"shred" is not one of new, list, retire, verify, export/],
    [[], 2, /missing required argument/],
  ]
  for (const [parameters, code, message] of wrong) {
    it(`refuses 'keys ${parameters.join(' ')}'`, async () => {
      const ended = await workspace.run(['keys', ...parameters])
      assert.equal(ended.code, code, ended.stderr)
      assert.match(ended.stderr, message)
      assert.ok(!fs.existsSync(folder()))
    })
  }

  it('refuses a key that is there already', async () => {
    await workspace.output(['keys', 'new', 'a', '--type', 'hmac'])
    const again = await workspace.run(['keys', 'new', 'a', '--type', 'hmac'])
    assert.equal(again.code, 1)
    assert.match(again.stderr, /there is a key "a" already/)
  })
})
