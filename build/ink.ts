// Lets ink and the layout engine under it become part of a bundle. A chunk of the binary is CommonJS, in which no module
// can wait while it loads; both wait at their top level for what need not be waited for.
import fs from 'node:fs'
import type { Plugin } from 'esbuild'

/** Replaces the three modules that wait. Each replacement fails the build where the module is not what it was. */
export const bundleInk: Plugin = {
  name: 'ink without top-level await',
  setup({ onLoad }) {
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
