/**
 * A folder of keys. What is read from it is kept, and looked at again at most once a second: then a key that was added,
 * changed, retired or made readable for others counts as it is now. The folder and the files must be safe from other
 * users, or nothing is signed and nothing believed.
 */
import { X509Certificate } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import type { Moment } from '../../clock.ts'
import { JobqError } from '../../errors.ts'
import { checkName } from '../../name.ts'
import { quote } from '../../quote.ts'
import { Rejected } from '../rejected.ts'
import { formatKey, type KeyState, parseKey, parsePublicKey, type StoredKey } from './key-file.ts'
import { checkFolder, lookUp, makePrivateFolder, readPrivateFile, writePrivateFile } from './private-file.ts'
import { trustedValidity, type Validity } from './trust.ts'
import { refusedKey, type SigningKey, signingKey, type VerifyingKey, verifyingKey } from './usable-key.ts'

/** A file in a keyring that cannot be used, and why. */
export interface KeyProblem {
  readonly id: string
  readonly message: string
}

const refreshMs = 1_000
const suffixes = ['.key', '.pub', '.crt', '.pem'] as const

/** The keys in a folder, which need not exist. */
export class Keyring {
  readonly folder: string
  readonly #signers = new Map<string, SigningKey>()
  readonly #verifiers = new Map<string, VerifyingKey>()
  #print = ''
  #checkedTick = Number.NEGATIVE_INFINITY

  /** `folder` is an absolute path. */
  constructor(folder: string) {
    this.folder = folder
  }

  /**
   * The key to sign with.
   * @throws JobqError `not-found`; `permission` for a retired one, one that only verifies or encrypts, or an unsafe or
   * corrupt file
   */
  signer(id: string, now: Moment): SigningKey {
    const key = this.#known(this.#signers, id, now) ?? signingKey(this.read(id))
    this.#signers.set(id, key)
    const { validity } = key
    if (validity !== null && (now.at < validity.notBefore || now.at > validity.notAfter)) {
      throw refusedKey(id, 'has a certificate that is not valid now')
    }
    return key
  }

  /**
   * The key to verify with, by the id that a signature names.
   * @throws Rejected `unknown-key`, `retired-key`, `unusable-key`, `untrusted-certificate`
   */
  verifier(id: string, now: Moment): VerifyingKey {
    try {
      const known = this.#known(this.#verifiers, id, now)
      if (known !== undefined) return known
      const verifier = verifyingKey(this.read(id), (key) => this.validity(key))
      this.#verifiers.set(id, verifier)
      return verifier
    } catch (error) {
      if (!(error instanceof JobqError)) throw error
      // A name that no key can have is unknown too.
      if (error.code !== 'permission') {
        throw new Rejected('unknown-key', `there is no key ${quote(id)} here to verify its signature with`)
      }
      throw new Rejected('unusable-key', error.message, { cause: error })
    }
  }

  /**
   * A key as it is stored.
   * @throws JobqError `not-found`, `permission`
   */
  read(id: string): StoredKey {
    const base = checkFolder(this.folder) ? fileNameOf(id) : null
    for (const suffix of suffixes) {
      const file = base === null ? null : path.join(this.folder, `${base}${suffix}`)
      if (file !== null && lookUp(file) !== undefined) return readKey(file, id)
    }
    throw new JobqError('not-found', `there is no key ${quote(id)} in ${this.folder}`)
  }

  /** The keys by id, and what in the folder is none that can be used. @throws JobqError `permission` for the folder */
  list(): { readonly keys: readonly StoredKey[]; readonly problems: readonly KeyProblem[] } {
    const keys: StoredKey[] = []
    const problems: KeyProblem[] = []
    for (const id of this.#ids()) {
      try {
        keys.push(this.read(id))
      } catch (error) {
        if (!(error instanceof JobqError)) throw error
        if (error.code !== 'not-found') problems.push({ id, message: error.message })
      }
    }
    return { keys, problems }
  }

  /** Adds a key, making the folder if need be. @throws JobqError `conflict` where there is one of this id, `permission` */
  add(key: StoredKey): void {
    makePrivateFolder(this.folder)
    const base = fileNameOf(key.id)
    const taken = suffixes.map((suffix) => path.join(this.folder, base + suffix)).find((file) => lookUp(file))
    if (taken !== undefined) throw new JobqError('conflict', `there is a key ${quote(key.id)} already: ${taken}`)
    writePrivateFile(path.join(this.folder, `${base}.key`), formatKey(key), { fresh: true })
    this.#forget()
  }

  /**
   * Lets a key sign no more (`verify-only`), or be refused altogether (`retired`), and gives it as it is then.
   * @throws JobqError `not-found`, `permission`, `conflict` for a retired one that is to verify again, `usage` for one that
   * never verified
   */
  demote(id: string, state: Exclude<KeyState, 'active'>): StoredKey {
    const key = this.read(id)
    if (key.state === 'retired' && state !== 'retired') throw new JobqError('conflict', `key ${quote(id)} is retired`)
    if (key.type === 'aes256' && state !== 'retired') {
      throw new JobqError('usage', `key ${quote(id)} is for encryption and verifies nothing`)
    }
    const changed: StoredKey = { ...key, state }
    writePrivateFile(path.join(this.folder, `${fileNameOf(id)}.key`), formatKey(changed), { fresh: false })
    this.#forget()
    return changed
  }

  /** When a certificate is believed. @throws Rejected `untrusted-certificate` */
  validity(key: StoredKey): Validity {
    const others = this.list().keys.flatMap(({ type, state, public: text }) =>
      type === 'x509' && state !== 'retired' && text !== null ? [new X509Certificate(text)] : [],
    )
    const validity = trustedValidity(new X509Certificate(key.public ?? ''), others)
    if (validity !== null) return validity
    const message = `the certificate ${key.id} did not sign itself, and no authority in ${this.folder} issued it`
    throw new Rejected('untrusted-certificate', message)
  }

  /** What is kept of a key, if the folder is as it was when that was read, as far as a second ago. */
  #known<T>(kept: ReadonlyMap<string, T>, id: string, { tick }: Moment): T | undefined {
    const known = kept.get(id)
    if (known !== undefined && tick - this.#checkedTick < refreshMs) return known
    // Also before a key is read: what is kept is never younger than the print that it is kept by.
    const print = this.#fingerprint()
    if (print !== this.#print) this.#forget()
    this.#print = print
    this.#checkedTick = tick
    return kept.get(id)
  }

  #forget(): void {
    this.#signers.clear()
    this.#verifiers.clear()
  }

  /** What changes with every change of a key, its rights included. */
  #fingerprint(): string {
    return this.#names()
      .map((name) => {
        const stats = lookUp(path.join(this.folder, name))
        return [name, stats?.ino, stats?.size, stats?.mtimeMs, stats?.ctimeMs].join()
      })
      .join('\n')
  }

  #names(): string[] {
    if (!checkFolder(this.folder)) return []
    return fs.readdirSync(this.folder).filter((name) => suffixes.some((suffix) => name.endsWith(suffix)))
  }

  #ids(): string[] {
    return [...new Set(this.#names().flatMap((name) => idOf(name.slice(0, -4)) ?? []))].sort()
  }
}

const readKey = (file: string, id: string): StoredKey => {
  const secrecy = file.endsWith('.key') ? 'secret' : 'public'
  const text = readPrivateFile(file, secrecy).toString('utf8')
  try {
    if (secrecy === 'public') return parsePublicKey(text, id, Math.trunc(fs.lstatSync(file).mtimeMs))
    const key = parseKey(text)
    if (key.id !== id) throw new JobqError('permission', `it is the key ${quote(key.id)}`)
    return key
  } catch (error) {
    if (!(error instanceof JobqError)) throw error
    throw new JobqError(error.code, `${file} is not a sound key: ${error.message}`, { cause: error })
  }
}

// Ids may hold what file names may not, and must not begin as hidden files do. What stands for it is in no id.
const fileNameOf = (id: string): string =>
  checkName('key', id).replaceAll('/', '+').replaceAll(':', '=').replace(/^\./, '~')

const idOf = (name: string): string | null => {
  const id = name.replaceAll('+', '/').replaceAll('=', ':').replace(/^~/, '.')
  try {
    return fileNameOf(id) === name ? id : null
  } catch {
    return null
  }
}
