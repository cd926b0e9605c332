/**
 * Imports modules that belong to the user (tasks, configuration) from the user's disk, with the user's own
 * node_modules. In them `import … from 'jobq'` always means the library that is running, installed beside
 * them or not, so that a file works alike from a checkout, from the npm package and from the binary. The
 * binary has no file to import the library from: it provides the library's exports instead. Not reached:
 * worker threads that a task starts itself.
 */
import module from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import vm from 'node:vm'
import { JobqError } from './errors.ts'

const embeddedUrl = 'jobq:library'

let hooked = false
let loadLibrary: (() => Promise<object>) | undefined
let library: object = {}
const loaded: string[] = []

/** Gives user files what `load` resolves to as their `jobq`, where the library is not a file. */
export function provideLibrary(load: () => Promise<object>): void {
  loadLibrary = load
}

/**
 * Imports the module at the absolute `path`; `revision` other than 0 imports it anew after it has changed.
 * @throws JobqError `usage` for a file that cannot be parsed, naming it; otherwise what the module throws
 */
export async function importUserFile(path: string, revision = 0): Promise<Readonly<Record<string, unknown>>> {
  if (loadLibrary !== undefined) library = await loadLibrary()
  hookLibrary()
  const url = pathToFileURL(path)
  if (revision !== 0) url.searchParams.set('revision', String(revision))
  try {
    return await importUrl(url.href)
  } catch (error) {
    throw error instanceof SyntaxError ? unreadable(error, path) : error
  }
}

/** The paths of all files that were read to be imported since the first `importUserFile`, in their order. */
export function importedFiles(): string[] {
  return loaded.map((url) => fileURLToPath(url))
}

function unreadable(error: SyntaxError, path: string): JobqError {
  // The first line of the stack names the file that is wrong, which may be one that `path` imports.
  const [, place] = /^(.+:\d+)\n/.exec(error.stack ?? '') ?? []
  const unsupported = 'code' in error && error.code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX'
  const hint = unsupported
    ? '; types are removed, not compiled, so enums, namespaces and parameter properties cannot be used'
    : ''
  return new JobqError('usage', `${place ?? path}: ${error.message}${hint}`, { cause: error })
}

// The scripts inside the binary cannot import from the disk; a script of the main context can.
function importUrl(url: string): Promise<Readonly<Record<string, unknown>>> {
  if (loadLibrary === undefined) return import(url)
  const script = new vm.Script('(url) => import(url)', {
    filename: 'jobq-user-file',
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  })
  return script.runInThisContext()(url)
}

function hookLibrary(): void {
  if (hooked) return
  hooked = true
  module.registerHooks({
    resolve(specifier, context, next) {
      if (specifier !== 'jobq') return next(specifier, context)
      return { url: loadLibrary === undefined ? libraryUrl() : embeddedUrl, shortCircuit: true }
    },
    load(url, context, next) {
      if (url.startsWith('file:')) loaded.push(url)
      if (url !== embeddedUrl) return next(url, context)
      return { format: 'module', source: embeddedSource(), shortCircuit: true }
    },
  })
}

/** The folder of the library's own files, ending in a separator; null where they are not files. */
export function libraryFolder(): string | null {
  return loadLibrary === undefined ? fileURLToPath(new URL('./', import.meta.url)) : null
}

function libraryUrl(): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return new URL(`./index.${extension}`, import.meta.url).href
}

function embeddedSource(): string {
  const key = 'jobq.library'
  Object.defineProperty(globalThis, Symbol.for(key), { value: library, configurable: true })
  const names = Object.keys(library).filter((name) => name !== 'default' && name !== '__esModule')
  return [
    `const library = globalThis[Symbol.for('${key}')]`,
    ...names.map((name) => `export const ${name} = library.${name}`),
  ].join('\n')
}
