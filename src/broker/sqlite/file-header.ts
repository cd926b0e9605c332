/**
 * The head of a database file (https://www.sqlite.org/fileformat.html#the_database_header), read without SQLite, so
 * that a file which is refused stays as it is. A descriptor that was opened for it is never closed: closing any
 * descriptor of a file gives up all locks that this process has on it (fcntl(2)), and without the lock of an open
 * connection the next process to leave takes itself for the last one and deletes the log that this one writes to.
 */
import fs from 'node:fs'

/** What the head of a file says. */
export interface FileHeader {
  readonly isSqlite: boolean
  readonly applicationId: number
  readonly userVersion: number
  /** Bytes in the file, and those that should be there where that is certain. */
  readonly size: number
  readonly wholeSize: number
}

const headBytes = 100

/** One for each file that was ever looked at, by device and inode. */
const descriptors = new Map<string, number>()

const identityOf = ({ dev, ino }: fs.Stats): string => `${dev}:${ino}`

const descriptorOf = (file: string): number => {
  const known = descriptors.get(identityOf(fs.lstatSync(file)))
  if (known !== undefined) return known
  const descriptor = fs.openSync(file, fs.constants.O_RDONLY | (fs.constants.O_NOFOLLOW ?? 0))
  descriptors.set(identityOf(fs.fstatSync(descriptor)), descriptor)
  return descriptor
}

/** Reads it; the file must not be empty. */
export const readHeader = (file: string): FileHeader => {
  const descriptor = descriptorOf(file)
  const head = Buffer.alloc(headBytes)
  const length = fs.readSync(descriptor, head, 0, headBytes, 0)
  // In this order: where there is no log any more, all of it is in the file.
  const logged = fs.existsSync(`${file}-wal`)
  const { size } = fs.fstatSync(descriptor)
  const rawPageSize = head.readUInt16BE(16)
  const pageSize = rawPageSize === 1 ? 65_536 : rawPageSize
  const pages = head.readUInt32BE(28)
  const pagesAreTold = head.readUInt32BE(24) === head.readUInt32BE(92)
  return {
    isSqlite: length === headBytes && head.toString('latin1', 0, 16) === 'SQLite format 3\0',
    applicationId: head.readUInt32BE(68),
    userVersion: head.readUInt32BE(60),
    size,
    wholeSize: pagesAreTold && !logged ? pages * pageSize : 0,
  }
}

/** The bytes of a file that may be open in this process, all in memory. */
export const readWhole = (file: string): Buffer => {
  const descriptor = descriptorOf(file)
  const bytes = Buffer.alloc(fs.fstatSync(descriptor).size)
  for (let place = 0; place < bytes.length; ) {
    const read = fs.readSync(descriptor, bytes, place, bytes.length - place, place)
    if (read === 0) break
    place += read
  }
  return bytes
}
