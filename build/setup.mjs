// Installs what the scripts of this repository need: the packages of package-lock.json, and the pinned Node runtime
// that everything here runs on. Plain JavaScript without dependencies, because it must run on the Node (20 or newer)
// that a machine happens to have. Quiet when there is nothing to do, and safe to run several times at once: whoever
// gets the lock installs, the others wait for it.
import { spawnSync } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const modules = path.join(root, 'node_modules')
const stamp = path.join(modules, '.setup-stamp')
const lock = path.join(root, '.setup-lock')
const runtimes = JSON.parse(fs.readFileSync(path.join(root, 'build', 'runtimes.json'), 'utf8'))

/** The platform that this machine's runtime is installed for, such as `linux-x64`. */
export const hostPlatform = `${process.platform}-${process.arch}`

/** Installs packages and this machine's runtime when they are missing; returns the path of the runtime. */
export function setup() {
  const version = runtimeVersion(hostPlatform)
  const runtime = runtimePath(hostPlatform, version)
  if (!isInstalled() || !fs.existsSync(runtime)) {
    holdingLock(() => {
      if (!isInstalled()) installPackages()
      if (!fs.existsSync(runtime)) installRuntime(hostPlatform, version)
    })
  }
  return runtime
}

/** Installs the runtime of a platform, of its pinned version or another one, when it is missing; returns its path. */
export function setupRuntime(platform, version = runtimeVersion(platform)) {
  const runtime = runtimePath(platform, version)
  if (!fs.existsSync(runtime)) {
    holdingLock(() => {
      if (!fs.existsSync(runtime)) installRuntime(platform, version)
    })
  }
  return runtime
}

/** The path of the license of a platform's runtime, with those of all that Node bundles; installs it when it is missing. */
export function setupRuntimeLicense(platform) {
  const version = runtimeVersion(platform)
  const license = licensePath(runtimePath(platform, version))
  if (!fs.existsSync(license)) {
    holdingLock(() => {
      if (!fs.existsSync(license)) installRuntime(platform, version)
    })
  }
  return license
}

/** The exact Node version that is pinned for a platform, such as `24.21.0`. */
export function runtimeVersion(platform) {
  return runtimeOf(platform).version
}

function runtimeOf(platform, version) {
  const runtime = runtimes.find((one) => one.platform === platform && (version ?? one.version) === one.version)
  if (runtime === undefined) {
    const known = runtimes.map((one) => `${one.platform} ${one.version}`).join(', ')
    throw new Error(`no Node runtime is known for ${platform} ${version ?? ''} (known: ${known})`)
  }
  return runtime
}

function runtimePath(platform, version) {
  const { file } = runtimeOf(platform, version)
  return path.join(modules, '.runtime', `${version}-${platform}`, path.basename(file))
}

function licensePath(runtime) {
  return path.join(path.dirname(runtime), 'LICENSE')
}

function lockfileHash() {
  return createHash('sha256')
    .update(fs.readFileSync(path.join(root, 'package-lock.json')))
    .digest('hex')
}

function isInstalled() {
  return fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === lockfileHash()
}

function installPackages() {
  console.error('setup: installing packages')
  npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], root)
  fs.writeFileSync(stamp, lockfileHash())
}

function installRuntime(platform, version) {
  const { package: name, file, integrity } = runtimeOf(platform, version)
  console.error(`setup: installing the Node ${version} runtime for ${platform}`)
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jobq-setup-'))
  try {
    npm(['pack', `${name}@${version}`, '--loglevel=error', '--pack-destination', folder], folder)
    const archive = fs.readdirSync(folder).find((entry) => entry.endsWith('.tgz'))
    const bytes = fs.readFileSync(path.join(folder, archive ?? ''))
    const found = `sha512-${createHash('sha512').update(bytes).digest('base64')}`
    if (found !== integrity) throw new Error(`${name}@${version}: expected ${integrity}, found ${found}`)
    const target = runtimePath(platform, version)
    const archived = gunzipSync(bytes)
    fs.mkdirSync(path.dirname(target), { recursive: true })
    replaceFile(licensePath(target), fileOfArchive(archived, 'package/LICENSE'), 0o644)
    replaceFile(target, fileOfArchive(archived, `package/${file}`), 0o755)
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

function replaceFile(file, content, mode) {
  const temporary = `${file}.${randomUUID()}`
  fs.writeFileSync(temporary, content, { mode })
  fs.renameSync(temporary, file)
}

// A tar archive is a sequence of 512-byte headers, each followed by its file, padded to 512 bytes.
function fileOfArchive(archive, wanted) {
  for (let at = 0; at + 512 <= archive.length; ) {
    const text = (from, length) => archive.toString('utf8', at + from, at + from + length).replace(/\0.*$/s, '')
    const size = Number.parseInt(text(124, 12).trim() || '0', 8)
    if (text(0, 100) === wanted) return archive.subarray(at + 512, at + 512 + size)
    at += 512 + Math.ceil(size / 512) * 512
  }
  throw new Error(`${wanted} is not in the archive`)
}

function npm(parameters, cwd) {
  // npm tells the scripts it runs where it is itself; on Windows it cannot be started without a shell otherwise.
  const own = process.env.npm_execpath?.endsWith('.js') ? process.env.npm_execpath : undefined
  const [command, all] = own ? [process.execPath, [own, ...parameters]] : ['npm', parameters]
  const shell = own === undefined && process.platform === 'win32'
  const result = spawnSync(command, all, { cwd, encoding: 'utf8', shell, maxBuffer: 1 << 26 })
  if (result.status !== 0) {
    const output = `${result.error?.message ?? ''}${result.stderr ?? ''}`.split('\n').slice(0, 20).join('\n')
    throw new Error(`npm ${parameters[0]} failed\n${output}`)
  }
}

function holdingLock(work) {
  while (!takeLock()) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
  try {
    work()
  } finally {
    fs.rmSync(lock, { force: true })
  }
}

function takeLock() {
  try {
    fs.writeFileSync(lock, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    removeStaleLock()
    return false
  }
}

function removeStaleLock() {
  try {
    const age = Date.now() - fs.statSync(lock).mtimeMs
    const owner = Number(fs.readFileSync(lock, 'utf8'))
    if (owner > 0) process.kill(owner, 0)
    else if (age > 5000) fs.rmSync(lock, { force: true })
  } catch (error) {
    // ESRCH: its owner died; ENOENT: it was released meanwhile.
    if (error.code === 'ESRCH') fs.rmSync(lock, { force: true })
    else if (error.code !== 'ENOENT' && error.code !== 'EPERM') throw error
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setup()
