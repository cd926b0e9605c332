import fs from 'node:fs'
import path from 'node:path'

/**
 * The file that a program's name stands for, looked up in `searchPath` as the system would. Looking beforehand
 * spares a fresh process one failing call for each folder, which takes as long as starting the program itself.
 * Gives the name back where nothing is found, for the system to say what is wrong.
 */
export const findProgram = (name: string, searchPath: string | undefined, cwd: string | null): string => {
  if (name.includes('/') || searchPath === undefined || process.platform === 'win32') return name
  for (const folder of searchPath.split(':')) {
    const file = path.resolve(cwd ?? '.', folder, name)
    if (isExecutable(file)) return file
  }
  return name
}

/** Why the system would not start a program of this name, as it would put it; null when it would. */
export const programProblem = (
  name: string,
  searchPath: string | undefined,
  cwd: string | null,
): NodeJS.ErrnoException | null => {
  const file = path.resolve(cwd ?? '.', findProgram(name, searchPath, cwd))
  const there = fs.statSync(file, { throwIfNoEntry: false })
  if (there !== undefined && name.includes('/') && !isExecutable(file)) return problem('EACCES', name)
  return isExecutable(file) ? null : problem('ENOENT', name)
}

const problem = (code: string, name: string): NodeJS.ErrnoException =>
  Object.assign(new Error(`${code}: ${name}`), { code })

const isExecutable = (file: string): boolean => {
  if (fs.statSync(file, { throwIfNoEntry: false })?.isFile() !== true) return false
  try {
    fs.accessSync(file, fs.constants.X_OK)
    return true
  } catch {
    return false
  }
}
