import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '../..')
const file = path.join(root, 'dist', process.platform === 'win32' ? 'jobq.exe' : 'jobq')

/** The path of the binary, which is built first where there is none. */
export const binary = (): string => {
  if (!fs.existsSync(file)) {
    const { status } = spawnSync(process.execPath, ['build/binary.ts'], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    if (status !== 0) throw new Error('the binary could not be built')
  }
  return file
}
