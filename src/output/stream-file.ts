/**
 * One stream of one run on disk, kept within bounds while it is being written, also by a command that holds
 * the descriptor itself. Three files make up a stream: `X` is appended to; once it has grown too large, its
 * beginning is copied to `X.head`, its present end to `X.tail`, and `X` is emptied (its writers append, so they
 * go on at its start). What lay between is cut. Places in the stream are counted from its first byte, cut ones
 * included; `X.tail` begins with a line that tells the places of its own first byte and of that of `X`. Every
 * step leaves files that can be read, so a writer may die at any moment.
 */
import fs from 'node:fs'
import path from 'node:path'
import { makePrivateFolder } from './output-path.ts'

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR, O_TRUNC } = fs.constants
const placeDigits = 16
const headerBytes = 2 * placeDigits + 2

/** A part of a stream that is on disk: places `start` to `end` lie in `file` from `offset`. */
export interface Segment {
  readonly file: string
  readonly offset: number
  readonly start: number
  readonly end: number
}

/** The parts of the stream at `file`, in order; empty where there is none. */
export const segmentsOf = (file: string): Segment[] => {
  const segments: Segment[] = []
  const headBytes = sizeOf(`${file}.head`)
  if (headBytes > 0) segments.push({ file: `${file}.head`, offset: 0, start: 0, end: headBytes })
  const tail = readTailHeader(file)
  if (tail) segments.push({ file: `${file}.tail`, offset: headerBytes, start: tail.start, end: tail.end })
  const liveStart = tail?.liveStart ?? 0
  segments.push({ file, offset: 0, start: liveStart, end: liveStart + sizeOf(file) })
  return segments.filter(({ start, end }) => end > start)
}

/** A stream that is being written. */
export class StreamFile {
  /** Open for appending and reading. */
  readonly fd: number
  readonly file: string
  /** The place behind the last byte known of. */
  end = 0
  #liveStart = 0
  /** Bytes in `X.head` and `X.tail`. */
  #asideBytes = 0

  constructor(file: string) {
    this.file = file
    const { fd, fresh } = openForAppending(file)
    this.fd = fd
    if (!fresh) this.#recall()
  }

  /** Bytes on disk, as far as known. */
  get bytes(): number {
    return this.#asideBytes + this.end - this.#liveStart
  }

  append(data: Uint8Array): void {
    for (let done = 0; done < data.length; ) {
      const written = fs.writeSync(this.fd, data, done)
      done += written
      this.end += written
    }
  }

  /** Learns what others have written; answers how many bytes. */
  refresh(): number {
    const end = this.#liveStart + fs.fstatSync(this.fd).size
    const grown = end - this.end
    this.end = end
    return grown
  }

  /** Up to `maxBytes` of what lies at `place` or, where that has been cut, behind it. */
  read(place: number, maxBytes: number): { readonly place: number; readonly data: Buffer } {
    const start = Math.max(place, this.#liveStart)
    return { place: start, data: this.#readLive(start, Math.min(maxBytes, this.end - start)) }
  }

  /** Cuts out the middle: keeps the first `headBytes` and the last `tailBytes`. */
  trim(headBytes: number, tailBytes: number): void {
    if (this.#asideBytes === 0) replaceFile(`${this.file}.head`, (fd) => writeAll(fd, this.#readLive(0, headBytes)))
    const tail = replaceFile(`${this.file}.tail`, (fd) => this.#copyEnd(fd, tailBytes))
    fs.ftruncateSync(this.fd, 0)
    this.#liveStart = this.end
    this.#asideBytes = sizeOf(`${this.file}.head`) + tail
  }

  /** Lets go of the stream; a file without a byte is not left behind. */
  close(): void {
    fs.closeSync(this.fd)
    if (this.end === 0) fs.rmSync(this.file, { force: true })
  }

  // The writer may go on meanwhile: what it adds is added, in ever smaller steps, until it is caught up with. What it
  // writes between the last look and the emptying is lost; a writer that cannot be caught is cut there, and that is told.
  #copyEnd(fd: number, bytes: number): number {
    let start = Math.max(this.#liveStart, this.end - bytes)
    let copied = start
    for (let tries = 0; tries < 10 && copied < this.end; tries++) {
      if (this.end - copied > bytes) {
        start = this.end - bytes
        copied = start
      }
      writeAll(fd, this.#readLive(copied, this.end - copied), headerBytes + copied - start)
      copied = this.end
      this.refresh()
    }
    fs.ftruncateSync(fd, headerBytes + copied - start)
    fs.writeSync(fd, header(start, this.end), 0)
    return copied - start
  }

  #readLive(place: number, bytes: number): Buffer {
    const data = Buffer.allocUnsafe(Math.max(0, bytes))
    const read = data.length === 0 ? 0 : fs.readSync(this.fd, data, 0, data.length, place - this.#liveStart)
    return data.subarray(0, read)
  }

  // An earlier run with the same number has left something: go on behind it.
  #recall(): void {
    const tail = readTailHeader(this.file)
    this.#liveStart = tail?.liveStart ?? 0
    this.#asideBytes = tail ? sizeOf(`${this.file}.head`) + tail.end - tail.start : 0
    this.end = this.#liveStart
    this.refresh()
  }
}

const openForAppending = (file: string): { fd: number; fresh: boolean } => {
  const flags = O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW
  try {
    return { fd: openPrivate(file, flags | O_EXCL), fresh: true }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return { fd: openPrivate(file, flags), fresh: false }
    if (code !== 'ENOENT') throw error
    makePrivateFolder(path.dirname(path.dirname(file)))
    makePrivateFolder(path.dirname(file))
    return { fd: openPrivate(file, flags), fresh: false }
  }
}

const openPrivate = (file: string, flags: number): number => {
  const fd = fs.openSync(file, flags, 0o600)
  // An umask can only take away from 0600; a file that its owner cannot read would be of no use.
  if ((process.umask() & 0o600) !== 0) fs.fchmodSync(fd, 0o600)
  return fd
}

/** Appends text to a file for its owner alone. */
export const appendPrivate = (file: string, text: string): void => {
  const fd = openPrivate(file, fs.constants.O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW)
  fs.writeSync(fd, text)
  fs.closeSync(fd)
}

const replaceFile = <Result>(file: string, write: (fd: number) => Result): Result => {
  const fd = openPrivate(`${file}.new`, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW)
  try {
    const result = write(fd)
    fs.renameSync(`${file}.new`, file)
    return result
  } finally {
    fs.closeSync(fd)
  }
}

const writeAll = (fd: number, data: Uint8Array, position = 0): void => {
  for (let done = 0; done < data.length; ) done += fs.writeSync(fd, data, done, data.length - done, position + done)
}

const header = (start: number, liveStart: number): string =>
  `${String(start).padStart(placeDigits)} ${String(liveStart).padStart(placeDigits)}\n`

const readTailHeader = (file: string): { start: number; end: number; liveStart: number } | null => {
  const bytes = sizeOf(`${file}.tail`) - headerBytes
  if (bytes < 0) return null
  const text = readRange(`${file}.tail`, 0, headerBytes).toString('latin1')
  const start = Number(text.slice(0, placeDigits))
  const liveStart = Number(text.slice(placeDigits + 1))
  return { start, end: start + bytes, liveStart }
}

/** Bytes of a file from `offset`; fewer, or none, where it is shorter or gone. Symlinks are not followed. */
export const readRange = (file: string, offset: number, bytes: number): Buffer => {
  let fd: number
  try {
    fd = fs.openSync(file, fs.constants.O_RDONLY | O_NOFOLLOW)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0)
    throw error
  }
  try {
    const data = Buffer.allocUnsafe(bytes)
    return data.subarray(0, bytes === 0 ? 0 : fs.readSync(fd, data, 0, bytes, offset))
  } finally {
    fs.closeSync(fd)
  }
}

const sizeOf = (file: string): number => fs.lstatSync(file, { throwIfNoEntry: false })?.size ?? -1
