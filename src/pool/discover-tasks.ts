/**
 * Finds the files that may be tasks: modules and executables under the given folders, or single files. The
 * path under the folder without its extension is the name. Helpers are passed over: names that begin with `_`
 * or `.`, declarations, tests, and everything under `node_modules`.
 */
import fs from 'node:fs'
import path from 'node:path'
import type { TaskProblem } from './task-summary.ts'

/** A file that may be a task, and the name that its place gives it. */
export interface TaskFile {
  readonly name: string
  /** Absolute. */
  readonly file: string
  readonly kind: 'module' | 'executable'
}

const moduleExtensions = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs']
const helper = /^[._]|\.d\.[mc]?ts$|\.test\.|^node_modules$/

/** The files under `paths` in a stable order, and the paths that cannot be read. */
export const discoverTasks = (paths: readonly string[]): { files: TaskFile[]; problems: TaskProblem[] } => {
  const files: TaskFile[] = []
  const problems: TaskProblem[] = []
  const seen = new Set<string>()
  const visit = (file: string, root: string, given: boolean): void => {
    const info = fs.statSync(file)
    const real = fs.realpathSync(file)
    if (info.isDirectory() && !seen.has(real)) {
      seen.add(real)
      for (const name of fs.readdirSync(file).sort()) {
        if (!helper.test(name)) attempt(path.join(file, name), root, false)
      }
    }
    const kind = info.isFile() ? kindOf(file) : null
    if (kind !== null && !seen.has(file)) {
      seen.add(file)
      files.push({ name: nameOf(file, given ? path.dirname(file) : root), file, kind })
    }
  }
  const attempt = (file: string, root: string, given: boolean): void => {
    try {
      visit(file, root, given)
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      problems.push({ file, line: null, message: code === 'ENOENT' ? 'there is no such file or folder' : message })
    }
  }
  for (const given of paths) attempt(path.resolve(given), path.resolve(given), true)
  return { files, problems }
}

/** The file that would be the task `name` if it were executable; null if there is none. */
export const findUnexecutable = (paths: readonly string[], name: string): string | null => {
  for (const root of paths) {
    const wanted = path.resolve(root, name)
    const folder = path.dirname(wanted)
    const files = fs.existsSync(folder) ? fs.readdirSync(folder, { withFileTypes: true }) : []
    const found = files.find((file) => file.isFile() && path.parse(file.name).name === path.basename(wanted))
    if (found !== undefined && kindOf(path.join(folder, found.name)) === null) return path.join(folder, found.name)
  }
  return null
}

const kindOf = (file: string): TaskFile['kind'] | null => {
  if (moduleExtensions.includes(path.extname(file))) return 'module'
  try {
    fs.accessSync(file, fs.constants.X_OK)
    return 'executable'
  } catch {
    return null
  }
}

const nameOf = (file: string, root: string): string => {
  const relative = path.relative(root, file).split(path.sep).join('/')
  return relative.slice(0, relative.length - path.extname(relative).length)
}
