import fs from 'node:fs'
import { embeddedFile, isBinary } from './binary/sea.ts'
import { Exit } from './exit.ts'

/** The name of the file with the licenses, inside the binary or beside the modules of the npm package. */
export const licensesFile = 'licenses.txt'

/**
 * The licenses of jobq and of what this build of it contains.
 * @throws Exit 1 where it runs from its sources, which contain nothing else
 */
export const licenses = (): string => {
  if (isBinary()) return embeddedFile(licensesFile).toString('utf8')
  const file = new URL(licensesFile, import.meta.url)
  if (fs.existsSync(file)) return fs.readFileSync(file, 'utf8')
  throw new Exit(
    1,
    'these are the sources, which contain no work of others; LICENSE is their own, each package has its own',
  )
}
