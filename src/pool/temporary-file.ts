import fs from 'node:fs'
import path from 'node:path'
import { makePrivateFolder } from '../output/output-path.ts'

let made = 0

/** Opens a file without a name, which is gone with its descriptor, holding `content` from its beginning; made in `folder`. */
export const openTemporaryFile = (folder: string, content: string | Uint8Array): number => {
  const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants
  const file = path.join(folder, `.unnamed-${process.pid}-${made++}`)
  makePrivateFolder(folder)
  const fd = fs.openSync(file, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  fs.unlinkSync(file)
  const data = typeof content === 'string' ? Buffer.from(content) : content
  // Written by position: whoever inherits the descriptor reads from where it stands, which is the beginning.
  for (let done = 0; done < data.length; ) done += fs.writeSync(fd, data, done, data.length - done, done)
  return fd
}
