import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { jobOf, type PoolFixture, startPool, untilFile } from './pool-fixture.ts'

const files = {
  'noop.mjs': 'export default async () => {}',
  'wait.mjs': `import fs from 'node:fs'; export default async (file) => { fs.writeFileSync(file, ''); await new Promise((resolve) => setTimeout(resolve, 1e6)) }`,
  'exit.mjs': 'export default (code) => process.exit(code)',
  'die.mjs': `export default async (signal) => { process.kill(process.pid, signal); await new Promise((resolve) => setTimeout(resolve, 1e6)) }`,
  'abort.mjs': 'export default () => process.abort()',
  'uncaught.mjs': `export default () => new Promise(() => setTimeout(() => { throw new TypeError('in a timer') }, 5))`,
  'rejection.mjs': `export default () => new Promise(() => { Promise.reject(new TypeError('nobody looks')) })`,
  'litter.mjs': `export default () => { setTimeout(() => { throw new Error('left behind') }, 50) }`,
  'memory.mjs': `export default () => { const all = []; for (;;) all.push(new Array(1e6).fill(all.length)) }`,
}

const replacement = (fixture: PoolFixture) =>
  fixture.until(
    'ready',
    (ready) => fixture.told.indexOf(ready) > fixture.told.findIndex(({ type }) => type === 'exited'),
  )

test('a kill is told with the job that ran, and those that had not begun; a replacement goes on', async (context) => {
  const fixture = await startPool(context, files)
  const { child, until, folder, outcomeOf, pool } = fixture
  const [running, ...others] = [jobOf('wait', path.join(folder, 'w')), jobOf('noop'), jobOf('noop')]
  const dead = child()
  dead.run([running, ...others].filter((job) => job !== undefined))
  await untilFile(path.join(folder, 'w'))
  process.kill(dead.pid, 'SIGKILL')
  const exit = await until('exited')
  assert.deepEqual(
    [exit.code, exit.signal, exit.expected, exit.replacedInMs, exit.detail],
    [null, 'SIGKILL', false, 0, 'killed by SIGKILL'],
  )
  assert.deepEqual(
    exit.jobs.map(({ job, started }) => [job, started]),
    [
      [running, 'yes'],
      [others[0], 'no'],
      [others[1], 'no'],
    ],
  )
  const started = await until('started')
  assert.equal(exit.jobs[0]?.startedAt, started.at)
  await replacement(fixture)
  assert.notEqual(child().pid, dead.pid)
  assert.equal(pool.children.length, 1)
  assert.equal((await outcomeOf(jobOf('noop'))).type, 'succeeded')
})

test('a kill amid short jobs leaves open which had run, but not those far back', async (context) => {
  const { child, until, outcomeOf } = await startPool(context, {
    ...files,
    'short.mjs': 'export default (kill) => { if (kill) process.kill(process.pid, "SIGKILL") }',
  })
  for (let n = 0; n < 3; n++) await outcomeOf(jobOf('short', false))
  const jobs = Array.from({ length: 1_000 }, (_, n) => jobOf('short', n === 5))
  child().run(jobs)
  const { jobs: interrupted } = await until('exited')
  const found = new Map(interrupted.map(({ job, started }) => [job, started]))
  assert.notEqual(found.get(jobs[5] ?? jobOf('')), 'no', 'the one that did it is not said to be innocent')
  assert.equal(interrupted.at(-1)?.started, 'no')
  assert.ok(!interrupted.some(({ started }) => started === 'yes'))
})

test('a recovered job is announced, so its crash is its own', async (context) => {
  const { child, until, outcomeOf } = await startPool(context, {
    'short.mjs': 'export default (kill) => { if (kill) process.kill(process.pid, "SIGKILL") }',
  })
  for (let n = 0; n < 3; n++) await outcomeOf(jobOf('short', false))
  child().run([jobOf('short', true, { recovered: true })])
  assert.deepEqual(
    (await until('exited')).jobs.map(({ started }) => started),
    ['yes'],
  )
})

test('process.exit in a task counts as a crash of that job alone', async (context) => {
  const { child, until } = await startPool(context, files)
  const jobs = [jobOf('noop'), jobOf('noop'), jobOf('exit', 0), jobOf('noop')]
  child().run(jobs)
  const exit = await until('exited')
  assert.deepEqual([exit.code, exit.expected], [0, false])
  assert.match(exit.detail, new RegExp(`job ${jobs[2]?.id} ended its process \\(exit code 0\\)`))
  assert.deepEqual(
    exit.jobs.map(({ job, started }) => [job, started]),
    [
      [jobs[2], 'yes'],
      [jobs[3], 'no'],
    ],
  )
  assert.ok(await until('ended', ({ job }) => job === jobs[0]))
  assert.ok(await until('ended', ({ job }) => job === jobs[1]))
})

for (const [task, payload, signal] of [
  ['die', 'SIGSEGV', 'SIGSEGV'],
  ['die', 'SIGSTOP', 'SIGKILL'],
  ['abort', null, 'SIGABRT'],
] as const) {
  test(`death by ${task} ${payload ?? ''} is told`, async (context) => {
    const fixture = await startPool(context, files)
    const { child, until, outcomeOf } = fixture
    const { pid } = child()
    const job = jobOf(task, payload)
    child().run([job])
    await until('started')
    if (payload === 'SIGSTOP') process.kill(pid, 'SIGKILL')
    const exit = await until('exited')
    assert.equal(exit.signal, signal)
    assert.deepEqual(
      exit.jobs.map(({ started }) => started),
      ['yes'],
    )
    await replacement(fixture)
    assert.equal((await outcomeOf(jobOf('noop'))).type, 'succeeded')
  })
}

test('running out of memory is told with its reason, also in the output of the job', async (context) => {
  const { child, until, outputOf } = await startPool(context, files, {
    env: { ...process.env, NODE_OPTIONS: '--max-old-space-size=64' },
  })
  const job = jobOf('memory')
  child().run([job])
  const exit = await until('exited')
  assert.match(exit.detail, /heap/i)
  assert.match(outputOf(job, 'stderr'), /heap/i)
})

for (const task of ['uncaught', 'rejection']) {
  test(`an error that nobody catches (${task}) fails the job it comes from, and the child is replaced`, async (context) => {
    const fixture = await startPool(context, files)
    const { child, until, outcomeOf } = fixture
    const [job, waiting] = [jobOf(task), jobOf('noop')]
    child().run([job, waiting])
    const { outcome } = await until('ended')
    assert.ok(outcome.type === 'failed' && !outcome.final && outcome.error.type === 'TypeError')
    const exit = await until('exited')
    assert.deepEqual(
      exit.jobs.map((each) => [each.job, each.started]),
      [[waiting, 'no']],
    )
    assert.match(exit.detail, new RegExp(`uncaught TypeError from job ${job.id}`))
    await replacement(fixture)
    assert.equal((await outcomeOf(jobOf('noop'))).type, 'succeeded')
  })
}

test('an error left behind by an earlier job is not blamed on the one that runs then', async (context) => {
  const { child, until, folder } = await startPool(context, files)
  const innocent = jobOf('wait', path.join(folder, 'w'))
  child().run([jobOf('litter'), innocent])
  const { outcome } = await until('ended', ({ job }) => job === innocent)
  assert.deepEqual(outcome, { type: 'returned', started: true })
  const exit = await until('exited')
  assert.deepEqual(exit.jobs, [])
  assert.match(exit.detail, /uncaught Error from another job than the running one: left behind/)
})

test('children that die at start-up are started again ever more slowly, and say why', async (context) => {
  const { until, told, pool, folder } = await startPool(context, {
    'fatal.mjs': `import fs from 'node:fs'
      if (fs.existsSync(new URL('./bad', import.meta.url))) { console.error('Error: no licence found'); process.exit(9) }
      export default () => {}`,
    bad: '',
  })
  const exits = () => told.filter(({ type }) => type === 'exited')
  await until('exited', () => exits().length >= 3)
  const [first, second, third] = told.flatMap((each) => (each.type === 'exited' ? [each] : []))
  assert.deepEqual([first?.replacedInMs, second?.replacedInMs, third?.replacedInMs], [100, 200, 400])
  assert.match(first?.detail ?? '', /exited with code 9 before it was ready: .*no licence found/)
  assert.equal(pool.size, 1)
  fs.rmSync(path.join(folder, 'tasks', 'bad'))
  await until('ready')
})

test('a program that cannot be started is told like a death', async (context) => {
  const { until } = await startPool(context, {}, { program: { execPath: '/no/such/program', args: ['x'] } })
  const exit = await until('exited')
  assert.match(exit.detail, /could not be started.*ENOENT/)
  assert.deepEqual([exit.code, exit.signal], [null, null])
})

test('jobs sent to a child that is dying come back, and nothing is thrown', async (context) => {
  const { child, until } = await startPool(context, files)
  const dying = child()
  process.kill(dying.pid, 'SIGKILL')
  const jobs = Array.from({ length: 2_000 }, () => jobOf('noop', 'x'.repeat(500)))
  for (const job of jobs) dying.run([job])
  dying.recall()
  const exit = await until('exited')
  assert.equal(exit.jobs.length, jobs.length)
  assert.equal(dying.inFlight, 0)
})
