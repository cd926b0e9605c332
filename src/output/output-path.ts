import fs from 'node:fs'
import path from 'node:path'
import { JobqError } from '../errors.ts'

/** The two streams that a job writes. */
export type OutputStream = 'stdout' | 'stderr'

/** Which run's output. */
export interface OutputKey {
  readonly id: number
  readonly attempt: number
}

const jobsPerFolder = 1_000

/** The folder inside `folder` that holds the files of this job and its neighbours. */
export const shardOf = (folder: string, id: number): string => path.join(folder, String(Math.floor(id / jobsPerFolder)))

/** What the names of one run's files begin with: `<id>.<attempt>`. */
export const basePath = (folder: string, { id, attempt }: OutputKey): string =>
  path.join(shardOf(folder, id), `${id}.${attempt}`)

/** The file that one stream is written to. */
export const streamPath = (base: string, stream: OutputStream): string =>
  `${base}.${stream === 'stdout' ? 'out' : 'err'}`

/** The file that tells in which order the streams were written; absent where only one was. */
export const orderPath = (base: string): string => `${base}.seq`

/** Which run a file in a shard belongs to; null for a name that is none of ours. */
export const parseOutputName = (name: string): OutputKey | null => {
  const match = /^(\d+)\.(\d+)\.(?:out|err|seq)(?:\.(?:head|tail)(?:\.new)?)?$/.exec(name)
  return match && { id: Number(match[1]), attempt: Number(match[2]) }
}

/**
 * Makes the folder, and those above it that are missing, for its owner alone whatever the umask.
 * @throws JobqError `unusable` where a symlink or a file stands in its place
 */
export const makePrivateFolder = (folder: string): void => {
  try {
    fs.mkdirSync(folder, { mode: 0o700 })
    fs.chmodSync(folder, 0o700)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') {
      makePrivateFolder(path.dirname(folder))
      makePrivateFolder(folder)
      return
    }
    if (code !== 'EEXIST') throw error
    if (!fs.lstatSync(folder).isDirectory()) throw new JobqError('unusable', `${folder} is not a folder`)
  }
}
