// `npm run build:package`: the npm package's content in dist/package: the library as ES modules with its types, the
// command line, the entry of the pool's children, and the cases that a broker of one's own must pass. It runs on the user's
// own Node with the registry's better-sqlite3; everything else is bundled.
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { buildInfo } from '../cli/build-info.ts'
import { licensesFile } from '../cli/licenses.ts'
import { bundle, root } from './bundle.ts'
import { licensesText } from './licenses.ts'

const folder = path.join(root, 'dist', 'package')
const entries = {
  index: 'src/index.ts',
  conformance: 'test/broker/conformance/conformance.ts',
  jobq: 'cli/main.ts',
  'child-main': 'src/pool/child-main.ts',
}

fs.rmSync(folder, { recursive: true, force: true })
fs.mkdirSync(folder, { recursive: true })
// Libraries that are CommonJS ask for Node's own modules by `require`, which ES modules have not.
const require =
  "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);"
const { modules, packages } = await bundle(entries, buildInfo, {
  external: ['better-sqlite3'],
  target: 'node22',
  banner: { js: require },
})
for (const [name, text] of modules) {
  const isCommand = name === 'jobq.js'
  fs.writeFileSync(path.join(folder, name), isCommand ? `#!/usr/bin/env node\n${text}` : text, {
    mode: isCommand ? 0o755 : 0o644,
  })
}
fs.writeFileSync(path.join(folder, licensesFile), licensesText(packages))
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'build/tsconfig.package.json'], {
  cwd: root,
  stdio: ['ignore', 'inherit', 'inherit'],
})
// The sources import each other by their own names; beside the types, those would be missing. And better-sqlite3 has its
// types in a package of its own: where a user has not installed that, its database is of any type, instead of an error.
const declarations = fs.globSync('**/*.d.ts', { cwd: folder }).map((name) => path.join(folder, name))
for (const file of declarations) {
  const text = fs
    .readFileSync(file, 'utf8')
    .replace(/(from '|import\(')(\.[^']+)\.ts'/g, "$1$2.js'")
    .replace(/^(?=import .* from 'better-sqlite3')/gm, '// @ts-ignore\n')
  fs.writeFileSync(file, text)
}
console.log(`dist/package: ${modules.size} modules, ${declarations.length} files of types`)
