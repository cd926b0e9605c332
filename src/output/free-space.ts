import fs from 'node:fs'
import path from 'node:path'

/** Space of a file system, in bytes. */
export interface FileSystemSpace {
  /** What this user may still write. */
  readonly availableBytes: number
  readonly totalBytes: number
}

/** The space where `folder` is or, while it is missing, will be; null where the system does not tell. */
export const spaceAt = (folder: string): FileSystemSpace | null => {
  try {
    const { bavail, blocks, bsize } = fs.statfsSync(folder)
    return blocks > 0 ? { availableBytes: bavail * bsize, totalBytes: blocks * bsize } : null
  } catch (error) {
    const parent = path.dirname(folder)
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    return missing && parent !== folder ? spaceAt(parent) : null
  }
}

/** With less than this, in bytes, a write must be expected to fail. */
const fullBytes = 64 * 1024

/** True where next to nothing can be written. */
export const isFull = (folder: string): boolean => {
  const space = spaceAt(folder)
  return space !== null && space.availableBytes < fullBytes
}
