import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'

const newline = '\n'.charCodeAt(0)
const { O_APPEND, O_CREAT, O_RDWR, O_NOFOLLOW = 0 } = constants

/** A file that lines are appended to. It is opened for each time, so that it may be renamed meanwhile; a link in its place is refused. */
export class LineFile {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  /** Appends whole lines, all of them or none, and resolves once they are on the disk. */
  async append(lines: readonly string[]): Promise<void> {
    const file = await open(this.#path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600)
    try {
      const { size } = await file.stat()
      const torn = size > 0 && !(await endsLine(file, size))
      try {
        await file.appendFile(`${torn ? '\n' : ''}${lines.map((line) => `${line}\n`).join('')}`)
        await file.datasync()
      } catch (error) {
        await file.truncate(size)
        throw error
      }
    } finally {
      await file.close()
    }
  }
}

const endsLine = async (file: FileHandle, size: number): Promise<boolean> => {
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1)
  return buffer[0] === newline
}
