import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type Running, Workspace } from '../support/cli.ts'

type Json = Record<string, unknown>

const workspace = new Workspace()
let worker: Running
before(async () => {
  workspace.write(
    'tasks/fine.js',
    'export default async (payload, job) => { job.progress(0.5, "half"); return payload }\n',
  )
  workspace.write('tasks/broken.js', 'export default () => { throw new Error("broken") }\n')
  workspace.write(
    'tasks/until.js',
    `import fs from 'node:fs'
export const options = { retries: 1, backoff: 'fixed:1ms' }
export default async (gate, job) => {
  for (let n = 0; !fs.existsSync(gate); n++) {
    job.progress((n % 100) / 100, 'not yet')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  if (job.attempt === 1) throw new Error('once')
  return { n: 1 }
}
`,
  )
  worker = workspace.start(['run', '-c', '2'])
  await worker.until(/is online/)
})
after(async () => {
  worker.child.kill('SIGTERM')
  assert.equal((await worker.ended).code, 0)
  await workspace.remove()
})

const add = async (...parameters: string[]): Promise<string> =>
  (await workspace.output(['enqueue', ...parameters])).trim()

describe('jobq wait', () => {
  const ends: readonly (readonly [what: string, job: readonly string[], code: number])[] = [
    ['a command that succeeded', ['--', 'true'], 0],
    ['a command that failed', ['--', 'sh', '-c', 'exit 7'], 7],
    ['a command that was killed', ['--', 'sh', '-c', 'kill -KILL $$'], 137],
    ['a command that is not there', ['--', 'no-such-program'], 4],
    ['a task that succeeded', ['fine', '1'], 0],
    ['a task that failed', ['broken'], 4],
    ['a task that no worker has', ['nobody/knows'], 4],
  ]
  for (const [what, job, code] of ends) {
    it(`exits ${code} for ${what}, also through enqueue --wait`, async () => {
      const id = await add(...job)
      const waited = await workspace.run(['wait', id])
      assert.equal(waited.code, code, waited.stderr)
      assert.match(waited.stdout, new RegExp(`^${id}\t(succeeded|failed)\t`))
      assert.equal((await workspace.run(['enqueue', '--wait', ...job])).code, code)
    })
  }

  it('exits 0 for several that succeeded, 4 if one did not, and prints them in order', async () => {
    const [a, b, c] = [await add('--', 'true'), await add('fine'), await add('--', 'sh', '-c', 'exit 7')]
    const fine = await workspace.run(['wait', a, b])
    assert.deepEqual([fine.code, fine.stdout.split('\n').map((line) => line.split('\t')[0])], [0, [a, b, '']])
    const mixed = await workspace.run(['wait', a, c, '--json'])
    assert.equal(mixed.code, 4)
    assert.deepEqual(
      (JSON.parse(mixed.stdout) as Json[]).map(({ id, state }) => [String(id), state]),
      [
        [a, 'succeeded'],
        [c, 'failed'],
      ],
    )
  })

  it('gives up after --timeout, does not wait with --no-wait, and needs one only with --any', async () => {
    const slow = await add('--delay', '1h', '--', 'true')
    const done = await add('--', 'true')
    const late = await workspace.run(['wait', slow, '--timeout', '50ms'])
    assert.equal(late.code, 124)
    assert.match(late.stderr, new RegExp(`job ${slow} is queued`))
    assert.equal((await workspace.run(['wait', slow, '--no-wait'])).code, 8)
    assert.equal((await workspace.run(['wait', slow, done, '--any'])).code, 0)
    assert.equal((await workspace.run(['wait', done, '--no-wait'])).code, 0)
  })

  it('exits 3 for a job that does not exist', async () => {
    const { code, stdout, stderr } = await workspace.run(['wait', '999999'])
    assert.deepEqual([code, stdout], [3, ''])
    assert.match(stderr, /no job 999999/)
    assert.equal((await workspace.run(['wait', '9007199254740991'])).code, 3)
  })

  it('exits 4 for one that is cancelled meanwhile', async () => {
    const id = await add('--delay', '1h', '--', 'true')
    const waiting = workspace.start(['wait', id, '--progress'])
    await workspace.output(['cancel', id])
    assert.equal((await waiting.ended).code, 4)
  })

  it('tells with --progress what happens, as a stream of events', async () => {
    const gate = path.join(workspace.folder, 'gate')
    const id = await add('until', JSON.stringify(gate))
    const waiting = workspace.start(['wait', id, '--progress', '--json'])
    // From the first event that it has told of on, it misses none.
    await waiting.until(/job\.progress/, 'stdout')
    fs.writeFileSync(gate, '')
    assert.equal((await waiting.ended).code, 0)
    const lines = waiting.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Json)
    const types = lines.flatMap(({ type }) => (typeof type === 'string' ? [type] : []))
    assert.deepEqual(
      types.filter((type) => type !== 'job.progress'),
      ['job.retried', 'job.started', 'job.succeeded'],
    )
    assert.deepEqual([lines.at(-1)?.state, lines.at(-1)?.result], ['succeeded', { n: 1 }])
  })
})

describe('jobq enqueue --wait --follow', () => {
  it('prints what the job writes, each stream to its own, and exits as it did', async () => {
    const line = 'echo one; echo two >&2; printf "\\033[1mthree"; exit 5'
    const { code, stdout, stderr } = await workspace.run(['enqueue', '--wait', '--follow', '--shell', line])
    assert.deepEqual({ code, stdout, stderr }, { code: 5, stdout: 'one\n\\x1b[1mthree', stderr: 'two\n' })
    const raw = await workspace.run(['enqueue', '--wait', '--follow', '--raw', '--shell', line])
    assert.deepEqual([raw.code, raw.stdout], [5, 'one\n\u001b[1mthree'])
  })

  it('gives the command its input byte by byte', async () => {
    const bytes = Buffer.from([0xef, 0xbb, 0xbf, 0x61, 0x00, 0xff, 0x0a])
    workspace.write('input.bin', bytes)
    for (const [parameters, input] of [
      [['--stdin', 'input.bin'], ''],
      [['--stdin', '-'], bytes],
    ] as const) {
      const line = ['enqueue', '--wait', '--follow', ...parameters, '--', 'od', '-An', '-tx1']
      assert.equal(await workspace.output(line, { input }), ' ef bb bf 61 00 ff 0a\n')
    }
    workspace.write('empty', '')
    assert.equal(await workspace.output(['enqueue', '--wait', '--follow', '--stdin', 'empty', '--', 'wc', '-c']), '0\n')
    workspace.write('marked', '\ufefftext')
    assert.equal(
      await workspace.output(['enqueue', '--wait', '--follow', '--stdin', 'marked', '--', 'wc', '-c']),
      '7\n',
    )
  })

  it('waits for all of a batch', async () => {
    const batch = (lines: string): Promise<{ code: number | null }> =>
      workspace.run(['enqueue', '--batch', '--wait'], { input: lines })
    assert.equal((await batch('{"argv":["true"]}\n{"task":"fine"}')).code, 0)
    assert.equal((await batch('{"argv":["true"]}\n{"argv":["false"]}')).code, 4)
  })
})
