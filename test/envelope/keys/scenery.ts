// Keyrings for tests: folders of their own with keys of every kind, and certificates as the openssl program makes them.
import { execFileSync, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { Moment } from '../../../src/clock.ts'
import { Keyring } from '../../../src/envelope/keys/keyring.ts'
import { type Content, sign, verify } from '../../../src/envelope/keys/sign.ts'
import { formatSignature, type Signature } from '../../../src/envelope/keys/signature.ts'
import { Rejected, type RejectedReason } from '../../../src/envelope/rejected.ts'

/** True where certificates can be made by another program. */
export const hasOpenssl: boolean = spawnSync('openssl', ['version']).status === 0

const scenes = new Set<KeyringScene>()
process.once('exit', () => {
  for (const scene of scenes) scene.remove()
})

/** A keyring that is gone with `remove`, and at the latest with the process. */
export class KeyringScene {
  readonly root: string = fs.mkdtempSync(path.join(os.tmpdir(), 'jobq-keys-'))
  readonly keyring: Keyring = new Keyring(path.join(this.root, 'keys'))

  constructor() {
    scenes.add(this)
  }

  /** The path of a file of the keyring. */
  file(name: string): string {
    return path.join(this.keyring.folder, name)
  }

  /** Runs openssl in the folder around the keyring. */
  openssl(...parameters: string[]): void {
    execFileSync('openssl', parameters, { cwd: this.root, stdio: ['ignore', 'ignore', 'pipe'] })
  }

  /** Makes a certificate `NAME.crt` and its key `NAME.pem`, issued by `issuer` or by itself; `key` as `openssl genpkey` takes it. */
  certificate(
    name: string,
    options: { issuer?: string; authority?: boolean; subject?: string; key?: readonly string[] } = {},
  ): { readonly certificate: string; readonly privateKey: string } {
    const { issuer, authority = false, subject = name, key = ['-algorithm', 'ED25519'] } = options
    this.openssl('genpkey', ...key, '-out', `${name}.pem`)
    const extensions = path.join(this.root, `${name}.cnf`)
    fs.writeFileSync(extensions, `basicConstraints=critical,CA:${authority ? 'TRUE' : 'FALSE'}\n`)
    this.openssl('req', '-new', '-key', `${name}.pem`, '-subj', `/CN=${subject}`, '-out', `${name}.csr`)
    const by = issuer === undefined ? ['-signkey', `${name}.pem`] : ['-CA', `${issuer}.crt`, '-CAkey', `${issuer}.pem`]
    const serial = issuer === undefined ? [] : ['-CAcreateserial']
    const rest = ['-days', '10', '-extfile', extensions, '-out', `${name}.crt`]
    this.openssl('x509', '-req', '-in', `${name}.csr`, ...by, ...serial, ...rest)
    const read = (suffix: string): string => fs.readFileSync(path.join(this.root, name + suffix), 'utf8')
    return { certificate: read('.crt'), privateKey: read('.pem') }
  }

  /** Deletes it all. */
  remove(): void {
    scenes.delete(this)
    fs.rmSync(this.root, { recursive: true, force: true })
  }
}

let tick = 0

/** An instant so long after the one before that a keyring looks again; `at` is epoch milliseconds. */
export const later = (at: number = Date.now()): Moment => {
  tick += 10_000
  return { at, tick }
}

/** A content to sign. */
export const sample: Content = {
  part: 'payload',
  job: 41,
  task: 'mail/send',
  queue: 'media',
  contentType: 'application/json',
  compression: 'zstd',
  encryption: 'aes-256-gcm',
  bytes: Buffer.from('{"to":"ann"}'),
}

/** Signs with the key of this id, as the text that is stored. */
export const signed = (keyring: Keyring, id: string, content: Content = sample): string => {
  const now = later()
  return formatSignature(sign(keyring.signer(id, now), content, now.at))
}

/** Why a content is refused with this signature; null where it is believed. */
export const refusal = (
  keyring: Keyring,
  signature: string | null,
  options: { content?: Content; now?: Moment; required?: boolean } = {},
): RejectedReason | null => {
  const { content = sample, now = later(), required = true } = options
  return reasonOf(() => verify(keyring, { ...content, signature, required }, now))
}

/** The reason with which a call refuses; null where it does not. */
export const reasonOf = (call: () => Signature | Buffer | null): RejectedReason | null => {
  try {
    call()
    return null
  } catch (error) {
    if (error instanceof Rejected) return error.reason
    throw error
  }
}
