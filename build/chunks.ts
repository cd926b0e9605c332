// The binary's scripts: the modules of a bundle as CommonJS functions. Those that nearly every command needs make up
// the first script together with the loader; the others are files inside the binary.
import fs from 'node:fs'
import path from 'node:path'
import { transform } from 'esbuild'
import type { Chunk } from './bundle.ts'

/** The first script, and by name the scripts that are loaded on demand. */
export interface Scripts {
  readonly main: string
  readonly onDemand: ReadonlyMap<string, string>
}

// Scripts inside the binary are not files that `import()` could find, so it becomes `require()`, which the loader answers.
const supported = { 'dynamic-import': false }

/** Turns the chunks of a bundle, whose entry is `main.js`, into scripts; `cached` says that each has its code cache. */
export async function makeScripts(chunks: ReadonlyMap<string, Chunk>, cached: boolean): Promise<Scripts> {
  const lean = [...chunks].filter(([name, { entry }]) => name === 'main.js' || entry?.startsWith('cli/lean/'))
  const included = new Set(lean.flatMap(([name]) => withImports(name, chunks)))
  const onDemand = new Map<string, string>()
  const definitions: string[] = []
  for (const [name, { text }] of chunks) {
    const { code } = await transform(text, { format: 'cjs', platform: 'node', legalComments: 'none', supported })
    const definition = `(function (module, exports, require) {${code}\n})`
    if (included.has(name)) definitions.push(`'./${name}': ${definition}`)
    else onDemand.set(name, definition)
  }
  const loader = fs.readFileSync(path.join(import.meta.dirname, 'loader.js'), 'utf8')
  const main = [`const hasCache = ${cached}`, `const included = {\n${definitions.join(',\n')}\n}`, loader].join('\n')
  return { main, onDemand }
}

function withImports(name: string, chunks: ReadonlyMap<string, Chunk>): string[] {
  return [name, ...(chunks.get(name)?.imports ?? []).flatMap((used) => withImports(used, chunks))]
}
