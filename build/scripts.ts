// The binary's scripts: the modules of a bundle as CommonJS functions, which the loader calls, and V8's code cache of
// each.
import v8 from 'node:v8'
import vm from 'node:vm'
import { transform } from 'esbuild'
import { v8Options } from '../src/pool/child-program.ts'

// Scripts inside the binary are not files that `import()` could find, so it becomes `require()`, which the loader answers.
const supported = { 'dynamic-import': false }

/** The text of an ES module as a script whose value is a function of `module`, `exports` and `require`. ASCII only. */
export async function makeScript(text: string): Promise<string> {
  const { code } = await transform(text, { format: 'cjs', platform: 'node', charset: 'ascii', supported })
  const direct = code.replace(/__toESM\(require\(("node:[\w/]+")\)\)/g, 'require.builtin($1)')
  return `(function (module, exports, require) {${direct}\n})`
}

/** The code cache of a script, with all of its functions, for the Node that runs this. */
export function makeCodeCache(script: string): Buffer {
  // The flags at the time of creation are part of a cache, which V8 rejects where they are not the binary's.
  for (const option of v8Options) v8.setFlagsFromString(option)
  // V8 compiles functions when they are first called; in a cache they are worth having before.
  v8.setFlagsFromString('--no-lazy')
  const compiled = new vm.Script(script)
  v8.setFlagsFromString('--lazy')
  return compiled.createCachedData()
}
