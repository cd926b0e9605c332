import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, afterEach, beforeEach, describe, it } from 'node:test'
import { connect } from '../../src/index.ts'
import { type Running, Workspace } from '../support/cli.ts'
import { childrenOf, isStopped, signal } from '../support/processes.ts'
import { until } from '../support/until.ts'

type Json = Record<string, unknown>

let workspace: Workspace
beforeEach(() => {
  workspace = new Workspace()
})
afterEach(() => workspace.remove())
after(() => workspace.remove())

/** A task that notes its begin and ends once its gate is opened. */
const hold = `import fs from 'node:fs'
export default async ({ name }, job) => {
  fs.writeFileSync(name + '.begun', String(process.pid))
  while (!fs.existsSync(name + '.open')) {
    job.signal.throwIfAborted()
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
`

const start = async (...parameters: string[]): Promise<Running> => {
  workspace.write('tasks/hold.js', hold)
  const running = workspace.start(['run', ...parameters])
  await running.until(/is online/)
  return running
}

const add = async (...parameters: string[]): Promise<number> =>
  Number(await workspace.output(['enqueue', ...parameters]))

/** Adds a job of `hold` and resolves once it runs. */
const begin = async (name: string): Promise<{ readonly id: number; readonly pid: number; open(): void }> => {
  const id = await add('hold', JSON.stringify({ name: path.join(workspace.folder, name) }))
  const file = path.join(workspace.folder, `${name}.begun`)
  const pid = await until(`${name} to begin`, () => fs.existsSync(file) && (fs.readFileSync(file, 'utf8') || false))
  return { id, pid: Number(pid), open: () => workspace.write(`${name}.open`, '') }
}

const control = async (...parameters: string[]): Promise<Json[]> =>
  (await workspace.json(['control', ...parameters])) as Json[]
const workers = async (): Promise<Json[]> => (await workspace.json(['workers'])) as Json[]
const stateOf = async (id: number): Promise<unknown> => ((await workspace.json(['show', String(id)])) as Json).state
const reached = (id: number, state: string): Promise<unknown> =>
  until(`job ${id} to be ${state}`, async () => (await stateOf(id)) === state)

describe('jobq control', () => {
  it('grow and shrink change the number of children, one by default', async () => {
    await start('-c', '1', '--name', 'w')
    assert.equal(
      await workspace.output(['control', 'grow', '2']),
      `w\t${(await workers())[0]?.pid}\tfrom 1 to 3 children\n`,
    )
    assert.deepEqual((await workers())[0]?.size, 3)
    const [answer] = await control('shrink')
    const { pid, ...rest } = answer ?? {}
    assert.deepEqual(rest, { worker: 'w', ok: true, answered: true, verb: 'shrink', from: 3, to: 2 })
    assert.equal(pid, (await workers())[0]?.pid)
    const tooMany = await workspace.run(['control', 'shrink', '2'])
    assert.deepEqual([tooMany.code, tooMany.stdout], [1, ''])
    assert.match(tooMany.stderr, /^jobq: worker w \(pid \d+\): .*one child stays\n$/)
  })

  it('autoscale sets the bounds of a pool that was fixed', async () => {
    const worker = await start('-c', '1', '--name', 'w')
    assert.match(await workspace.output(['control', 'autoscale', '4,2']), /from 1 to 2 children/)
    await worker.until(/told to follow the load with 2 to 4 children\n/)
    assert.match(await workspace.output(['control', 'autoscale', '1,1']), /from 2 to 1 child\n/)
  })

  it('dump tells what each child does, as text and as JSON', async () => {
    const worker = await start('-c', '2', '--name', 'w')
    const job = await begin('one')
    const text = await workspace.output(['control', 'dump'])
    assert.match(text, new RegExp(`^worker w, pid ${worker.child.pid}: online for .*resident`))
    assert.match(
      text,
      new RegExp(`^ +${job.pid} busy with job ${job.id} \\(hold\\) for .*, 0 processed, .* resident$`, 'm'),
    )
    assert.match(text, /^ +\d+ idle for /m)
    assert.match(text, /^ +dispatcher: started/m)
    const [dump] = await control('dump')
    const { eventLoop, broker, jobs, pool, steps } = dump as Record<string, Json> & {
      readonly pool: { readonly children: readonly Json[] }
      readonly steps: readonly Json[]
    }
    assert.equal(typeof eventLoop?.delayMs, 'number')
    assert.deepEqual(broker, { url: `sqlite:${fs.realpathSync(workspace.database)}`, state: 'ok' })
    assert.equal(jobs?.inHand, 1)
    const busy = pool.children.find(({ pid }) => pid === job.pid)
    assert.deepEqual(
      [busy?.state, busy?.job, busy?.task, busy?.stuckMs, busy?.inFlight],
      ['busy', job.id, 'hold', null, 1],
    )
    assert.ok(steps.some(({ name, state }) => name === 'control' && state === 'started'))
    job.open()
  })

  it('drain finishes what runs and takes nothing more, until resume', async () => {
    await start('-c', '1', '--prefetch', '4', '--name', 'w')
    const one = await begin('one')
    const waiting = await add('hold', JSON.stringify({ name: path.join(workspace.folder, 'two') }))
    assert.match(await workspace.output(['control', 'drain']), /^w\t\d+\tdraining: 1 still at work\n$/)
    assert.deepEqual([(await workers())[0]?.status, (await workers())[0]?.busy], ['draining', 1])
    one.open()
    await reached(one.id, 'succeeded')
    const later = await add('hold', JSON.stringify({ name: path.join(workspace.folder, 'three') }))
    assert.match(await workspace.output(['control', 'drain']), /drained: nothing runs/)
    assert.deepEqual([await stateOf(waiting), await stateOf(later)], ['queued', 'queued'])
    workspace.write('two.open', '')
    workspace.write('three.open', '')
    assert.match(await workspace.output(['control', 'resume']), /takes jobs again/)
    await reached(later, 'succeeded')
    assert.equal(await stateOf(waiting), 'succeeded')
    assert.equal((await workers())[0]?.status, 'online')
  })

  it('stop finishes what runs and ends the worker, exit 0; it says so meanwhile', async () => {
    const worker = await start('-c', '1', '--name', 'w')
    const job = await begin('one')
    assert.match(await workspace.output(['control', 'stop']), /stopping: 1 still at work/)
    await until('the worker to be stopping', async () => (await workers())[0]?.status === 'stopping')
    const refused = await workspace.run(['control', 'drain'])
    assert.deepEqual([refused.code, refused.stdout], [1, ''])
    assert.match(refused.stderr, /the worker is stopping/)
    assert.equal((await control('stop'))[0]?.ok, true)
    job.open()
    assert.equal((await worker.ended).code, 0)
    assert.equal(await stateOf(job.id), 'succeeded')
    assert.deepEqual(fs.readdirSync(`${workspace.database}.control`), [])
  })

  it('reload has the next job run the new code; a mistake leaves the old code and exits 1', async () => {
    workspace.write('tasks/say.js', "export default () => 'old'\n")
    await start('-c', '1', '--name', 'w')
    workspace.write('tasks/say.js', "export default () => 'new'\n")
    assert.match(await workspace.output(['control', 'reload']), /^w\t\d+\t2 tasks reloaded\n$/)
    const resultOf = async (): Promise<unknown> => {
      const id = await add('--wait', 'say')
      return ((await workspace.json(['show', String(id)])) as Json).result
    }
    assert.equal(await resultOf(), 'new')
    workspace.write('tasks/say.js', "export default () => 'new\n")
    const { code, stdout, stderr } = await workspace.run(['control', 'reload'])
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, /worker w .*the old code of say goes on working\n.*say\.js:1: /)
    assert.equal(await resultOf(), 'new')
  })

  it('limits changes the time limits of a task', async () => {
    const worker = await start('-c', '1', '--name', 'w')
    assert.match(
      await workspace.output(['control', 'limits', 'hold', '--soft-time-limit', '50ms', '--time-limit', '1m']),
      /^w\t\d+\thold, soft time limit 50ms, time limit 1m\n$/,
    )
    await worker.until(/told to limit hold, soft time limit 50ms, time limit 1m\n/)
    const job = await begin('one')
    await reached(job.id, 'failed')
    const error = ((await workspace.json(['show', String(job.id)])) as { error: Json }).error
    assert.equal(error.type, 'SoftTimeLimitExceeded')
    assert.match(
      await workspace.output(['control', 'limits', 'hold', '--soft-time-limit', 'none']),
      /soft time limit none/,
    )
    assert.equal((await workspace.run(['control', 'limits', 'nobody', '--time-limit', '1s'])).code, 3)
    assert.equal(
      (await workspace.run(['control', 'limits', 'hold', '--soft-time-limit', '2m'])).code,
      1,
      'above the hard one',
    )
  })

  it('rate holds for a task that is yet to come, and says that nobody has had it', async () => {
    const early = await workspace.run(['control', 'rate', 'hodl', '5/s'])
    assert.deepEqual(
      [early.code, early.stdout, early.stderr],
      [0, 'hodl\t5/s\n', 'No worker has had a task hodl yet\n'],
    )
    await start('-c', '1')
    const close = await workspace.run(['control', 'rate', 'hodl'])
    assert.deepEqual(
      [close.stdout, close.stderr],
      ['hodl\t5/s\n', 'No worker has had a task hodl yet; did you mean hold?\n'],
    )
    for (const words of [
      ['hold', '5/s'],
      ['exec', '5/s'],
      ['hodl', 'none', '--quiet'],
    ]) {
      assert.equal((await workspace.run(['control', 'rate', ...words])).stderr, '')
    }
  })

  it('rate limits how often jobs of a task start, whoever works, and tells what is set', async () => {
    assert.equal(await workspace.output(['control', 'rate', 'hold', '1/d']), 'hold\t1/d\n')
    assert.deepEqual(await control('rate'), [{ task: 'hold', rate: '1/d' }])
    assert.equal(await workspace.output(['control', 'rate', 'other']), 'other\tnone\n')
    await start('-c', '2', '--name', 'w')
    const one = await begin('one')
    const two = await add('hold', JSON.stringify({ name: path.join(workspace.folder, 'two') }))
    one.open()
    await reached(one.id, 'succeeded')
    assert.equal((await workspace.run(['enqueue', '--wait', '--', 'true'])).code, 0)
    assert.equal(await stateOf(two), 'queued')
    workspace.write('two.open', '')
    assert.equal(await workspace.output(['control', 'rate', 'hold', 'none']), 'hold\tnone\n')
    await reached(two, 'succeeded')
  })

  it('reaches all workers, or those of a name', async () => {
    await Promise.all([start('-c', '1', '--name', 'a'), start('-c', '1', '--name', 'b')])
    assert.deepEqual((await control('resume')).map(({ worker }) => worker).sort(), ['a', 'b'])
    assert.deepEqual(
      (await control('grow', '--worker', 'b')).map(({ worker }) => worker),
      ['b'],
    )
    const sizes = Object.fromEntries((await workers()).map(({ name, size }) => [String(name), size]))
    assert.deepEqual(sizes, { a: 1, b: 2 })
    assert.equal(await workspace.output(['--quiet', 'control', 'drain', '--worker', 'a']), 'a\n')
  })

  it('exits 69 when no worker answers, 3 for an unknown one', async () => {
    const none = await workspace.run(['control', 'dump'])
    assert.deepEqual([none.code, none.stdout], [69, ''])
    assert.match(none.stderr, /no worker is running/)
    const worker = await start('-c', '1', '--name', 'w')
    const unknown = await workspace.run(['control', 'dump', '--worker', 'x'])
    assert.deepEqual([unknown.code, unknown.stdout], [3, ''])
    assert.match(unknown.stderr, /no worker is named "x"/)
    const pid = Number(worker.child.pid)
    signal(pid, 'SIGSTOP')
    await until('the worker to be stopped', () => isStopped(pid))
    const late = await workspace.run(['control', 'drain', '--timeout', '50ms'])
    assert.deepEqual([late.code, late.stdout], [69, ''])
    assert.match(late.stderr, /^jobq: worker w \(pid \d+\): it has not answered within 50ms\n$/)
    const listed = JSON.parse((await workspace.run(['control', 'drain', '--timeout', '50ms', '--json'])).stdout)
    assert.deepEqual(listed[0], {
      worker: 'w',
      pid,
      ok: false,
      answered: false,
      error: { code: 'timeout', message: 'it has not answered within 50ms' },
    })
    assert.equal((await workers())[0]?.name, 'w', 'workers lists it with what it said last')
    signal(pid, 'SIGCONT')
    assert.match(await workspace.output(['control', 'dump']), /: online for/, 'it does not drain now')
  })

  it('exits 69 when the worker is killed while it is asked', async () => {
    const worker = await start('-c', '1', '--name', 'w')
    const pid = Number(worker.child.pid)
    signal(pid, 'SIGSTOP')
    await until('the worker to be stopped', () => isStopped(pid))
    const connections = (): number => fs.readFileSync('/proc/net/unix', 'utf8').split(`${workspace.folder}/`).length - 1
    const before = connections()
    const asking = workspace.start(['control', 'dump', '--timeout', '1m'])
    await until('the question to be on its way', () => connections() > before)
    const children = childrenOf(pid)
    signal(pid, 'SIGKILL')
    const { code, stderr } = await asking.ended
    assert.equal(code, 69)
    assert.match(stderr, /^jobq: worker w \(pid \d+\): it (went away before it answered|is gone)\n$/)
    await until('its children to go', () => children.every((child) => !fs.existsSync(`/proc/${child}`)))
  })

  it('is answered by a worker that is busy with short jobs', async () => {
    workspace.write('tasks/quick.js', 'export default () => 1\n')
    const queue = await connect(workspace.database)
    for (let batch = 0; batch < 4; batch++) {
      await queue.enqueueMany(Array.from({ length: 50_000 }, () => ({ task: 'quick' })))
    }
    const worker = workspace.start(['run', '-c', '2', '--name', 'w', '--log-level', 'warn'])
    const dump = await until('a dump from the midst of it', async () => {
      const [answer] = await queue.control({ verb: 'dump' })
      const found = answer?.ok === true && answer.result.verb === 'dump' && answer.result
      return found && found.jobs.processed > 0 && found.jobs.inHand > 0 && found
    })
    assert.ok((await queue.counts()).queued > 0, 'there is still work to do')
    assert.equal(dump.worker, 'w')
    const [stopping] = await queue.control({ verb: 'stop' })
    assert.equal(stopping?.ok, true)
    assert.equal((await worker.ended).code, 0)
    assert.ok((await queue.counts()).queued > 0, 'it stopped before the end')
    await queue.close()
  })

  const wrong: readonly (readonly [words: string[], message: RegExp])[] = [
    [[], /missing required argument 'verb'/],
    [['explode'], /"explode" is not one of grow, shrink, autoscale/],
    [['grow', '0'], /grow: "0" is not a whole number from 1/],
    [['grow', '1', '2'], /"2" is one word too many/],
    [['autoscale'], /autoscale: "" is not MAX,MIN, such as 8,2/],
    [['autoscale', '1,2'], /autoscale: 1,2: MAX, which comes first, is less than MIN/],
    [['drain', 'now'], /"now" is one word too many/],
    [['limits'], /limits: of which task\?/],
    [['limits', 'a'], /limits: give --soft-time-limit/],
    [['limits', '../a', '--time-limit', '1s'], /"\.\.\/a" is not a name for a task/],
    [['limits', 'a', '--time-limit', '0'], /--time-limit: "0"/],
    [['drain', '--time-limit', '1s'], /go with the verb limits only/],
    [['rate', 'a', 'often'], /rate: "often" is not a rate \(such as 10\/s/],
    [['rate', 'a b', '1/s'], /rate: "a b" is not a name for a task/],
    [['rate', 'a', '1/s', 'more'], /"more" is one word too many/],
    [['rate', 'a', '1/s', '--worker', 'w'], /rate holds for all workers/],
    [['dump', '--worker', 'a b'], /--worker: "a b"/],
    [['dump', '--timeout', 'soon'], /--timeout: "soon"/],
  ]
  for (const [words, message] of wrong) {
    it(`refuses ${words.join(' ')}`, async () => {
      const { code, stdout, stderr } = await workspace.run(['control', ...words])
      assert.deepEqual([code, stdout], [2, ''])
      assert.match(stderr, message)
      assert.equal(fs.existsSync(workspace.database), false, 'nothing is written')
    })
  }
})
