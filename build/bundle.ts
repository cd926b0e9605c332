// Bundles the sources with esbuild. What the sources read from the disk (the migrations, what was built) becomes part
// of the bundle: the module that reads it is replaced by one that holds what it read.
import path from 'node:path'
import { type BuildOptions, build, type Plugin } from 'esbuild'
import type { BuildInfo } from '../cli/build-info.ts'
import { migrations } from '../src/broker/sqlite/migrations.ts'

/** The folder of package.json. */
export const root = path.dirname(import.meta.dirname)

/** One file of a bundle: its text, the source file that it begins with if it is an entry, and what it imports at once. */
export interface Chunk {
  readonly text: string
  readonly entry: string | undefined
  readonly imports: readonly string[]
}

/** Bundles the entries (output name → source file) into ES modules that share chunks; gives the chunks by file name. */
export async function bundle(
  entries: Readonly<Record<string, string>>,
  info: BuildInfo,
  options: BuildOptions = {},
): Promise<Map<string, Chunk>> {
  const { outputFiles = [], metafile } = await build({
    metafile: true,
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
    plugins: [embed(info)],
    ...options,
  })
  const chunks = new Map<string, Chunk>()
  for (const { path: file, text } of outputFiles) {
    const { entryPoint, imports = [] } = metafile?.outputs[path.relative(root, file)] ?? {}
    const atOnce = imports.filter(({ kind, external }) => kind === 'import-statement' && !external)
    chunks.set(path.basename(file), {
      text,
      entry: entryPoint,
      imports: atOnce.map((used) => path.basename(used.path)),
    })
  }
  return chunks
}

function embed(info: BuildInfo): Plugin {
  const replacements = new Map([
    ['src/broker/sqlite/migrations.ts', `export const migrations = ${JSON.stringify(migrations)}`],
    ['cli/build-info.ts', `export const buildInfo = ${JSON.stringify(info)}`],
  ])
  return {
    name: 'embed',
    setup({ onLoad }) {
      onLoad({ filter: /(migrations|build-info)\.ts$/ }, ({ path: file }) => {
        const contents = replacements.get(path.relative(root, file).replaceAll(path.sep, '/'))
        return contents === undefined ? undefined : { contents, loader: 'js' }
      })
    },
  }
}
