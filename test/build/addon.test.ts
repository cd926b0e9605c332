/** Where the binary's addon is unpacked: every start finds one that works, or says why none does. */
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { cacheFolders } from '../../cli/binary/addon.ts'

const root = path.resolve(import.meta.dirname, '../..')
const source = path.join(root, 'node_modules/better-sqlite3/prebuilds', `${process.platform}-${process.arch}.node`)
const file = 'addon-of-this-test.node'
const options = { skip: process.platform === 'linux' ? false : 'reads /proc/self/maps' }

interface Loaded {
  readonly one?: number
  readonly mapped?: string
  readonly error?: string
}

const run = promisify(execFile)

async function load(environment: Record<string, string>, prefix: string[] = []): Promise<Loaded> {
  const [program = '', ...parameters] = [...prefix, process.execPath, path.join(import.meta.dirname, 'load-addon.ts')]
  const { stdout } = await run(program, [...parameters, source, file], {
    env: { PATH: process.env.PATH, ...environment },
  })
  return JSON.parse(stdout)
}

function temporaryFolder(t: TestContext): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jobq-addon-'))
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  return folder
}

test('the addon is written once to the cache folder, for this user alone', options, async (t) => {
  const cache = temporaryFolder(t)
  const expected = path.join(cache, 'jobq', file)
  assert.deepEqual(await load({ XDG_CACHE_HOME: cache }), { one: 1, mapped: expected })
  const written = fs.statSync(expected)
  assert.equal(fs.statSync(path.dirname(expected)).mode & 0o777, 0o700)
  assert.equal(written.mode & 0o077, 0)
  assert.deepEqual(await load({ XDG_CACHE_HOME: cache }), { one: 1, mapped: expected })
  assert.equal(fs.statSync(expected).ino, written.ino, 'the second start wrote nothing')
  assert.deepEqual(fs.readdirSync(path.dirname(expected)), [file, `${file}.compared`])
})

test('starts at the same time share one file and leave nothing else behind', options, async (t) => {
  const cache = temporaryFolder(t)
  const all = await Promise.all(Array.from({ length: 6 }, () => load({ XDG_CACHE_HOME: cache })))
  for (const loaded of all) assert.equal(loaded.one, 1)
  assert.deepEqual(
    fs.readdirSync(path.join(cache, 'jobq')).filter((name) => !name.endsWith('.compared')),
    [file],
  )
  assert.ok(fs.readFileSync(path.join(cache, 'jobq', file)).equals(fs.readFileSync(source)))
})

const damages: Record<string, (target: string) => void> = {
  'a byte changed': (target) => {
    const bytes = fs.readFileSync(source)
    bytes[bytes.length - 7] = (bytes[bytes.length - 7] ?? 0) ^ 1
    fs.writeFileSync(target, bytes)
  },
  'the end missing': (target) => fs.writeFileSync(target, fs.readFileSync(source).subarray(0, 4096)),
  'nothing in it': (target) => fs.writeFileSync(target, ''),
  'a link planted in its place': (target) => fs.symlinkSync(path.join(path.dirname(target), '../elsewhere'), target),
}
for (const [damage, inflict] of Object.entries(damages)) {
  test(`a cached file is replaced: ${damage}`, options, async (t) => {
    const cache = temporaryFolder(t)
    fs.mkdirSync(path.join(cache, 'jobq'), { mode: 0o700 })
    fs.writeFileSync(path.join(cache, 'elsewhere'), 'not to be touched')
    const target = path.join(cache, 'jobq', file)
    inflict(target)
    assert.deepEqual(await load({ XDG_CACHE_HOME: cache }), { one: 1, mapped: target })
    assert.ok(fs.lstatSync(target).isFile())
    assert.ok(fs.readFileSync(target).equals(fs.readFileSync(source)))
    assert.equal(fs.readFileSync(path.join(cache, 'elsewhere'), 'utf8'), 'not to be touched')
  })
}

test('a cached file that is damaged after it was compared is replaced', options, async (t) => {
  const cache = temporaryFolder(t)
  const target = path.join(cache, 'jobq', file)
  for (let start = 0; start < 2; start++) await load({ XDG_CACHE_HOME: cache })
  assert.ok(fs.existsSync(`${target}.compared`))
  const { atime, mtime } = fs.statSync(target)
  damages['a byte changed']?.(target)
  fs.utimesSync(target, atime, mtime)
  assert.deepEqual(await load({ XDG_CACHE_HOME: cache }), { one: 1, mapped: target })
  assert.ok(fs.readFileSync(target).equals(fs.readFileSync(source)))
})

test('a folder that cannot be written to is passed over', options, async (t) => {
  const folder = temporaryFolder(t)
  fs.writeFileSync(path.join(folder, 'file'), '')
  fs.mkdirSync(path.join(folder, 'run'))
  const environment = {
    XDG_CACHE_HOME: path.join(folder, 'file'),
    HOME: path.join(folder, 'file/home'),
    TMPDIR: folder,
  }
  const inRun = { ...environment, XDG_RUNTIME_DIR: path.join(folder, 'run') }
  assert.equal((await load(inRun)).mapped, path.join(folder, 'run/jobq', file))
  assert.equal((await load(environment)).mapped, path.join(folder, `jobq-${process.getuid?.()}`, file))
})

test('a folder that is a link, or that others may write to, is not trusted as it is', options, async (t) => {
  const folder = temporaryFolder(t)
  fs.mkdirSync(path.join(folder, 'theirs'))
  fs.mkdirSync(path.join(folder, 'cache'))
  fs.symlinkSync(path.join(folder, 'theirs'), path.join(folder, 'cache/jobq'))
  const environment = { XDG_CACHE_HOME: path.join(folder, 'cache'), HOME: folder }
  assert.equal((await load(environment)).mapped, path.join(folder, '.cache/jobq', file))
  assert.deepEqual(fs.readdirSync(path.join(folder, 'theirs')), [])
  fs.chmodSync(path.join(folder, '.cache/jobq'), 0o777)
  assert.equal((await load(environment)).one, 1)
  assert.equal(fs.statSync(path.join(folder, '.cache/jobq')).mode & 0o777, 0o700)
})

test('a folder of another user is passed over', { skip: process.getuid?.() !== 0 && 'needs root' }, async (t) => {
  const folder = temporaryFolder(t)
  fs.mkdirSync(path.join(folder, 'jobq'), { mode: 0o700 })
  fs.chownSync(path.join(folder, 'jobq'), 65534, 65534)
  const loaded = await load({ XDG_CACHE_HOME: folder, HOME: path.join(folder, 'home') })
  assert.equal(loaded.mapped, path.join(folder, 'home/.cache/jobq', file))
})

test('without any folder named in the environment there is still one', options, async (t) => {
  const folder = temporaryFolder(t)
  const loaded = await load({ TMPDIR: folder, HOME: 'not/absolute' })
  assert.deepEqual(loaded, { one: 1, mapped: path.join(folder, `jobq-${process.getuid?.()}`, file) })
})

test('a file system that refuses programs is passed over', { skip: mountingIsImpossible() }, async (t) => {
  const folder = temporaryFolder(t)
  fs.mkdirSync(path.join(folder, 'noexec'))
  const mount = `mount -t tmpfs -o noexec tmpfs '${folder}/noexec' && exec "$@"`
  const loaded = await load({ XDG_CACHE_HOME: path.join(folder, 'noexec'), HOME: folder }, inOwnMounts(mount))
  assert.equal(loaded.mapped, path.join(folder, '.cache/jobq', file))
})

test('where nothing works the error names every folder and what to do', options, async (t) => {
  const folder = temporaryFolder(t)
  fs.writeFileSync(path.join(folder, 'file'), '')
  const nowhere = path.join(folder, 'file')
  const loaded = await load({ XDG_CACHE_HOME: nowhere, HOME: `${nowhere}/home`, TMPDIR: `${nowhere}/tmp` })
  for (const tried of [`${nowhere}/jobq`, `${nowhere}/home/.cache/jobq`, `${nowhere}/tmp`]) {
    assert.ok(loaded.error?.includes(`\n  ${tried}: `), `${tried} in ${loaded.error}`)
  }
  assert.match(loaded.error ?? '', /Set XDG_CACHE_HOME to a folder/)
})

test('the folders are tried from the most to the least lasting, each once, and only absolute ones', () => {
  const folders = cacheFolders({ XDG_CACHE_HOME: '/c', XDG_RUNTIME_DIR: '/r' })
  assert.equal(folders[0], path.join('/c', 'jobq'))
  assert.equal(folders.at(-2), path.join('/r', 'jobq'))
  assert.equal(folders.at(-1), path.join(os.tmpdir(), `jobq-${process.getuid?.() ?? 0}`))
  assert.equal(cacheFolders({ XDG_CACHE_HOME: 'relative', XDG_RUNTIME_DIR: '/r' }).includes('relative/jobq'), false)
  assert.equal(new Set(cacheFolders({ XDG_CACHE_HOME: '/r', XDG_RUNTIME_DIR: '/r' })).size, folders.length - 1)
})

function inOwnMounts(script: string): string[] {
  return ['unshare', '--mount', 'sh', '-c', script, 'sh']
}

function mountingIsImpossible(): string | false {
  const tried = spawnSync('unshare', ['--mount', 'sh', '-c', 'mount -t tmpfs tmpfs /mnt'], { stdio: 'ignore' })
  return tried.status === 0 ? false : 'this user cannot mount a file system here'
}
