/**
 * Files that hold secrets, and those that say whom to trust. They are read through a descriptor that was looked at, so
 * that what is read is what was checked, and written beside their place first, so that no moment leaves half a file.
 * Where a platform has no owners and modes (Windows), only kind and size are looked at.
 */
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { JobqError } from '../../errors.ts'

/** The largest file that is read as a key, in bytes. */
export const maxKeyFileBytes = 64 * 1024

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = fs.constants
const windows = process.platform === 'win32'
const temporary = /^\.new-[0-9a-f]{16}$/

/** `secret` files must not be open to others at all, `public` ones not be writable for them. */
export type Secrecy = 'secret' | 'public'

/**
 * Reads a file that only its owner, this user or root, can have written.
 * @throws JobqError `permission` for a link, a foreign owner, a mode that is too open, what is no file or cannot be
 * read, `not-found`
 */
export const readPrivateFile = (file: string, secrecy: Secrecy): Buffer => {
  const descriptor = open(file)
  try {
    const stats = fs.fstatSync(descriptor)
    if (!stats.isFile()) throw refused(file, 'is not a regular file')
    if (stats.size > maxKeyFileBytes) throw refused(file, `is larger than ${maxKeyFileBytes} bytes`)
    checkOwner(file, stats)
    checkMode(file, stats, secrecy)
    return fs.readFileSync(descriptor)
  } finally {
    fs.closeSync(descriptor)
  }
}

/**
 * Writes a file of mode 0600 that is there wholly or not at all, and on the disk when this returns.
 * @throws JobqError `conflict` for a `fresh` one that exists, `permission` where it cannot be written
 */
export const writePrivateFile = (file: string, text: string, options: { readonly fresh: boolean }): void => {
  const folder = path.dirname(file)
  const draft = path.join(folder, `.new-${randomBytes(8).toString('hex')}`)
  try {
    removeDrafts(folder)
    writeDraft(draft, text)
    if (options.fresh) fs.linkSync(draft, file)
    else fs.renameSync(draft, file)
  } catch (error) {
    if (isCode(error, 'EEXIST')) throw new JobqError('conflict', `${file} exists already`, { cause: error })
    throw refused(file, `cannot be written: ${messageOf(error)}`, error)
  } finally {
    fs.rmSync(draft, { force: true })
  }
  syncFolder(folder)
}

/** Makes the folder, mode 0700, with those above it where they are missing. @throws JobqError `permission` */
export const makePrivateFolder = (folder: string): void => {
  try {
    fs.mkdirSync(path.dirname(folder), { recursive: true, mode: 0o700 })
    fs.mkdirSync(folder, { mode: 0o700 })
    fs.chmodSync(folder, 0o700)
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw refused(folder, `cannot be made: ${messageOf(error)}`, error)
  }
  checkFolder(folder)
}

/** False where there is no such folder. @throws JobqError `permission` for one that is not safe from others */
export const checkFolder = (folder: string): boolean => {
  const stats = lookUp(folder)
  if (stats === undefined) return false
  if (stats.isSymbolicLink()) throw refused(folder, 'is a symbolic link; give the real path')
  if (!stats.isDirectory()) throw refused(folder, 'is not a folder')
  checkOwner(folder, stats)
  checkMode(folder, stats, 'public')
  return true
}

/** What the file system says of a path itself; undefined where there is nothing. @throws JobqError `permission` */
export const lookUp = (file: string): fs.Stats | undefined => {
  try {
    return fs.lstatSync(file, { throwIfNoEntry: false })
  } catch (error) {
    throw refused(file, `cannot be reached: ${messageOf(error)}`, error)
  }
}

const open = (file: string): number => {
  try {
    // Not waiting for the writer of a pipe.
    return fs.openSync(file, O_RDONLY | (O_NOFOLLOW ?? 0) | (O_NONBLOCK ?? 0))
  } catch (error) {
    if (isCode(error, 'ENOENT')) throw new JobqError('not-found', `there is no file ${file}`, { cause: error })
    if (isCode(error, 'ELOOP')) throw refused(file, 'is a symbolic link', error)
    throw refused(file, `cannot be read: ${messageOf(error)}`, error)
  }
}

const checkOwner = (file: string, { uid }: fs.Stats): void => {
  const own = process.geteuid?.()
  if (own === undefined || uid === own || uid === 0) return
  throw refused(file, `belongs to another user (id ${uid})`)
}

const checkMode = (file: string, stats: fs.Stats, secrecy: Secrecy): void => {
  const mode = stats.mode & 0o777
  if (windows || (mode & (secrecy === 'secret' ? 0o077 : 0o022)) === 0) return
  const wanted = stats.isDirectory() ? '700' : '600'
  const can = secrecy === 'secret' ? 'read or written' : 'written'
  throw refused(file, `can be ${can} by others (mode 0${mode.toString(8)}): chmod ${wanted} it`)
}

const writeDraft = (draft: string, text: string): void => {
  const descriptor = fs.openSync(draft, O_WRONLY | O_CREAT | O_EXCL | (O_NOFOLLOW ?? 0), 0o600)
  try {
    if (!windows) fs.fchmodSync(descriptor, 0o600)
    fs.writeFileSync(descriptor, text)
    fs.fsyncSync(descriptor)
  } finally {
    fs.closeSync(descriptor)
  }
}

/** Drafts that a killed process left behind; those of the last minute may be another one's work. */
const removeDrafts = (folder: string): void => {
  for (const name of fs.readdirSync(folder)) {
    const file = path.join(folder, name)
    if (!temporary.test(name)) continue
    const stats = fs.lstatSync(file, { throwIfNoEntry: false })
    if (stats !== undefined && Date.now() - stats.mtimeMs > 60_000) fs.rmSync(file, { force: true })
  }
}

const syncFolder = (folder: string): void => {
  if (windows) return
  const descriptor = fs.openSync(folder, O_RDONLY)
  try {
    fs.fsyncSync(descriptor)
  } finally {
    fs.closeSync(descriptor)
  }
}

const refused = (file: string, what: string, cause?: unknown): JobqError =>
  new JobqError('permission', `${file} ${what}`, cause === undefined ? undefined : { cause })

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
