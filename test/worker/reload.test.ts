// Workers whose tasks change under them: real files, real children, and the moments when something is told.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { JobqEvent } from '../../src/event.ts'
import type { WorkerOptions } from '../../src/worker/worker.ts'
import { until } from '../support/until.ts'
import { openSite, type Site } from './site.ts'

/** A task whose result is a version. */
const version = (value: unknown): string => `export default () => ${JSON.stringify(value)}\n`

interface Editor extends Site {
  /** Writes a file beside or under `tasks`. */
  write(name: string, text: string): void
  rename(from: string, to: string): void
  remove(name: string): void
  /** What a job of the task gives. */
  result(task: string): Promise<unknown>
  /** The reloads so far, however they went. */
  reloads(): Promise<readonly JobqEvent[]>
  /** Resolves with the given reload, from 1. */
  reloaded(count: number): Promise<JobqEvent>
}

const open = async (
  context: TestContext,
  files: Readonly<Record<string, string>>,
  options: Partial<WorkerOptions> = { watch: true },
): Promise<Editor> => {
  const site = await openSite(context)
  const place = (name: string): string => path.join(site.folder, name)
  const editor: Editor = {
    ...site,
    write(name, text) {
      fs.mkdirSync(path.dirname(place(name)), { recursive: true })
      fs.writeFileSync(place(name), text)
    },
    rename: (from, to) => fs.renameSync(place(from), place(to)),
    remove: (name) => fs.rmSync(place(name), { recursive: true }),
    async result(task) {
      const id = await site.queue.enqueue(task)
      await until(`job ${id} of ${task} to end`, async () => (await site.job(id)).finishedAt !== null)
      const { result, error } = await site.job(id)
      return error === null ? result : error.type
    },
    reloads: async () => (await site.events()).filter(({ type }) => type === 'tasks.reloaded'),
    reloaded: (count) => until(`reload ${count}`, async () => (await editor.reloads())[count - 1] ?? false),
  }
  for (const [name, text] of Object.entries(files)) editor.write(name, text)
  await site.start(options)
  return editor
}

describe('a reload', () => {
  it('lets a running job end with its old code while the next one runs the new, and jobs in hand go over unspent', async (context) => {
    const site = await open(context, { 'tasks/v.js': version(1) }, { watch: true, prefetch: 5 })
    const running = await site.queue.enqueue('hold')
    await site.noted(running, 'began')
    const waiting = await Promise.all([1, 2, 3].map(() => site.queue.enqueue('v')))
    site.write('tasks/v.js', version(2))
    const { data } = await site.reloaded(1)
    assert.deepEqual([data.loaded, data.problems], [true, []])
    for (const id of waiting) {
      const job = await site.reached(id, 'succeeded')
      assert.deepEqual([job.result, job.attempt], [2, 1])
    }
    assert.equal((await site.job(running)).state, 'running')
    site.open(running)
    const { attempt } = await site.reached(running, 'succeeded')
    assert.equal(attempt, 1)
    assert.deepEqual(
      site.effects().filter((line) => line.startsWith(`${running} `)),
      [`${running} 1 began`, `${running} 1 ended`],
    )
  })

  it('follows what the tasks import, two files deep and lazily', async (context) => {
    const site = await open(context, {
      'tasks/v.ts': "import { value } from '../lib/one.ts'\nexport default () => value\n",
      'lib/one.ts': "export { value } from './two.ts'\n",
      'lib/two.ts': 'export const value: number = 1\n',
      'tasks/lazy.js': "export default async () => (await import('../lib/late.cjs')).default\n",
      'lib/late.cjs': "module.exports = require('./later')\n",
      'lib/later.js': "module.exports = 'early'\n",
    })
    assert.equal(await site.result('v'), 1)
    site.write('lib/two.ts', 'export const value: number = 2\n')
    await site.reloaded(1)
    assert.equal(await site.result('v'), 2)
    assert.equal(await site.result('lazy'), 'early')
    site.write('lib/later.js', "module.exports = 'late'\n")
    await site.reloaded(2)
    assert.equal(await site.result('lazy'), 'late')
  })

  it('that does not load leaves the old code working and says where, until the mistake is gone', async (context) => {
    const site = await open(context, {
      'tasks/v.js': "import { value } from '../value.js'\nexport default () => value\n",
      'value.js': 'export const value = 1\n',
    })
    site.write('value.js', '\n\nexport const value = = 2\n')
    const { data } = await site.reloaded(1)
    assert.equal(data.loaded, false)
    assert.match(JSON.stringify(data.problems), /v\.js.*value\.js:3: Unexpected token/)
    assert.ok(site.said.some(({ level, message = '' }) => level === 'error' && /value\.js:3: Unexp/.test(message)))
    assert.equal(await site.result('v'), 1)
    site.write('tasks/v.js', 'export default () => {\n')
    const { problems } = (await site.reloaded(2)).data
    assert.match(JSON.stringify(problems), /"file":"[^"]*v\.js","line":\d/)
    assert.equal(await site.result('v'), 1)
    site.write('tasks/v.js', version(3))
    assert.equal((await site.reloaded(3)).data.loaded, true)
    assert.equal(await site.result('v'), 3)
  })

  it('that was refused outlives the death of a child: what takes its place has all tasks, or is not taken', async (context) => {
    const site = await openSite(context, { 'v.js': version(1) })
    const file = path.join(site.folder, 'tasks', 'v.js')
    const worker = await site.start({ concurrency: 2 })
    fs.writeFileSync(file, 'export default (\n')
    assert.equal((await worker.reload('a mistake')).loaded, false)
    const [first] = (worker.info().pool as { children: { pid: number }[] }).children
    process.kill(first?.pid ?? 0, 'SIGKILL')
    await until('a child that is not taken', async () =>
      (await site.events()).some(({ type, data }) => type === 'child.exited' && data.reason === 'not-started'),
    )
    const ids = await Promise.all(Array.from({ length: 20 }, () => site.queue.enqueue('v')))
    for (const id of ids) assert.equal((await site.reached(id, 'succeeded')).result, 1)
    fs.writeFileSync(file, version(2))
    assert.equal((await worker.reload('mended')).loaded, true)
    assert.equal((await site.reached(await site.queue.enqueue('v'), 'succeeded')).result, 2)
    await until('two children', () => {
      const { children } = worker.info().pool as { children: { state: string }[] }
      return children.filter(({ state }) => state === 'idle').length === 2
    })
  })

  it('that was refused outlives the wear of all children: they go on, until others can load the tasks', async (context) => {
    const site = await openSite(context, {
      'v.js': version(1),
      'grow.js': 'const kept = []\nexport default () => { kept.push(Buffer.alloc(300e6, 1)); return kept.length }\n',
    })
    const file = path.join(site.folder, 'tasks', 'v.js')
    const worker = await site.start({ maxTasksPerChild: 2, maxMemoryPerChild: '250M' })
    const [first] = (worker.info().pool as { children: { pid: number }[] }).children
    const grown = async () => (await site.reached(await site.queue.enqueue('grow'), 'succeeded')).result
    fs.writeFileSync(file, 'export default (\n')
    assert.equal((await worker.reload('a mistake')).loaded, false)
    assert.equal(await grown(), 1)
    for (let run = 0; run < 5; run++) {
      const id = await site.queue.enqueue('v')
      await until(`run ${run} to end`, async () => (await site.job(id)).finishedAt !== null)
      assert.equal((await site.job(id)).result, 1)
    }
    assert.equal(((await worker.info().pool) as { children: { pid: number }[] }).children[0]?.pid, first?.pid)
    fs.writeFileSync(file, version(2))
    assert.equal((await worker.reload('mended')).loaded, true)
    assert.equal((await site.reached(await site.queue.enqueue('v'), 'succeeded')).result, 2)
  })

  it('waits for an import that is missing to appear', async (context) => {
    const site = await open(context, { 'tasks/v.js': version(1) })
    site.write('tasks/v.js', "import value from '../soon/value.js'\nexport default () => value\n")
    const { data } = await site.reloaded(1)
    assert.equal(data.loaded, false)
    assert.match(JSON.stringify(data.problems), /Cannot find module/)
    assert.equal(await site.result('v'), 1)
    site.write('soon/value.js', 'export default 2\n')
    assert.equal((await site.reloaded(2)).data.loaded, true)
    assert.equal(await site.result('v'), 2)
  })

  it('is refused where two files have one name, or a fresh child dies of it', async (context) => {
    const site = await open(context, { 'tasks/v.js': version(1) })
    site.write('tasks/v.ts', version(2))
    const doubled = (await site.reloaded(1)).data
    assert.equal(doubled.loaded, false)
    assert.match(JSON.stringify(doubled.problems), /'v' is also the name of/)
    site.remove('tasks/v.ts')
    assert.equal((await site.reloaded(2)).data.loaded, true)
    site.write('tasks/v.js', `process.exit(3)\n${version(3)}`)
    const dead = (await site.reloaded(3)).data
    assert.equal(dead.loaded, false)
    assert.match(String(dead.message), /exited with code 3/)
    assert.equal(await site.result('v'), 1)
  })

  it('finds new tasks, and forgets deleted ones only when it is done', async (context) => {
    const site = await open(context, { 'tasks/v.js': version(1), 'tasks/more/one.js': version('one') })
    site.write('tasks/more/two.js', version('two'))
    assert.deepEqual((await site.reloaded(1)).data.added, ['more/two'])
    assert.equal(await site.result('more/two'), 'two')
    site.remove('tasks/v.js')
    assert.equal(await site.result('v'), 1)
    assert.deepEqual((await site.reloaded(2)).data.removed, ['v'])
    assert.equal(await site.result('v'), 'UnknownTask')
    site.rename('tasks/more', 'tasks/other')
    const { added, removed } = (await site.reloaded(3)).data
    assert.deepEqual(
      [added, removed],
      [
        ['other/one', 'other/two'],
        ['more/one', 'more/two'],
      ],
    )
    assert.equal(await site.result('other/one'), 'one')
  })

  it('comes once for many saves, for a save through another file, and for a file that is deleted and comes back', async (context) => {
    const site = await open(context, { 'tasks/v.js': version(0) })
    for (let value = 1; value <= 20; value++) site.write('tasks/v.js', version(value))
    await site.reloaded(1)
    assert.equal(await site.result('v'), 20)
    site.write('tasks/.v.js.tmp', version(21))
    site.rename('tasks/.v.js.tmp', 'tasks/v.js')
    await site.reloaded(2)
    assert.equal(await site.result('v'), 21)
    site.remove('tasks/v.js')
    await new Promise((resolve) => setTimeout(resolve, 50))
    site.write('tasks/v.js', version(22))
    const { data } = await site.reloaded(3)
    assert.deepEqual([data.added, data.removed], [[], []])
    assert.equal(await site.result('v'), 22)
    assert.equal((await site.reloads()).length, 3)
  })

  it('is for content that changes: not for a touch, a package, or what no task is made of', async (context) => {
    const site = await open(context, {
      'tasks/v.js': "import { value } from 'pack'\nexport default () => value\n",
      'tasks/node_modules/pack/index.js': 'exports.value = 1\n',
      'tasks/_notes.md': 'one\n',
    })
    const touch = new Date(Date.now() + 5_000)
    fs.utimesSync(path.join(site.folder, 'tasks/v.js'), touch, touch)
    site.write('tasks/node_modules/pack/index.js', 'exports.value = 2\n')
    site.write('tasks/_notes.md', 'two\n')
    site.write('tasks/other.js', version(1))
    const { data } = await site.reloaded(1)
    assert.match(String(data.reason), /^changed: [^,]*other\.js$/)
    await site.result('v')
    assert.equal((await site.reloads()).length, 1)
  })

  it('follows links, and what is to be watched besides', async (context) => {
    const site = await openSite(context)
    const at = (name: string): string => path.join(site.folder, name)
    fs.mkdirSync(at('real'))
    fs.writeFileSync(at('real/linked.js'), version(1))
    fs.writeFileSync(at('real/other.js'), version(5))
    fs.symlinkSync(at('real/linked.js'), at('tasks/linked.js'))
    fs.mkdirSync(at('templates/deep'), { recursive: true })
    fs.writeFileSync(at('templates/deep/page.txt'), 'one')
    const fromFile = `import fs from 'node:fs'\nconst text = fs.readFileSync('${at('templates/deep/page.txt')}', 'utf8')\nexport default () => text\n`
    fs.writeFileSync(at('tasks/page.js'), fromFile)
    await site.start({ watch: { include: [at('templates')] } })
    const reloads = async () => (await site.events()).filter(({ type }) => type === 'tasks.reloaded').length
    const run = async (task: string) => (await site.reached(await site.queue.enqueue(task), 'succeeded')).result
    fs.writeFileSync(at('real/linked.js'), version(2))
    await until('the reload of a linked file', async () => (await reloads()) === 1)
    assert.equal(await run('linked'), 2)
    fs.rmSync(at('tasks/linked.js'))
    fs.symlinkSync(at('real/other.js'), at('tasks/linked.js'))
    await until('the reload of another link', async () => (await reloads()) === 2)
    assert.equal(await run('linked'), 5)
    fs.writeFileSync(at('templates/deep/page.txt'), 'two')
    await until('the reload of an included file', async () => (await reloads()) === 3)
    assert.equal(await run('page'), 'two')
  })

  it('loses no save that comes while it loads, even behind one that never finishes loading', async (context) => {
    const site = await open(context, { 'tasks/v.js': version(1) })
    const loads = path.join(site.folder, 'loads')
    const endless = `import fs from 'node:fs'\nfs.writeFileSync('${loads}', '')\nwhile (true);\n${version(2)}`
    site.write('tasks/v.js', endless)
    await until('the endless load', () => fs.existsSync(loads))
    assert.equal(await site.result('v'), 1)
    site.write('tasks/v.js', version(3))
    const { data } = await site.reloaded(1)
    assert.equal(data.loaded, true)
    assert.equal(await site.result('v'), 3)
  })

  it('is had without watching too, and says what came of it', async (context) => {
    const site = await openSite(context, { 'v.js': version(1) })
    const file = path.join(site.folder, 'tasks', 'v.js')
    const worker = await site.start({ concurrency: 2 })
    const run = async () => (await site.reached(await site.queue.enqueue('v'), 'succeeded')).result
    fs.writeFileSync(file, version(2))
    assert.equal(await run(), 1)
    const reports = await Promise.all([worker.reload('one'), worker.reload('two')])
    for (const { loaded, problems } of reports) assert.deepEqual([loaded, problems], [true, []])
    assert.equal(await run(), 2)
    const reloads = (await site.events()).filter(({ type }) => type === 'tasks.reloaded')
    assert.deepEqual(
      reloads.map(({ data }) => data.reason),
      ['one; two'],
    )
    fs.writeFileSync(file, 'export default (\n')
    const refused = await worker.reload('three')
    assert.deepEqual([refused.loaded, refused.problems.map((problem) => problem.file)], [false, [file]])
    assert.equal(await run(), 2)
    const loads = path.join(site.folder, 'loads')
    fs.writeFileSync(file, `import fs from 'node:fs'\nfs.writeFileSync('${loads}', '')\nwhile (true);\n`)
    const cut = worker.reload('cut short')
    await until('the endless load', () => fs.existsSync(loads))
    await worker.stop()
    assert.match((await cut).message, /not reloaded: the worker is stopping/)
    assert.ok(site.said.every(({ level, message = '' }) => level !== 'error' || !/cut short|killed/.test(message)))
    await assert.rejects(worker.reload('four'), { code: 'conflict' })
  })
})
