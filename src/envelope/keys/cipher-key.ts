import { JobqError } from '../../errors.ts'
import { parseKey } from './key-file.ts'
import { readPrivateFile } from './private-file.ts'

const secretBytes = 32

/**
 * The 32 bytes of a key file for encryption: raw, in hexadecimal or base64 (a line break may follow), or a key of the
 * type `aes256` in a keyring.
 * @throws JobqError `permission` for a file that others can read, a retired key or a corrupt file, `not-found`, `usage` for other
 * contents
 */
export const readCipherKey = (file: string): Buffer => {
  const content = readPrivateFile(file, 'secret')
  if (content.length === secretBytes) return content
  const text = content.toString('latin1').trim()
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex')
  if (/^[A-Za-z0-9+/]{43}=?$/.test(text)) return Buffer.from(text, 'base64')
  if (text.startsWith('{')) return keyringSecret(file, content.toString('utf8'))
  throw new JobqError('usage', `${file} does not hold a key: 32 bytes, raw, in hexadecimal or base64`)
}

const keyringSecret = (file: string, text: string): Buffer => {
  try {
    const { type, state, secret } = parseKey(text)
    if (type !== 'aes256' || secret === null) throw new JobqError('usage', `its type is ${type}, not aes256`)
    if (state === 'retired') throw new JobqError('permission', 'it is retired')
    return secret
  } catch (error) {
    if (!(error instanceof JobqError)) throw error
    throw new JobqError(error.code, `${file} cannot be used as a key: ${error.message}`, { cause: error })
  }
}
