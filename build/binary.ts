// `npm run build`: one executable with everything inside, dist/jobq; with a platform, such as `linux-arm64`, one for
// that in dist/<platform>/. It is a copy of the pinned Node runtime with a blob injected: a loader, the scripts that it
// loads on demand, V8's code cache for all of them, and SQLite's native addon. Node itself makes the blob and postject
// injects it.
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { BuildOptions } from 'esbuild'
import { addonAsset } from '../cli/binary/embedded-addon.ts'
import { type BuildInfo, buildInfo } from '../cli/build-info.ts'
import { licensesFile } from '../cli/licenses.ts'
import { bundle, root } from './bundle.ts'
import { makeExecutable } from './executable.ts'
import { licensesText, type Notice } from './licenses.ts'
import { makeCodeCache, makeScript } from './scripts.ts'
import { hostPlatform, runtimeVersion, setupRuntimeLicense } from './setup.mjs'

const platform = process.argv[2] ?? hostPlatform
const isHost = platform === hostPlatform
const output = path.join(root, 'dist', isHost ? '' : platform, platform.startsWith('win32') ? 'jobq.exe' : 'jobq')
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jobq-build-'))

try {
  const began = performance.now()
  await makeExecutable({ platform, output, folder, ...(await writeContents()) })
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  const megabytes = Math.round(fs.statSync(output).size / 1e6)
  console.log(`${path.relative(root, output)}: ${megabytes} MB, Node ${runtimeVersion(platform)}, in ${seconds} s`)
} finally {
  fs.rmSync(folder, { recursive: true, force: true })
}

async function writeContents(): Promise<{ main: string; assets: Record<string, string> }> {
  const addon = path.join(root, 'node_modules/better-sqlite3/prebuilds', `${platform}.node`)
  const info = { ...buildInfo, addon: nameOfAddon(addon) }
  const { modules, packages } = await bundleModules(info)
  const licenses = licensesText(packages, [nodeNotice(), sqliteNotice(info)])
  const assets: Record<string, string> = { [addonAsset]: addon, [licensesFile]: write(licensesFile, licenses) }
  const main = await makeScript(modules.get('main.js') ?? '')
  modules.delete('main.js')
  for (const [name, text] of modules) {
    const script = await makeScript(text)
    assets[name] = write(name, script)
    // A code cache is of one V8 on one architecture: only this machine's own can be made here.
    if (isHost) assets[`${name}.cache`] = write(`${name}.cache`, makeCodeCache(script))
  }
  const loader = fs.readFileSync(path.join(root, 'build/loader.js'), 'utf8')
  return { main: write('loader.cjs', `const hasCache = ${isHost}\nconst main = ${main}\n${loader}`), assets }
}

// What main.ts answers without the rest of the command line is bundled apart: loading one script takes a millisecond less
// than loading the ten that it shares with others.
async function bundleModules(info: BuildInfo): Promise<{ modules: Map<string, string>; packages: Set<string> }> {
  const options: BuildOptions = { define: { 'import.meta.url': '""' }, external: ['./lean/*'] }
  const main = await bundle({ main: 'cli/main.ts' }, info, options)
  const modules = new Map(main.modules)
  const packages = new Set(main.packages)
  for (const file of fs.globSync('lean/*.ts', { cwd: path.join(root, 'cli') })) {
    const lean = await bundle({ lean: `cli/${file}` }, info, options)
    for (const [name, text] of lean.modules) modules.set(name === 'lean.js' ? file : name, text)
    for (const each of lean.packages) packages.add(each)
  }
  return { modules, packages }
}

function nodeNotice(): Notice {
  const text = fs.readFileSync(setupRuntimeLicense(platform), 'utf8')
  return { name: 'Node.js', version: runtimeVersion(platform), license: 'MIT, and those of what it contains', text }
}

function sqliteNotice({ sqlite }: BuildInfo): Notice {
  const text = 'SQLite is in the public domain: https://www.sqlite.org/copyright.html'
  return { name: 'SQLite', version: sqlite, license: 'public domain', text }
}

function nameOfAddon(file: string): string {
  const hash = createHash('sha256').update(fs.readFileSync(file)).digest('hex').slice(0, 16)
  const { version } = JSON.parse(fs.readFileSync(path.join(root, 'node_modules/better-sqlite3/package.json'), 'utf8'))
  return `better-sqlite3-${version}-${platform}-${hash}.node`
}

function write(name: string, content: string | Buffer): string {
  const file = path.join(folder, name)
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(file, content)
  return file
}
