/** The npm package: what `npm pack` makes, installed in a folder of its own with the registry's better-sqlite3. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { conformanceCases } from '../broker/conformance/conformance.ts'

const root = path.resolve(import.meta.dirname, '../..')
const run = promisify(execFile)

const application = `
import { connect, defineTask, JobqError } from 'jobq'
const queue = await connect('sqlite:queue.db')
const id = await queue.enqueue(['echo', 'hello'])
const job = await queue.get(id)
console.log(JSON.stringify({ id, state: job?.state, error: new JobqError('usage', 'x').code, task: typeof defineTask }))
await queue.close()
`
const typed = `
import { connect, defineTask } from 'jobq'
const greet = defineTask({ run: (payload: { name: string }) => payload.name.length })
const queue = await connect('sqlite:queue.db')
const id: number = await queue.enqueue('greet', { name: 'Ada' })
export { greet, id }
`
describe('the npm package', () => {
  let folder: string
  before(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jobq-package-'))
    await run(process.execPath, [path.join(root, 'build/package.ts')], { cwd: root })
    await npm(root, 'pack', '--pack-destination', folder)
    const archive = fs.readdirSync(folder).find((name) => name.endsWith('.tgz'))
    fs.writeFileSync(path.join(folder, 'package.json'), '{ "name": "application", "type": "module", "private": true }')
    await npm(folder, 'install', `./${archive}`)
    fs.cpSync(path.join(root, 'test/fixtures/own-broker.ts'), path.join(folder, 'own-broker.ts'))
  })
  after(() => fs.rmSync(folder, { recursive: true, force: true }))

  test('brings its one dependency and nothing else', () => {
    const installed = fs.readdirSync(path.join(folder, 'node_modules')).filter((name) => !name.startsWith('.'))
    assert.deepEqual(installed.sort(), ['better-sqlite3', 'jobq', 'node-addon-api'])
  })

  test('has the licenses of what is bundled in it, and not of what it depends on', async () => {
    const command = path.join(folder, 'node_modules/jobq/dist/package/jobq.js')
    const { stdout: text } = await run(process.execPath, [command, 'help', 'licenses'])
    assert.match(text, /^ {2}ink [\d.]+ +MIT$/m)
    assert.doesNotMatch(text, /^ {2}(better-sqlite3|Node\.js) /m)
  })

  test('is a library', async () => {
    fs.writeFileSync(path.join(folder, 'application.js'), application)
    const { stdout } = await run(process.execPath, ['application.js'], { cwd: folder })
    assert.deepEqual(JSON.parse(stdout), { id: 1, state: 'queued', error: 'usage', task: 'function' })
  })

  test('has types that a strict project accepts', async () => {
    fs.writeFileSync(path.join(folder, 'typed.ts'), typed)
    const options = [
      '--strict',
      '--noEmit',
      '--module',
      'nodenext',
      '--target',
      'es2023',
      '--exactOptionalPropertyTypes',
    ]
    const types = ['--types', 'node', '--typeRoots', path.join(root, 'node_modules/@types')]
    const compiler = path.join(root, 'node_modules/typescript/bin/tsc')
    await run(process.execPath, [compiler, ...options, ...types, 'typed.ts', 'own-broker.ts'], { cwd: folder }).catch(
      (error) => {
        assert.fail(error.stdout)
      },
    )
  })

  test("brings the cases that a broker of one's own must pass", async () => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const cases = async (...parameters: string[]): Promise<string[]> => {
      const script = ['--test-reporter=tap', 'own-broker.ts', ...parameters]
      // What it prints is what counts; it ends with 1 where a case fails.
      const { stdout } = await run(process.execPath, script, { cwd: folder, env }).catch((error) => error)
      return [...String(stdout).matchAll(/^((?:not )?ok) \d+ - (.*)$/gm)].map(([, end, name]) => `${end}: ${name}`)
    }
    assert.deepEqual(
      await cases(),
      conformanceCases.map(({ name }) => `ok: ${name.replaceAll('#', '\\#')}`),
    )
    const failed = (await cases('unsound')).filter((each) => each.startsWith('not ok'))
    assert.ok(failed.includes('not ok: extend answers for each lease in its order'), failed.join('\n'))
  })

  test('has the whole command line, which runs jobs', async () => {
    fs.mkdirSync(path.join(folder, 'tasks'))
    const task = "import { defineTask } from 'jobq'\nexport default defineTask({ run: (n: number) => n * 2 })\n"
    fs.writeFileSync(path.join(folder, 'tasks/double.ts'), task)
    const env = { PATH: process.env.PATH, JOBQ_BROKER: path.join(folder, 'cli.db') }
    const script = path.join(folder, 'node_modules/jobq/dist/package/jobq.js')
    const jobq = async (...parameters: string[]) => {
      const { stdout } = await run(process.execPath, [script, ...parameters], { cwd: folder, env })
      return stdout
    }
    assert.ok(fs.existsSync(path.join(folder, 'node_modules/.bin/jobq')))
    assert.equal(JSON.parse(await jobq('version', '--json')).node, process.versions.node)
    assert.equal(await jobq('enqueue', 'double', '21'), '1\n')
    assert.equal(await jobq('enqueue', '--', 'echo', 'hello'), '2\n')
    await jobq('run', '--drain', '-c', '1', '--http', '0')
    assert.equal(JSON.parse(await jobq('show', '1', '--json')).result, 42)
    assert.equal(await jobq('logs', '2'), 'hello\n')
  })
})

async function npm(cwd: string, ...parameters: string[]): Promise<void> {
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  await run('npm', [...parameters, ...quiet], { cwd, shell: process.platform === 'win32' })
}
