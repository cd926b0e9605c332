// Soft and hard limits in a pool with real children, for each kind of job that would rather not end.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Outcome } from '../../src/outcome.ts'
import type { PoolOptions, RunJob, RunLimits } from '../../src/pool/pool.ts'
import { isAlive, signal } from '../support/processes.ts'
import { jobOf, type PoolFixture, startPool, untilFile, untilGone } from './pool-fixture.ts'

const files = {
  'noop.mjs': 'export default () => {}',
  'busy.mjs': 'export default () => { for (;;); }',
  'wait.mjs': `import fs from 'node:fs'
export default async (file) => { if (file) fs.writeFileSync(file, ''); await new Promise((resolve) => setTimeout(resolve, 1e6)) }`,
  'deaf.mjs': `import fs from 'node:fs'
export default async (file) => {
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGCONT', 'SIGTSTP']) process.on(name, () => {})
  for (;;) { try { await new Promise((resolve) => setTimeout(resolve, 1e6)) } catch {} }
}`,
  'family.mjs': `import fs from 'node:fs'
import { spawn } from 'node:child_process'
export default async ([file, orphan]) => {
  const script = 'trap "" TERM; sleep 1000 & echo $$ $! > ' + file + '.new; mv ' + file + '.new ' + file + '; wait'
  const away = spawn('sh', ['-c', orphan ? 'setsid setsid sh -c "$0" &' : script, script], { detached: true, stdio: 'ignore' })
  away.unref()
  await new Promise((resolve) => setTimeout(resolve, 1e6))
}`,
  'clean.mjs': `export default async (payload, job) => {
  await new Promise((resolve) => job.signal.addEventListener('abort', resolve))
  return [job.signal.reason.name, job.signal.reason instanceof Error]
}`,
  'late.mjs': `export default async (payload, job) => {
  const end = Date.now() + 300
  while (Date.now() < end);
  await new Promise((resolve) => setTimeout(resolve, 50))
  return [job.signal.aborted, job.signal.reason?.name]
}`,
  'passOn.mjs': `import { setTimeout } from 'node:timers/promises'
export default (how, job) => how === 'throw'
  ? new Promise((resolve, reject) => job.signal.addEventListener('abort', () => reject(job.signal.reason)))
  : setTimeout(1e6, null, { signal: job.signal })`,
  'call.mjs': `export default async (payload, job) => {
  try { await job.heartbeat() } catch (error) {
    await job.enqueue('clean-up')
    return error.name
  }
}`,
  'stubborn.sh': '#!/bin/sh\ntrap "" TERM INT HUP\nwhile :; do sleep 0.05; done',
  'polite.sh': '#!/bin/sh\ntrap "exit 0" TERM\nwhile :; do sleep 0.05; done',
  'rude.sh': '#!/bin/sh\ntrap "exit 3" INT\nwhile :; do sleep 0.05; done',
  'snoozy.sh': '#!/bin/sh\ntrap "exit 75" TERM\nwhile :; do sleep 0.05; done',
}

const limits = (limit: Partial<RunLimits>): RunLimits => ({
  softMs: null,
  hardMs: null,
  softSignal: 'SIGTERM',
  ...limit,
})

/** A pool where jobs of these tasks have limits. */
const startLimited = (
  context: TestContext,
  limitsOf: (job: RunJob) => RunLimits | null,
  more: Partial<PoolOptions<RunJob>> & { readonly answer?: () => Promise<unknown> } = {},
): Promise<PoolFixture> => startPool(context, files, { limitsOf, ...more })

const assertOverdue = (outcome: Outcome, limit: string, program = false): void => {
  const message = `it ran longer than its time limit of ${limit}`
  const error = { type: 'TimeLimitExceeded', message }
  assert.deepEqual(outcome, { type: 'failed', final: false, error, ...(program ? { signal: 'SIGKILL' } : {}) })
}

for (const [what, task] of [
  ['a busy loop', 'busy'],
  ['a task that waits', 'wait'],
  ['a task that takes every signal', 'deaf'],
] as const) {
  test(`${what} is killed at its limit, not before, and its child replaced`, async (context) => {
    const { child, until, told, outcomeOf } = await startLimited(context, ({ task: name }) =>
      name === 'noop' ? null : limits({ hardMs: 300 }),
    )
    const dead = child()
    dead.run([jobOf(task)])
    const ended = await until('ended')
    assertOverdue(ended.outcome, '300ms')
    assert.ok(ended.runMs >= 300, `killed after ${ended.runMs} ms`)
    assert.ok(ended.startedAt !== null && ended.pid === dead.pid)
    const exit = await until('exited')
    assert.deepEqual([exit.expected, exit.jobs, exit.signal], [true, [], 'SIGKILL'])
    await until('ready', (ready) => told.indexOf(ready) > told.indexOf(exit))
    assert.equal((await outcomeOf(jobOf('noop'))).type, 'succeeded')
  })
}

test('a child that was stopped is killed at the limit of its job', async (context) => {
  const { child, until, folder } = await startLimited(context, () => limits({ hardMs: 500 }))
  const file = path.join(folder, 'began')
  const { pid } = child()
  child().run([jobOf('wait', file)])
  await untilFile(file)
  signal(pid, 'SIGSTOP')
  assertOverdue((await until('ended')).outcome, '500ms')
  await until('exited')
  assert.ok(!isAlive(pid))
})

test('a command that was stopped is killed at its limit', async (context) => {
  const { child, until } = await startLimited(context, () => limits({ softMs: 2_000, hardMs: 3_000 }))
  child().run([jobOf('exec', { argv: ['sleep', '1000'] })])
  const { pid } = await until('started')
  signal(pid, 'SIGSTOP')
  const ended = await until('ended')
  assertOverdue(ended.outcome, '3s', true)
  assert.equal(ended.pid, pid)
  await untilGone(pid)
})

for (const orphan of [false, true])
  test(`what left its process group ${orphan ? 'and its parents ' : ''}dies with the job that started it`, async (context) => {
    const { child, until, folder } = await startLimited(context, () => limits({ hardMs: 3_000 }))
    const file = path.join(folder, 'pids')
    child().run([jobOf('family', [file, orphan])])
    const pids = (await untilFile(file)).trim().split(' ').map(Number)
    assertOverdue((await until('ended')).outcome, '3s')
    for (const pid of pids) await untilGone(pid)
  })

test('what left a command, its group and its parents is found by the variables that it has', async (context) => {
  const { child, until, folder } = await startLimited(context, () => limits({ hardMs: 3_000 }))
  const file = path.join(folder, 'pids')
  const orphan = `trap '' TERM; sleep 1000 & echo $$ $! > ${file}.new; mv ${file}.new ${file}; wait`
  child().run([jobOf('exec', { argv: ['sh', '-c', 'setsid setsid sh -c "$0" & exec sleep 1000', orphan] })])
  const pids = (await untilFile(file)).trim().split(' ').map(Number)
  assertOverdue((await until('ended')).outcome, '3s', true)
  for (const pid of pids) await untilGone(pid)
})

test('an executable that ignores every request is killed', async (context) => {
  const { outcomeOf } = await startLimited(context, () => limits({ softMs: 2_000, hardMs: 3_000 }))
  assertOverdue(await outcomeOf(jobOf('stubborn')), '3s', true)
})

test('a hard kill spares what other jobs had started, and gives back what waits behind', async (context) => {
  const { child, until, folder } = await startLimited(context, ({ task }) =>
    task === 'busy' ? limits({ hardMs: 300 }) : null,
  )
  const file = path.join(folder, 'pid')
  const left = jobOf('exec', {
    shell: `setsid sh -c 'echo $$ > ${file}.new; mv ${file}.new ${file}; exec sleep 1000' &`,
  })
  child().run([left])
  const pid = Number(await untilFile(file))
  context.after(() => signal(pid, 'SIGKILL'))
  await until('ended', ({ job }) => job === left)
  const [busy, ...others] = [jobOf('busy'), jobOf('noop'), jobOf('wait')]
  child().run([busy, ...others].filter((job) => job !== undefined))
  assertOverdue((await until('ended', ({ job }) => job === busy)).outcome, '300ms')
  assert.deepEqual(
    (await until('returned')).ids,
    others.map(({ id }) => id),
  )
  assert.deepEqual((await until('exited')).jobs, [])
  assert.ok(isAlive(pid))
})

test('amid short jobs the one that is stuck is known, those after it come back untouched', async (context) => {
  const { child, until, outcomeOf, told } = await startLimited(context, () => limits({ hardMs: 2_000 }))
  for (let n = 0; n < 3; n++) await outcomeOf(jobOf('noop'))
  // A task whose usual run is short: nothing of it is announced.
  const jobs = Array.from({ length: 600 }, () => jobOf('noop'))
  const busy = jobOf('busy')
  const behind = Array.from({ length: 20 }, () => jobOf('noop'))
  child().run([...jobs, busy, ...behind])
  const ended = await until('ended', ({ job }) => job === busy)
  assertOverdue(ended.outcome, '2s')
  const exit = await until('exited')
  const { ids } = await until('returned')
  assert.deepEqual(
    ids,
    behind.map(({ id }) => id),
  )
  assert.ok(exit.jobs.every(({ started, job }) => started === 'unknown' && jobs.includes(job)))
  const back = told.flatMap((each) => (each.type === 'ended' ? [each.job] : []))
  assert.equal(new Set([...back, ...exit.jobs.map(({ job }) => job)]).size, 3 + 600 + 1)
})

test('a job that fits is not touched, however many ran in that time', async (context) => {
  const { child, until, told, outcomeOf } = await startLimited(context, () => limits({ softMs: 1_000, hardMs: 2_000 }))
  const jobs = Array.from({ length: 25 }, () => jobOf('exec', { argv: ['sleep', '0.1'] }))
  child().run(jobs)
  const last = jobs.at(-1)
  await until('ended', ({ job }) => job === last)
  assert.ok(told.every((each) => each.type !== 'ended' || each.outcome.type === 'succeeded'))
  assert.ok(told.every(({ type }) => type !== 'exited'))
  assert.equal((await outcomeOf(jobOf('noop'))).type, 'succeeded')
})

test('a soft limit aborts the signal once, and what returns then has succeeded', async (context) => {
  const { outcomeOf } = await startLimited(context, () => limits({ softMs: 100 }))
  assert.deepEqual(await outcomeOf(jobOf('clean')), {
    type: 'succeeded',
    result: '["SoftTimeLimitExceeded",true]',
  })
  assert.deepEqual(await outcomeOf(jobOf('late')), { type: 'succeeded', result: '[true,"SoftTimeLimitExceeded"]' })
})

test('a soft limit that is passed on fails the job by its name', async (context) => {
  const { outcomeOf } = await startLimited(context, () => limits({ softMs: 100 }))
  for (const how of ['throw', 'signal']) {
    const outcome = await outcomeOf(jobOf('passOn', how))
    assert.ok(outcome.type === 'failed')
    assert.deepEqual([outcome.final, outcome.error.type], [false, 'SoftTimeLimitExceeded'], how)
  }
})

test('a call that waits is rejected by the soft limit, one that follows is answered', async (context) => {
  let calls = 0
  const answer = () => (++calls === 1 ? new Promise(() => {}) : Promise.resolve(7))
  const { outcomeOf } = await startLimited(context, () => limits({ softMs: 100 }), { answer })
  assert.deepEqual(await outcomeOf(jobOf('call')), { type: 'succeeded', result: '"SoftTimeLimitExceeded"' })
  assert.equal(calls, 2)
})

test('a program is sent the soft signal: exit 0 has succeeded, anything else failed by that name', async (context) => {
  const { outcomeOf } = await startLimited(context, ({ task }) =>
    limits({ softMs: 2_000, hardMs: 60_000, softSignal: task === 'rude' ? 'SIGINT' : 'SIGTERM' }),
  )
  assert.deepEqual(await outcomeOf(jobOf('polite')), { type: 'succeeded', result: null, exitCode: 0 })
  assert.deepEqual(await outcomeOf(jobOf('snoozy')), { type: 'snoozed', delayMs: null, exitCode: 75 })
  for (const [job, exitCode, name, how] of [
    [jobOf('rude'), 3, null, 'exited with code 3'],
    [jobOf('exec', { argv: ['sleep', '1000'] }), null, 'SIGTERM', 'was killed by SIGTERM'],
  ] as const) {
    const error = { type: 'SoftTimeLimitExceeded', message: `its soft time limit passed; it ${how}` }
    assert.deepEqual(await outcomeOf(job), { type: 'failed', final: false, exitCode, signal: name, error })
  }
})

test('the first cause wins: a job that was cancelled before its limit stays cancelled, and is killed at the limit', async (context) => {
  const { child, until, folder } = await startLimited(context, () => limits({ hardMs: 3_000 }), {
    killAfterMs: 3_600_000,
  })
  const file = path.join(folder, 'began')
  const job = jobOf('wait', file)
  child().run([job])
  await untilFile(file)
  child().end(job.id, 'cancelled')
  assert.deepEqual((await until('ended')).outcome, { type: 'cancelled', reason: 'cancelled while it ran' })
})

test('a soft limit is no cause: a cancel after it cancels, and is not held up by it', async (context) => {
  const { child, until, outputOf } = await startLimited(context, () => limits({ softMs: 2_000 }), { killAfterMs: 100 })
  const job = jobOf('exec', { shell: `trap 'echo warned' TERM; while :; do sleep 0.02; done` })
  child().run([job])
  while (!outputOf(job).includes('warned')) await new Promise((resolve) => setTimeout(resolve, 5))
  child().end(job.id, 'cancelled')
  const { outcome } = await until('ended')
  assert.deepEqual(outcome, { type: 'cancelled', reason: 'cancelled while it ran', exitCode: null, signal: 'SIGKILL' })
})

test('a program whose start its child could not announce dies with the child', async (context) => {
  const { child, until, folder } = await startPool(context, {})
  const file = path.join(folder, 'pid')
  // The child is stopped by the program itself, and killed before it can say that it started one.
  const script = `echo $$ > ${file}.new; kill -STOP $PPID; mv ${file}.new ${file}; exec sleep 1000`
  child().run([jobOf('exec', { argv: ['sh', '-c', script] })])
  const pid = Number(await untilFile(file))
  assert.ok(isAlive(pid))
  process.kill(child().pid, 'SIGKILL')
  await until('exited')
  await untilGone(pid)
  assert.ok(fs.existsSync(file))
})
