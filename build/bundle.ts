// Bundles the sources with esbuild. What the sources read from the disk (the migrations, libbz2, what was built) becomes
// part of the bundle: the module that reads it is replaced by one that holds what it read.
import path from 'node:path'
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild'
import type { BuildInfo } from '../cli/build-info.ts'
import { migrations } from '../src/broker/sqlite/migrations.ts'
import { readBzip2Wasm } from '../src/envelope/compressors/bzip2-wasm.ts'
import { bundleInk } from './ink.ts'

/** The folder of package.json. */
export const root = path.dirname(import.meta.dirname)

/** What came of bundling. */
export interface Bundle {
  /** The text of the modules, by file name. */
  readonly modules: ReadonlyMap<string, string>
  /** The folders of the packages that are in them, relative to `root`. */
  readonly packages: ReadonlySet<string>
}

/** Bundles the entries (output name → source file) into ES modules that share chunks. */
export async function bundle(
  entries: Readonly<Record<string, string>>,
  info: BuildInfo,
  options: BuildOptions = {},
): Promise<Bundle> {
  const { define, ...rest } = options
  const { outputFiles = [], metafile } = await build({
    absWorkingDir: root,
    entryPoints: Object.entries(entries).map(([out, file]) => ({ in: file, out })),
    outdir: path.join(root, 'dist'),
    bundle: true,
    splitting: true,
    write: false,
    platform: 'node',
    format: 'esm',
    legalComments: 'none',
    logLevel: 'warning',
    plugins: [
      embed(info),
      bundleInk,
      ...Object.entries(lateModules).map(([name, functions]) => onFirstCall(name, functions)),
    ],
    define: { 'process.env.NODE_ENV': '"production"', ...define },
    ...rest,
    metafile: true,
  })
  return {
    modules: new Map(outputFiles.map((file) => [path.basename(file.path), file.text])),
    packages: packagesIn(metafile),
  }
}

function packagesIn({ outputs }: Metafile): Set<string> {
  const files = Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : [])),
  )
  const folders = files.flatMap((file) => {
    if (file === bzip2Module) return [path.join('node_modules', 'bzip2-wasm')]
    return /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0] ?? []
  })
  return new Set(folders)
}

/** Holds a package's bytes instead of importing it. */
const bzip2Module = 'src/envelope/compressors/bzip2-wasm.ts'

function embed(info: BuildInfo): Plugin {
  const replacements = new Map([
    ['src/broker/sqlite/migrations.ts', `export const migrations = ${JSON.stringify(migrations)}`],
    [
      bzip2Module,
      `const text = '${Buffer.from(readBzip2Wasm()).toString('base64')}'
export const readBzip2Wasm = () => Buffer.from(text, 'base64')`,
    ],
    ['cli/build-info.ts', `export const buildInfo = ${JSON.stringify(info)}`],
  ])
  return {
    name: 'embed',
    setup({ onLoad }) {
      onLoad({ filter: /(migrations|build-info|bzip2-wasm)\.ts$/ }, ({ path: file }) => {
        const contents = replacements.get(path.relative(root, file).replaceAll(path.sep, '/'))
        return contents === undefined ? undefined : { contents, loader: 'js' }
      })
    },
  }
}

/** Modules that take milliseconds to load and are often not used, with those of their functions that are. */
const lateModules: Readonly<Record<string, readonly string[]>> = {
  'string-width': ['default'],
  fflate: ['gzipSync', 'zlibSync'],
  './msgpack-library.ts': ['readMessagePack', 'writeMessagePack'],
  './yaml-library.ts': ['readYaml', 'writeYaml'],
}

// Loading string-width takes 30 ms, for the classes of characters that its patterns know; most output is never measured.
// The codecs take 20 ms; most payloads are JSON. In a bundle a module that gives functions can be loaded when one of them
// is first called.
function onFirstCall(name: string, functions: readonly string[]): Plugin {
  return {
    name: `${name} on first call`,
    setup({ onResolve, onLoad }) {
      const filter = new RegExp(`^${name.replaceAll('.', '\\.')}$`)
      onResolve({ filter }, ({ namespace, resolveDir }) => {
        if (namespace !== 'file') return undefined
        return { path: name.startsWith('.') ? path.join(resolveDir, name) : name, namespace: `late ${name}` }
      })
      onLoad({ filter: /./, namespace: `late ${name}` }, ({ path: target }) => ({
        contents: [
          `let loaded; const load = () => (loaded ??= require(${JSON.stringify(target)}))`,
          ...functions.map((each, index) => `const f${index} = (...all) => load().${each}(...all)`),
          `export { ${functions.map((each, index) => `f${index} as ${each}`).join(', ')} }`,
        ].join('\n'),
        resolveDir: root,
      }))
    },
  }
}
