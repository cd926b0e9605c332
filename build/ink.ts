// Lets ink and the layout engine under it become part of a bundle. A chunk of the binary is CommonJS, in which no module
// can wait while it loads; both wait at their top level for what need not be waited for.
import fs from 'node:fs'
import type { Plugin } from 'esbuild'

/** Replaces the three modules that wait, and what measures text. Each replacement fails the build where a module is not what it was. */
export const bundleInk: Plugin = {
  name: 'ink',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^string-width$/ }, ({ importer }) =>
      measuring.test(importer) ? { path: 'string-width', namespace: 'quick width' } : undefined,
    )
    onLoad({ filter: /./, namespace: 'quick width' }, () => ({ contents: quickWidth, resolveDir: import.meta.dirname }))
    onLoad({ filter: /yoga-layout[/\\]dist[/\\]src[/\\]index\.js$/ }, ({ path: file }) => ({
      contents: synchronousYoga(wasmOf(file.replace(/src([/\\])index\.js$/, 'binaries$1yoga-wasm-base64-esm.js'))),
      loader: 'js',
    }))
    // The engine's bytes are handed over by the module above; here they would be in the bundle twice.
    onLoad({ filter: /yoga-wasm-base64-esm\.js$/ }, ({ path: file }) => ({
      contents: fs.readFileSync(file, 'utf8').replace(wasm, 'data:application/octet-stream;base64,'),
      loader: 'js',
    }))
    onLoad({ filter: /ink[/\\]build[/\\]reconciler\.js$/ }, ({ path: file }) => ({
      contents: withoutDevtools(fs.readFileSync(file, 'utf8')),
      loader: 'js',
    }))
  },
}

const measuring = /node_modules[/\\](ink|widest-line|slice-ansi|cli-truncate|wrap-ansi)[/\\]/

// Ink measures every line of every frame. Taking a text apart into what a terminal shows as one character costs more than
// all the rest of drawing it, and loading what that takes 30 ms; letters, rules and bars of graphs take a column each.
const quickWidth = `
let exact
const narrow = /^[\\x20-\\x7e\\u2500-\\u25ff\\u2190-\\u21ff\\u2026\\u00b7\\u2248]*$/
export default (text, options) => {
  const bare = text.replace(/\\x1b\\[[\\d;]*m/g, '')
  return narrow.test(bare) ? bare.length : (exact ??= require('string-width').default)(text, options)
}
`

const wasm = /data:application\/octet-stream;base64,([\w+/=]+)/

const wasmOf = (file: string): string => {
  const [, base64] = wasm.exec(fs.readFileSync(file, 'utf8')) ?? []
  if (base64 === undefined) throw new Error(`${file} holds no WebAssembly as base64 any more`)
  return base64
}

const synchronousYoga = (base64: string): string => `
import loadYoga from '../binaries/yoga-wasm-base64-esm.js'
import wrapAssembly from './wrapAssembly.js'
const assembly = {
  instantiateWasm(imports, done) {
    done(new WebAssembly.Instance(new WebAssembly.Module(Buffer.from('${base64}', 'base64')), imports))
    return {}
  },
}
loadYoga(assembly)
export default wrapAssembly(assembly)
export * from './generated/YGEnums.js'
`

// Two blocks wait for the developers' tools: one loads them, the other reads the version to show in them.
const withoutDevtools = (text: string): string => {
  const condition = "process.env['DEV'] === 'true'"
  const waits = ["await import('./devtools.js')", 'await loadPackageJson()']
  if (!text.includes(condition) || !waits.every((wait) => text.includes(wait))) {
    throw new Error('ink loads its devtools in another way now')
  }
  return waits.reduce((rest, wait) => rest.replace(wait, '{}'), text.replaceAll(condition, 'false'))
}
