/**
 * The native addon inside the binary. The system loads such code from files only, so it is written once to
 * a cache folder of the user and found there afterwards. A folder is used only when it belongs to this user
 * and nobody else may write to it, and a file only when it has exactly the bytes inside the binary; anything
 * else in its place (damaged, planted, a link) is replaced. The bytes are compared when the file is new or has
 * changed since, because that would add a millisecond to every start. Where a folder cannot be written to, or the
 * system refuses to load code from it, the next one is tried.
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { JobqError } from '../../src/errors.ts'

/** The addon inside the binary: the name of its file in a cache folder, unique to its content, and its bytes. */
export interface Addon {
  readonly file: string
  readonly bytes: Buffer
}

/**
 * Loads the addon from the first cache folder that works and returns its exports.
 * @throws JobqError `permission` naming every folder tried
 */
export function loadAddon(addon: Addon): object {
  const failures: string[] = []
  for (const folder of cacheFolders(process.env)) {
    try {
      return loadFrom(folder, addon)
    } catch (error) {
      failures.push(`  ${folder}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  try {
    return loadOnce(addon)
  } catch (error) {
    failures.push(`  ${os.tmpdir()}: ${error instanceof Error ? error.message : String(error)}`)
  }
  const advice = 'Set XDG_CACHE_HOME to a folder that this user may write to and run programs from.'
  throw new JobqError('permission', `cannot unpack the SQLite addon; tried\n${failures.join('\n')}\n${advice}`)
}

/** The folders to keep the addon in, best first. */
export function cacheFolders(environment: Readonly<Record<string, string | undefined>>): string[] {
  const user = process.getuid?.() ?? 0
  const folders = [
    absolute(environment.XDG_CACHE_HOME),
    process.platform === 'win32' ? absolute(environment.LOCALAPPDATA) : absolute(homeFolder(), '.cache'),
    absolute(environment.XDG_RUNTIME_DIR),
  ]
  const named = folders.filter((folder) => folder !== undefined).map((folder) => path.join(folder, 'jobq'))
  return [...new Set([...named, path.join(os.tmpdir(), `jobq-${user}`)])]
}

function loadFrom(folder: string, addon: Addon): object {
  const file = path.join(folder, addon.file)
  ownFolder(folder)
  if (!isGenuine(file, addon)) replaceFile(file, addon)
  return load(file)
}

// The last resort: a folder of this process's own, removed as soon as the addon is mapped.
function loadOnce(addon: Addon): object {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jobq-'))
  try {
    const file = path.join(folder, addon.file)
    replaceFile(file, addon)
    return load(file)
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

function load(file: string): object {
  const loaded = { exports: {} }
  process.dlopen(loaded, file)
  return loaded.exports
}

function isGenuine(file: string, addon: Addon): boolean {
  const found = fs.lstatSync(file, { throwIfNoEntry: false, bigint: true })
  if (found === undefined || !found.isFile() || found.size !== BigInt(addon.bytes.length)) return false
  // The system changes a file's ctime with every change of it and lets nobody set it.
  const mark = `${found.ino} ${found.ctimeNs}`
  if (readMark(file) === mark) return true
  if (!hasContent(file, addon.bytes)) return false
  writeMark(file, mark)
  return true
}

function readMark(file: string): string | undefined {
  try {
    return fs.readFileSync(`${file}.compared`, 'utf8')
  } catch {
    return undefined
  }
}

function writeMark(file: string, mark: string): void {
  try {
    fs.writeFileSync(`${file}.compared`, mark, { mode: 0o600 })
  } catch {
    // Without its mark the file is compared again next time.
  }
}

function hasContent(file: string, bytes: Buffer): boolean {
  const descriptor = fs.openSync(file, 'r')
  try {
    return hasBytes(descriptor, bytes)
  } finally {
    fs.closeSync(descriptor)
  }
}

// In small pieces, which takes half the time of reading the file whole.
function hasBytes(descriptor: number, bytes: Buffer): boolean {
  const piece = Buffer.allocUnsafeSlow(1 << 16)
  let position = 0
  while (position < bytes.length) {
    const length = fs.readSync(descriptor, piece, 0, piece.length, position)
    if (length === 0 || bytes.compare(piece, 0, length, position, position + length) !== 0) return false
    position += length
  }
  return true
}

function ownFolder(folder: string): void {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
  const found = fs.lstatSync(folder)
  if (!found.isDirectory()) throw new Error('not a folder')
  if (process.getuid === undefined) return
  if (found.uid !== process.getuid()) throw new Error('belongs to another user')
  if ((found.mode & 0o077) !== 0) fs.chmodSync(folder, 0o700)
}

function replaceFile(file: string, addon: Addon): void {
  const temporary = `${file}.${process.pid}.${process.hrtime.bigint()}`
  try {
    fs.writeFileSync(temporary, addon.bytes, { flag: 'wx', mode: 0o700, flush: true })
    fs.renameSync(temporary, file)
  } catch (error) {
    fs.rmSync(temporary, { force: true })
    throw error
  }
}

function homeFolder(): string | undefined {
  try {
    return os.homedir()
  } catch {
    // HOME is unset and the user has no entry in the system's list.
    return undefined
  }
}

function absolute(folder: string | undefined, ...rest: string[]): string | undefined {
  return folder !== undefined && path.isAbsolute(folder) ? path.join(folder, ...rest) : undefined
}
