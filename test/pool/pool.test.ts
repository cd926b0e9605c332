import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { until as eventually } from '../support/until.ts'
import { jobOf, startPool, untilFile, untilGone } from './pool-fixture.ts'

const files = {
  'noop.mjs': 'export default async () => {}',
  'pause.mjs': 'export default (ms) => new Promise((resolve) => setTimeout(resolve, ms))',
  'wait.mjs': `import fs from 'node:fs'; export default async (file) => { fs.writeFileSync(file, ''); await new Promise((resolve) => setTimeout(resolve, 1e6)) }`,
  'heed.mjs': `export default (payload, { signal }) => new Promise((resolve, reject) => signal.addEventListener('abort', () => payload === 'finish' ? resolve(1) : reject(signal.reason)))`,
  'reason.mjs': `export default async (payload, job) => { await new Promise((resolve) => job.signal.addEventListener('abort', resolve)); const pending = await job.heartbeat().catch((error) => error.name); job.log(job.signal.reason.name + ' ' + pending) }`,
  'busy.mjs': `import fs from 'node:fs'; export default (file) => { fs.writeFileSync(file, ''); for (;;); }`,
  'print.mjs': `import fs from 'node:fs'; export default (payload, job) => { console.log('one'); console.error('two'); job.log('three'); process.stdout.write(Buffer.from('four\\n')); process.stderr.write('five\\n'); console.log('six') }`,
  'raw.mjs': `import fs from 'node:fs'; export default async () => { fs.writeSync(1, 'raw out\\n'); fs.writeSync(2, 'raw err\\n') }`,
  'late.mjs': `export default () => { console.log('in time'); setTimeout(() => console.log('late'), 30) }`,
  'hold.mjs': `import fs from 'node:fs'; export default async (file) => { while (!fs.existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 5)) }`,
  'title.mjs': `export default () => process.title`,
}

test('jobs run one at a time, in their order', async (context) => {
  const { child, until, told } = await startPool(context, {
    'count.mjs': `let inside = 0, most = 0; export default async (payload) => { most = Math.max(most, ++inside); if (payload % 7 === 0) await new Promise(setImmediate); inside--; return [payload, most] }`,
  })
  const jobs = Array.from({ length: 3_000 }, (_, n) => jobOf('count', n))
  for (let at = 0; at < jobs.length; at += 500) child().run(jobs.slice(at, at + 500))
  assert.equal(child().state, 'busy')
  await until('ended', ({ job }) => job === jobs.at(-1))
  const ended = told.flatMap((each) => (each.type === 'ended' ? [each] : []))
  assert.deepEqual(
    ended.map(({ job }) => job),
    jobs,
  )
  assert.deepEqual(ended.at(-1)?.outcome, { type: 'succeeded', result: '[2999,1]' })
  assert.deepEqual([child().state, child().inFlight, child().processed], ['idle', 0, 3_000])
  for (const { startedAt, at, pid } of ended) assert.ok(startedAt !== null && at >= startedAt && pid === child().pid)
})

test('short jobs are not announced, others are, and then nothing that came before is held back', async (context) => {
  const { child, until, told, outcomeOf } = await startPool(context, files)
  const warmUp = Array.from({ length: 200 }, () => jobOf('noop'))
  child().run(warmUp)
  await until('ended', ({ job }) => job === warmUp.at(-1))
  await outcomeOf(jobOf('pause', 0))
  const short = Array.from({ length: 50 }, () => jobOf('noop'))
  const long = jobOf('pause', 60)
  child().run([...short, long, jobOf('noop')])
  await until('started', ({ job }) => job === long)
  const jobs = (type: 'ended' | 'started') => told.flatMap((each) => (each.type === type ? [each.job] : []))
  assert.deepEqual(jobs('ended').slice(-50), short)
  assert.ok(jobs('started').filter(({ task }) => task === 'noop').length < 50)
  assert.equal(child().state, 'busy')
})

test('what short jobs did is told while an unexpectedly slow one waits', async (context) => {
  const { child, until, outcomeOf } = await startPool(context, {
    'either.mjs': 'export default (ms) => ms ? new Promise((resolve) => setTimeout(resolve, ms)) : undefined',
  })
  for (let n = 0; n < 5; n++) await outcomeOf(jobOf('either', 0))
  const [first, slow] = [jobOf('either', 0), jobOf('either', 1e6)]
  child().run([first, slow])
  await until('ended', ({ job }) => job === first)
  await until('started', ({ job }) => job === slow)
})

test('recall gives back what has not begun', async (context) => {
  const { child, until, folder } = await startPool(context, files)
  const jobs = [jobOf('wait', path.join(folder, 'w')), jobOf('noop'), jobOf('noop')]
  child().run(jobs)
  await untilFile(path.join(folder, 'w'))
  child().recall()
  const { ids } = await until('returned')
  assert.deepEqual(
    ids,
    jobs.slice(1).map(({ id }) => id),
  )
  assert.equal(child().inFlight, 1)
})

test('a waiting job is cancelled, or given back, without having run', async (context) => {
  const { child, until, folder } = await startPool(context, files)
  const [running, cancelled, returned, last] = ['wait', 'noop', 'noop', 'noop'].map((task) =>
    jobOf(task, path.join(folder, 'w')),
  )
  assert.ok(running && cancelled && returned && last)
  child().run([running, cancelled, returned, last])
  child().end(cancelled.id, 'cancelled')
  child().end(returned.id, 'shutdown')
  const end = await until('ended', ({ job }) => job === cancelled)
  assert.deepEqual(
    [end.startedAt, end.pid, end.outcome],
    [null, null, { type: 'cancelled', reason: 'cancelled before it started' }],
  )
  assert.deepEqual((await until('returned')).ids, [returned.id])
  assert.equal(child().inFlight, 2)
})

test('a running task is aborted with the reason; the first cause decides, however it ends', async (context) => {
  const { child, until, outputOf } = await startPool(context, files)
  for (const [payload, first, second, outcome] of [
    ['throw', 'cancelled', 'shutdown', 'cancelled'],
    ['finish', 'cancelled', 'shutdown', 'cancelled'],
    ['throw', 'shutdown', 'cancelled', 'returned'],
    ['finish', 'shutdown', 'cancelled', 'returned'],
  ] as const) {
    const job = jobOf('heed', payload)
    child().run([job])
    await until('started', (started) => started.job === job)
    child().end(job.id, first)
    child().end(job.id, second)
    const end = await until('ended', (ended) => ended.job === job)
    assert.equal(end.outcome.type, outcome)
    if (end.outcome.type === 'returned') assert.equal(end.outcome.started, true)
  }
  for (const [cause, name] of [
    ['cancelled', 'Cancelled'],
    ['shutdown', 'ShuttingDown'],
  ] as const) {
    const job = jobOf('reason')
    child().run([job])
    await until('started', (started) => started.job === job)
    child().end(job.id, cause)
    await until('ended', (ended) => ended.job === job)
    assert.equal(outputOf(job), `${name} ${name}\n`)
  }
  child().end(12_345_678, 'cancelled')
})

for (const task of ['wait', 'busy']) {
  test(`a task that does not heed its signal (${task}) is killed with its child; only it is cancelled`, async (context) => {
    const { child, until, folder } = await startPool(context, files, { killAfterMs: 100 })
    const [job, other] = [jobOf(task, path.join(folder, 'w')), jobOf('noop')]
    child().run([job, other])
    await untilFile(path.join(folder, 'w'))
    await until('started')
    child().end(job.id, 'cancelled')
    const end = await until('ended')
    assert.deepEqual(end.outcome, { type: 'cancelled', reason: 'cancelled while it ran' })
    const started = await until('started')
    assert.deepEqual([end.startedAt, end.pid], [started.at, started.pid])
    const exit = await until('exited')
    assert.deepEqual([exit.expected, exit.signal], [true, 'SIGKILL'])
    assert.deepEqual(exit.jobs, [])
    assert.deepEqual((await until('returned')).ids, [other.id])
    assert.equal(exit.replacedInMs, 0)
  })
}

test('a short task that suddenly never ends is killed when cancelled', async (context) => {
  const { child, until, outcomeOf, folder } = await startPool(
    context,
    {
      'either.mjs': `import fs from 'node:fs'; export default (file) => { if (file) { fs.writeFileSync(file, ''); for (;;); } }`,
    },
    { killAfterMs: 100 },
  )
  for (let n = 0; n < 5; n++) await outcomeOf(jobOf('either', null))
  const job = jobOf('either', path.join(folder, 'w'))
  child().run([job])
  await untilFile(path.join(folder, 'w'))
  child().end(job.id, 'cancelled')
  const { outcome } = await until('ended', (ended) => ended.job === job)
  assert.equal(outcome.type, 'cancelled')
})

test('a cancelled job behind a blocked one does not cost that one its child', async (context) => {
  const { child, until, told, folder } = await startPool(
    context,
    { ...files, 'block.mjs': 'export default (ms) => { const end = Date.now() + ms; while (Date.now() < end); }' },
    { killAfterMs: 50 },
  )
  const [blocked, waiting] = [jobOf('block', 400), jobOf('noop', folder)]
  child().run([blocked, waiting])
  await until('started', ({ job }) => job === blocked)
  child().end(waiting.id, 'cancelled')
  assert.equal((await until('ended', ({ job }) => job === blocked)).outcome.type, 'succeeded')
  assert.equal((await until('ended', ({ job }) => job === waiting)).outcome.type, 'cancelled')
  assert.ok(!told.some(({ type }) => type === 'exited'))
})

test('what a task prints is its output, in order; the worker sees none of it', async (context) => {
  const { outcomeOf, outputOf, outputFolder, told } = await startPool(context, files)
  const [printing, raw, quiet, late] = [jobOf('print'), jobOf('raw'), jobOf('noop'), jobOf('late')]
  await outcomeOf(printing)
  assert.equal(outputOf(printing), 'one\ntwo\nthree\nfour\nfive\nsix\n')
  assert.equal(outputOf(printing, 'stderr'), 'two\nfive\n')
  await outcomeOf(raw)
  await outcomeOf(quiet)
  assert.deepEqual([outputOf(raw, 'stdout'), outputOf(raw, 'stderr')], ['raw out\n', 'raw err\n'])
  await outcomeOf(late)
  while (outputOf(late) !== 'in time\nlate\n') await outcomeOf(jobOf('pause', 5))
  assert.ok(!told.some(({ type }) => type === 'output'))
  const names = fs.readdirSync(outputFolder, { recursive: true, encoding: 'utf8' })
  assert.ok(!names.some((name) => name.includes(`${quiet.id}.1`)))
})

test('what is printed outside of any job goes to the worker', async (context) => {
  const { until } = await startPool(context, { 'a.mjs': `console.log('while loading'); export default () => {}` })
  assert.equal((await until('output')).text, 'while loading\n')
})

test('without a place for output, tasks run on and commands say what is wrong', async (context) => {
  const { outcomeOf } = await startPool(context, files, { outputFolder: '/dev/null/logs' })
  assert.equal((await outcomeOf(jobOf('print'))).type, 'succeeded')
  const outcome = await outcomeOf(jobOf('exec', { argv: ['true'] }))
  assert.ok(outcome.type === 'failed' && outcome.error.type === 'SpawnError')
  assert.match(outcome.error.message, /ENOTDIR.*\/dev\/null\/logs/)
})

test('signals of a terminal and of a service manager do not end children', async (context) => {
  const { child, until, pool, told, outcomeOf } = await startPool(context, files)
  assert.deepEqual(await outcomeOf(jobOf('title')), { type: 'succeeded', result: '"jobq child"' })
  const job = jobOf('pause', 50)
  child().run([job])
  await until('started', (started) => started.job === job)
  for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM', 'SIGQUIT'] as const) process.kill(child().pid, signal)
  assert.equal((await until('ended', (ended) => ended.job === job)).outcome.type, 'succeeded')
  assert.ok(!told.some(({ type }) => type === 'exited'))
  assert.equal(pool.children.length, 1)
})

test('resize grows at once, shrinks idle children first and lets busy ones finish', async (context) => {
  const { pool, until, told, folder } = await startPool(context, files, { size: 2 })
  const [busy, idle] = pool.children
  assert.ok(busy && idle)
  pool.resize(3)
  await until('ready', () => told.filter(({ type }) => type === 'ready').length === 3)
  assert.equal(pool.children.length, 3)
  const go = path.join(folder, 'go')
  const [job, waiting] = [jobOf('hold', go), jobOf('noop')]
  busy.run([job, waiting])
  pool.resize(1)
  assert.deepEqual(
    pool.children.map(({ state }) => state),
    ['busy', 'stopping', 'stopping'],
  )
  await until('exited', () => told.filter(({ type }) => type === 'exited').length === 2)
  assert.deepEqual(pool.children, [busy])
  pool.resize(0)
  assert.deepEqual((await until('returned', ({ ids }) => ids.length > 0)).ids, [waiting.id])
  fs.writeFileSync(go, '')
  assert.equal((await until('ended', (ended) => ended.job === job)).outcome.type, 'succeeded')
  await until('exited', () => told.filter(({ type }) => type === 'exited').length === 3)
  for (const exit of told)
    if (exit.type === 'exited') assert.deepEqual([exit.expected, exit.code, exit.replacedInMs], [true, 0, null])
})

test('a stop waits for what runs, then ends it', async (context) => {
  const { pool, child, until, told, folder } = await startPool(context, files, { size: 2, killAfterMs: 100 })
  const go = path.join(folder, 'go')
  const [quick, stuck, waiting] = [jobOf('hold', go), jobOf('wait', path.join(folder, 'w')), jobOf('noop')]
  const [one, two] = pool.children
  one?.run([quick, waiting])
  two?.run([stuck])
  await untilFile(path.join(folder, 'w'))
  const pids = pool.children.map(({ pid }) => pid)
  await until('started', ({ job }) => job === quick)
  const stopped = pool.stop({ graceMs: 1_000 })
  await until('returned', ({ ids }) => ids.length > 0)
  fs.writeFileSync(go, '')
  await stopped
  assert.equal((await until('ended', ({ job }) => job === quick)).outcome.type, 'succeeded')
  assert.deepEqual((await until('ended', ({ job }) => job === stuck)).outcome, {
    type: 'returned',
    started: true,
    cause: 'shutdown',
  })
  assert.deepEqual(
    told.flatMap((each) => (each.type === 'returned' ? each.ids : [])),
    [waiting.id],
  )
  assert.equal(pool.children.length, 0)
  for (const pid of pids) await untilGone(pid)
  assert.throws(child)
})

test('the state of children is told', async (context) => {
  const { pool, child, until } = await startPool(context, files)
  const [idle] = pool.status()
  assert.deepEqual(
    { ...idle, sinceMs: 0, rss: 0 },
    {
      pid: child().pid,
      state: 'idle',
      job: null,
      task: null,
      sinceMs: 0,
      stuckMs: null,
      rss: 0,
      processed: 0,
      inFlight: 0,
    },
  )
  const job = jobOf('pause', 1e6)
  child().run([job])
  await until('started')
  const [busy] = pool.status()
  assert.deepEqual([busy?.state, busy?.job, busy?.task], ['busy', job.id, 'pause'])
  assert.ok(process.platform !== 'linux' || (busy?.rss ?? 0) > 1e6)
})

test('what still loads is in nobody’s way: it is the first to go, and need not listen', async (context) => {
  const { folder, pool, told, until } = await startPool(context, files)
  const [first] = pool.children
  const loads = path.join(folder, 'loads')
  const endless = `import fs from 'node:fs'\nfs.writeFileSync('${loads}', '')\nwhile (true);\n`
  fs.writeFileSync(path.join(folder, 'tasks', 'endless.js'), endless)
  for (const end of ['shrunk', 'stopped'] as const) {
    pool.resize(2)
    await untilFile(loads)
    fs.rmSync(loads)
    const gone = until('exited', ({ reason, signal }) => reason === end && signal === 'SIGKILL')
    if (end === 'shrunk') pool.resize(1)
    else void pool.stop({ graceMs: 60_000 })
    await gone
    if (end === 'shrunk') assert.deepEqual(pool.children, [first])
  }
  await until('exited', ({ reason, code }) => reason === 'stopped' && code === 0)
  assert.ok(told.every((each) => each.type !== 'exited' || each.expected))
})

test('what a task has left running with its output does not hold up the process', async (context) => {
  const daemon = `import { spawn } from 'node:child_process'
    export default () => {
      const { pid } = spawn('sleep', ['1000'], { detached: true, stdio: 'inherit' })
      return pid
    }\n`
  const pipes = () => process.getActiveResourcesInfo().filter((name) => name === 'PipeWrap').length
  const before = pipes()
  const { pool, until, outcomeOf } = await startPool(context, { 'daemon.js': daemon })
  const outcome = await outcomeOf(jobOf('daemon'))
  const pid = outcome.type === 'succeeded' ? Number(outcome.result) : 0
  assert.ok(pid > 0)
  context.after(() => process.kill(pid, 'SIGKILL'))
  await pool.stop({ graceMs: 60_000 })
  await until('exited')
  // Pipes of an earlier pool may have been among those before.
  await eventually('all pipes to be let go', () => pipes() <= before)
})

test('nothing stays stopped for ever when the one who wanted to kill it is killed meanwhile', async (context) => {
  const killer = fork(path.join(import.meta.dirname, 'killer-to-kill.ts'), { execArgv: [] })
  context.after(() => killer.kill('SIGKILL'))
  const [pids] = (await once(killer, 'message')) as [number[]]
  assert.equal(pids.length, 2)
  for (const pid of pids) await untilGone(pid)
})

test('nothing outlives a worker that is killed outright: idle, busy and commanding children, commands', async (context) => {
  const { folder } = await startPool(context, {})
  const tasks = path.join(folder, 'tasks-of-worker')
  fs.mkdirSync(tasks)
  for (const [name, content] of Object.entries(files)) fs.writeFileSync(path.join(tasks, name), content)
  const worker = fork(path.join(import.meta.dirname, 'worker-to-kill.ts'), [tasks, path.join(folder, 'logs')], {
    execArgv: [],
  })
  const pids = await new Promise<number[]>((resolve) =>
    worker.once('message', (message) => resolve(message as number[])),
  )
  assert.equal(pids.length, 5)
  worker.kill('SIGKILL')
  for (const pid of pids) await untilGone(pid)
})
