/** What only the binary has: files inside itself. */
import sea from 'node:sea'

/** Whether this process is the binary, rather than Node running sources or the npm package. */
export function isBinary(): boolean {
  return sea.isSea()
}

/** The bytes of a file inside the binary, without copying them; they must not be written to. */
export function embeddedFile(name: string): Buffer {
  return Buffer.from(sea.getRawAsset(name))
}
