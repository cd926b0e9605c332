/**
 * Tells which of the user's files this process imports, and what they held, as it does so: modules, CommonJS and
 * JSON alike, at the start or lazily, through however many others. Left out are packages (`node_modules`) and the
 * library itself. A file that should have been imported and is missing is told as well, because its appearance matters.
 */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import module from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** Hears of each file once, before any of its code runs: its absolute path with links resolved, and its hash, null where it is missing. */
export type ImportListener = (file: string, hash: string | null) => void

/** A short text that differs wherever the content does; null when the file cannot be read. */
export const contentHash = (file: string): string | null => {
  try {
    return createHash('sha1').update(fs.readFileSync(file)).digest('base64url')
  } catch {
    return null
  }
}

/** From now on tells what is imported; files of `libraryFolder` belong to the library. */
export const watchUserImports = (listener: ImportListener, libraryFolder: string | null): void => {
  const told = new Set<string>()
  const tell = (url: string): void => {
    const file = fileOf(url)
    if (file === null || told.has(file) || file.includes(`${path.sep}node_modules${path.sep}`)) return
    if (libraryFolder !== null && file.startsWith(libraryFolder)) return
    told.add(file)
    listener(file, contentHash(file))
  }
  module.registerHooks({
    resolve(specifier, context, next) {
      try {
        return next(specifier, context)
      } catch (error) {
        for (const url of candidates(specifier, context.parentURL)) tell(url)
        throw error
      }
    },
    load(url, context, next) {
      // Read before it is loaded: a change between the two then shows as one that is not loaded yet.
      tell(url)
      return next(url, context)
    },
  })
}

/** Where a file was looked for; CommonJS may leave its extension out. */
const candidates = (specifier: string, parent: string | undefined): string[] => {
  if (!/^(\.{0,2}\/|file:)/.test(specifier) || parent === undefined) return []
  const { href } = new URL(specifier, parent)
  return path.extname(specifier) === '' ? [href, `${href}.js`, `${href}.json`] : [href]
}

const fileOf = (url: string): string | null => {
  try {
    return url.startsWith('file:') ? fileURLToPath(url.replace(/[?#].*$/, '')) : null
  } catch {
    return null
  }
}
