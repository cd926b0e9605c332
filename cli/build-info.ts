/** What this jobq was built from. A bundle holds the values of its build in place of this module (build/bundle.ts). */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { openDatabase } from '../src/broker/sqlite/native.ts'

/** What a bundle was built from. */
export interface BuildInfo {
  readonly version: string
  /** The commit's full hash, with `-dirty` behind it when files had changed; null where it is not known. */
  readonly commit: string | null
  readonly sqlite: string
  /** The name that the binary's native addon has in a cache folder; null outside the binary. */
  readonly addon: string | null
}

/** The build of this process. */
export const buildInfo: BuildInfo = readSources(path.dirname(import.meta.dirname))

function readSources(root: string): BuildInfo {
  const { version } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'))
  return { version, commit: readCommit(root), sqlite: readSqliteVersion(), addon: null }
}

function readCommit(root: string): string | null {
  const git = (...parameters: string[]) =>
    execFileSync('git', parameters, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    const commit = git('rev-parse', 'HEAD')
    return git('status', '--porcelain', '--untracked-files=no') === '' ? commit : `${commit}-dirty`
  } catch {
    // Not a checkout, or no git here: the commit is not known.
    return null
  }
}

function readSqliteVersion(): string {
  const database = openDatabase(':memory:')
  const version = String(database.prepare('SELECT sqlite_version()').pluck().get())
  database.close()
  return version
}
