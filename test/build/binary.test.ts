/** The built binary, alone in a folder of its own on a path with spaces, as somebody has copied it there. */
import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { runtimeVersion } from '../../build/setup.mjs'

const root = path.resolve(import.meta.dirname, '../..')
const built = path.join(root, 'dist', process.platform === 'win32' ? 'jobq.exe' : 'jobq')
const platform = `${process.platform}-${process.arch}`
const run = promisify(execFile)

const taskFiles: Record<string, string> = {
  'typed.ts': "import { defineTask } from 'jobq'\nexport default defineTask({ run: (n: number): number => n + 1 })\n",
  'typed-module.mts':
    "import { defineTask } from 'jobq'\nexport default defineTask({ run: async (n: number) => n + 1 })\n",
  'typed-commonjs.cts':
    "const { defineTask } = require('jobq')\nmodule.exports = defineTask({ run: (n: number) => n + 1 })\n",
  'plain.mjs': "import { one } from 'own-package'\nexport default async (n) => n + one\n",
  'commonjs.cjs':
    "const { Fail } = require('jobq')\nmodule.exports = (n) => { if (!n) throw new Fail('no'); return n + 1 }\n",
}

describe('the binary', () => {
  let folder: string
  let binary: string
  let environment: Record<string, string>

  before(() => {
    assert.ok(fs.existsSync(built), 'dist/jobq is missing: npm run build')
    folder = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'jobq-binary-')), 'a folder with späces')
    fs.mkdirSync(path.join(folder, 'tmp'), { recursive: true })
    binary = path.join(folder, path.basename(built))
    fs.copyFileSync(built, binary)
    environment = {
      TMPDIR: path.join(folder, 'tmp'),
      XDG_CACHE_HOME: path.join(folder, 'cache'),
      JOBQ_BROKER: 'queue.db',
    }
  })
  after(() => fs.rmSync(path.dirname(folder), { recursive: true, force: true }))

  const jobq = async (parameters: string[], more: Record<string, string | undefined> = {}): Promise<string> => {
    const env = { PATH: process.env.PATH, ...environment, ...more }
    const { stdout, stderr } = await run(binary, parameters, { cwd: folder, env })
    assert.equal(stderr, '')
    return stdout
  }

  test('has the licenses of what it contains, of Node and SQLite too', async () => {
    const text = await jobq(['help', 'licenses'])
    assert.match(text, new RegExp(`^  Node\\.js ${runtimeVersion(platform).replaceAll('.', '\\.')} +MIT`, 'm'))
    assert.match(text, /^ {2}SQLite 3\.\d+\.\d+ +public domain$/m)
    assert.match(text, /^ {2}better-sqlite3 [\d.]+ +MIT$/m)
    for (const part of ['Joshua Wise', 'OpenSSL', 'the V8 project authors', 'Meta Platforms', 'Julian R Seward']) {
      assert.ok(text.includes(part), part)
    }
  })

  test('says what it was built from', async () => {
    const { version } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'))
    const document = JSON.parse(await jobq(['version', '--json']))
    const { commit, sqlite, ...rest } = document
    assert.deepEqual(rest, { version, node: runtimeVersion(platform), platform })
    assert.match(sqlite, /^3\.\d+\.\d+$/)
    const head = commitOf(root)
    if (head !== null) assert.match(commit, /^[0-9a-f]{40}(-dirty)?$/)
    assert.ok((await jobq(['version'])).startsWith(`jobq ${version} (`))
    assert.equal(await jobq(['--version']), await jobq(['version']))
    assert.deepEqual(JSON.parse(await jobq(['--json', 'version'])), document, 'the long way says the same')
  })

  test('refuses what version does not take', async () => {
    await assert.rejects(jobq(['version', '--colour']), { code: 2 })
  })

  test("is not touched by the options of the user's own Node", async () => {
    const plain = await jobq(['version'])
    assert.equal(await jobq(['version'], { NODE_OPTIONS: '--no-such-option --require /nowhere.js' }), plain)
    assert.match(await jobq(['enqueue', '--', 'true'], { NODE_OPTIONS: '--max-http-header-size=no' }), /^\d+\n$/)
  })

  test('names itself once in a systemd unit, by whatever name it was called', async () => {
    const env = { ...environment, PATH: `${folder}:${process.env.PATH}` }
    for (const [file, cwd] of [
      [binary, folder],
      [`.${path.sep}${path.basename(binary)}`, folder],
      [path.basename(binary), os.tmpdir()],
    ] as const) {
      const { stdout } = await run(file, ['systemd', '-b', '/q.db'], { cwd, env })
      assert.ok(stdout.includes(`\nExecStart="${binary}" run --broker /q.db\n`), stdout)
    }
  })

  test('unpacks its addon once, and again when it was damaged', async () => {
    assert.match(await jobq(['enqueue', '--', 'true']), /^\d+\n$/)
    const cache = path.join(folder, 'cache/jobq')
    const [file = '', ...others] = fs.readdirSync(cache).filter((name) => !name.endsWith('.compared'))
    assert.deepEqual(others, [])
    assert.match(file, new RegExp(`^better-sqlite3-[\\d.]+-${platform}-[0-9a-f]{16}\\.node$`))
    const genuine = fs.readFileSync(path.join(cache, file))
    fs.writeFileSync(path.join(cache, file), genuine.subarray(0, genuine.length / 2))
    assert.match(await jobq(['enqueue', '--', 'true']), /^\d+\n$/)
    assert.ok(fs.readFileSync(path.join(cache, file)).equals(genuine))
  })

  test('works without a home, and where no cache can be kept', async () => {
    const nowhere = { HOME: undefined, XDG_CACHE_HOME: '/dev/null', XDG_RUNTIME_DIR: undefined }
    assert.match(await jobq(['enqueue', '--', 'true'], nowhere), /^\d+\n$/)
    assert.equal(fs.readdirSync(path.join(folder, 'tmp')).filter((name) => name.startsWith('jobq-')).length <= 1, true)
  })

  test('starts several times at once on an empty cache and a new file', async () => {
    const fresh = { XDG_CACHE_HOME: path.join(folder, 'fresh'), JOBQ_BROKER: 'fresh.db' }
    const ids = await Promise.all(Array.from({ length: 6 }, () => jobq(['enqueue', '--', 'true'], fresh)))
    assert.deepEqual(ids.map(Number).sort(), [1, 2, 3, 4, 5, 6])
  })

  test('runs task files of every kind with the library inside it and their own packages', async () => {
    const tasks = path.join(folder, 'tasks')
    fs.mkdirSync(path.join(folder, 'node_modules/own-package'), { recursive: true })
    fs.writeFileSync(path.join(folder, 'node_modules/own-package/index.js'), 'exports.one = 1\n')
    fs.mkdirSync(tasks)
    for (const [name, text] of Object.entries(taskFiles)) fs.writeFileSync(path.join(tasks, name), text)
    const queue = { JOBQ_BROKER: 'tasks.db' }
    const names = Object.keys(taskFiles).map((file) => file.replace(/\..*$/, ''))
    for (const name of names) await jobq(['enqueue', name, '41'], queue)
    await run(binary, ['run', '--drain', '-c', '1'], {
      cwd: folder,
      env: { PATH: process.env.PATH, ...environment, ...queue },
    })
    const jobs: { task: string; result: unknown }[] = JSON.parse(await jobq(['ls', '--json'], queue))
    const results = Object.fromEntries(jobs.map(({ task, result }) => [task, result]))
    assert.deepEqual(results, Object.fromEntries(names.map((name) => [name, 42])))
  })
})

function commitOf(folder: string): string | null {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  } catch {
    return null
  }
}
