import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { after, afterEach, beforeEach, describe, it } from 'node:test'
import { type Running, Workspace } from '../support/cli.ts'
import { until } from '../support/until.ts'

type Json = Record<string, unknown>

let workspace: Workspace
beforeEach(() => {
  workspace = new Workspace()
})
afterEach(() => workspace.remove())
after(() => workspace.remove())

const add = async (...parameters: string[]): Promise<number> =>
  Number(await workspace.output(['enqueue', ...parameters]))
const show = async (id: number): Promise<Json> => (await workspace.json(['show', String(id)])) as Json
const states = async (): Promise<unknown[]> =>
  ((await workspace.json(['ls', '--sort', 'oldest'])) as Json[]).map(({ state }) => state)

/** Starts a worker and resolves once it is up. */
const start = async (...parameters: string[]): Promise<Running> => {
  const running = workspace.start(['run', '-c', '1', ...parameters])
  await running.until(/is online/)
  return running
}

/** A command that says where it is in a file, and ends when told to by another. */
const gate = (name: string): { command: string[]; begun: Promise<void>; open(): void } => {
  const file = (what: string): string => path.join(workspace.folder, `${name}.${what}`)
  const watch = new Promise<void>((resolve) => {
    const watcher = fs.watch(workspace.folder, () => {
      if (!fs.existsSync(file('begun'))) return
      watcher.close()
      resolve()
    })
  })
  const line = `echo $$ > '${file('begun')}'; while [ ! -e '${file('open')}' ]; do sleep 0.02; done`
  return { command: ['--shell', line], begun: watch, open: () => fs.writeFileSync(file('open'), '') }
}

describe('jobq run --drain', () => {
  it('runs all that is due, tells a line a job, and exits 0', async () => {
    workspace.write('tasks/sum.ts', 'export default async (numbers: number[]) => numbers.reduce((a, b) => a + b, 0)\n')
    const sum = await add('sum', '[1,2,3]')
    const failing = await add('--', 'sh', '-c', 'exit 3')
    const later = await add('--delay', '1h', '--', 'true')
    const { code, stdout, stderr } = await workspace.run(['run', '--drain', '-c', '2'])
    assert.equal(code, 0, stderr)
    assert.equal(stdout, '')
    assert.match(stderr, new RegExp(`^\\S+Z info  job ${sum} sum \\(default\\): attempt 1 succeeded after`, 'm'))
    assert.match(
      stderr,
      new RegExp(`^\\S+Z error job ${failing} exec \\(default\\): attempt 1 failed for good .*exited with code 3`, 'm'),
    )
    assert.equal((await show(sum)).result, 6)
    assert.deepEqual([(await show(failing)).exitCode, (await show(later)).state], [3, 'queued'])
  })

  it('=all waits for retries and delays as well', async () => {
    const flaky = await add(
      '--retries',
      '1',
      '--backoff',
      'fixed:50ms',
      '--shell',
      'test -e again || { touch again; exit 1; }',
    )
    const later = await add('--delay', '300ms', '--', 'true')
    const { code } = await workspace.run(['run', '--drain=all', '-c', '1'])
    assert.equal(code, 0)
    assert.deepEqual(
      [(await show(flaky)).state, (await show(flaky)).attempt, (await show(later)).state],
      ['succeeded', 2, 'succeeded'],
    )
  })

  it('takes its settings from the environment too', async () => {
    const id = await add('-q', 'media', '--', 'true')
    const other = await add('-q', 'other', '--', 'true')
    const env = {
      JOBQ_DRAIN: '1',
      JOBQ_QUEUES: 'media',
      JOBQ_NAME: 'mine',
      JOBQ_LOG_FORMAT: 'json',
      JOBQ_CONCURRENCY: '1',
    }
    const { code, stderr } = await workspace.run(['run'], { env })
    assert.equal(code, 0, stderr)
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Json)
    const told = lines.find(({ job }) => job === id)
    assert.deepEqual([told?.type, told?.level, told?.queue, told?.attempt], ['job.succeeded', 'info', 'media', 1])
    assert.equal((await show(id)).worker, 'mine')
    assert.equal((await show(other)).state, 'queued')
  })

  it('says less where less is asked for', async () => {
    await add('--', 'true')
    const { code, stderr } = await workspace.run(['run', '--drain', '-c', '1', '--log-level', 'error'])
    assert.deepEqual([code, stderr], [0, ''])
  })

  it('shows what jobs are called and say escaped in its log', async () => {
    await add('--shell', 'printf "\\033[31m" >&2; exit 1')
    workspace.write('tasks/bad.js', 'export default () => { throw new Error("\\u001b[2J\\u202ex\\r\\ny") }\n')
    await add('bad')
    const { stderr } = await workspace.run(['run', '--drain', '-c', '1'])
    assert.match(stderr, /\\x1b\[2J\\u202ex\\r/)
    assert.doesNotMatch(stderr, /[\u001b\u202e\r]/)
  })

  it('empties queues strictly in their order, or by weight', async () => {
    for (const queue of ['low', 'low', 'high', 'high']) await add('-q', queue, '--', 'true')
    await workspace.run(['run', '--drain', '-c', '1', '-q', 'high,low', '--prefetch', '1'])
    const started = ((await workspace.json(['ls', '--sort', 'started'])) as Json[]).map(({ queue }) => queue).reverse()
    assert.deepEqual(started, ['high', 'high', 'low', 'low'])
    for (const queue of ['a', 'b']) await add('-q', queue, '--', 'true')
    const { code } = await workspace.run(['run', '--drain', '-c', '1', '-q', 'a:5,b:1'])
    assert.equal(code, 0)
    assert.deepEqual(new Set(await states()), new Set(['succeeded']))
  })
})

describe('signals', () => {
  it('TERM lets what runs finish, takes nothing more, and exits 0', async () => {
    const one = gate('one')
    const id = await add(...one.command)
    const next = await add('--', 'true')
    const worker = await start('--prefetch', '1')
    await one.begun
    worker.child.kill('SIGTERM')
    await worker.until('TERM: finishing')
    one.open()
    const { code, stderr } = await worker.ended
    assert.equal(code, 0, stderr)
    assert.deepEqual([(await show(id)).state, (await show(next)).state], ['succeeded', 'queued'])
    assert.deepEqual(await workspace.json(['workers']), [])
  })

  it('TERM gives back what outlasts --grace, keeps its attempt, and exits 1', async () => {
    const one = gate('one')
    const id = await add(...one.command)
    const worker = await start('--grace', '100ms')
    await one.begun
    worker.child.kill('SIGTERM')
    const { code, stderr } = await worker.ended
    assert.equal(code, 1, stderr)
    assert.match(stderr, /1 running job went back to the queue/)
    assert.deepEqual([(await show(id)).state, (await show(id)).error], ['queued', null])
    one.open()
    await workspace.output(['run', '--drain', '-c', '1'])
    assert.deepEqual([(await show(id)).state, (await show(id)).attempt], ['succeeded', 1])
  })

  const cold: readonly (readonly [signals: readonly NodeJS.Signals[], code: number])[] = [
    [['SIGINT', 'SIGINT'], 130],
    [['SIGQUIT'], 131],
  ]
  for (const [signals, expected] of cold) {
    it(`${signals.join(' and ')} gives back at once and exits ${expected}`, async () => {
      const one = gate('one')
      const id = await add(...one.command)
      const worker = await start()
      await one.begun
      await until('its start to be told', async () => (await show(id)).state === 'running')
      for (const [index, signal] of signals.entries()) {
        worker.child.kill(signal)
        if (index < signals.length - 1) await worker.until('INT: finishing')
      }
      const { code, stderr } = await worker.ended
      assert.equal(code, expected, stderr)
      assert.equal((await show(id)).state, 'queued')
      const pid = Number(fs.readFileSync(path.join(workspace.folder, 'one.begun'), 'utf8'))
      const stat = () => spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).stdout
      await until('its end', () => /^(Z|$)/.test(stat()))
    })
  }

  it('INT once is warm', async () => {
    const worker = await start()
    worker.child.kill('SIGINT')
    assert.equal((await worker.ended).code, 0)
  })

  it('USR1 dumps the state and goes on', async () => {
    const one = gate('one')
    const id = await add(...one.command)
    const worker = await start()
    await one.begun
    worker.child.kill('SIGUSR1')
    await worker.until(new RegExp(`state: .*"job":${id}`))
    one.open()
    assert.equal((await workspace.run(['wait', String(id)])).code, 0)
    worker.child.kill('SIGTERM')
    assert.equal((await worker.ended).code, 0)
  })
})

describe('a worker that cannot start', () => {
  it('says so: 78 for a file that is no broker', async () => {
    const file = workspace.write(
      'notes.txt',
      'these are my notes, not a database; they are long enough to look at. '.repeat(5),
    )
    const { code, stderr } = await workspace.run(['run', '-b', file])
    assert.equal(code, 78)
    assert.match(stderr, /notes\.txt/)
    assert.match(fs.readFileSync(file, 'utf8'), /^these are my notes/)
  })
})
