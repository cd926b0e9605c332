// libbz2 as a WebAssembly module. A bundle has no node_modules: build/bundle.ts replaces this module by one that holds
// what this one reads.
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

/** The bytes of the WebAssembly module. */
export const readBzip2Wasm = (): Uint8Array => {
  const main = createRequire(import.meta.url).resolve('bzip2-wasm')
  return fs.readFileSync(path.join(path.dirname(main), 'bzip2-1.0.8/bzip2.wasm'))
}
