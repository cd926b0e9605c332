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

/** True when a source has changed since the binary was built: what is measured is not what is there to read. */
export const isOutdated = (): boolean => {
  const builtAt = fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
  const sources = fs.globSync('{src,cli,migrations,build}/**/*.{ts,sql,js}', { cwd: root })
  return sources.some((source) => fs.statSync(path.join(root, source)).mtimeMs > builtAt)
}
