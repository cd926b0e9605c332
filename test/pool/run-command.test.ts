import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import type { Outcome } from '../../src/outcome.ts'
import { jobOf, startPool, untilFile, untilGone } from './pool-fixture.ts'

const failure = (outcome: Outcome) => {
  assert.ok(outcome.type === 'failed')
  return outcome
}

test('a command runs without a shell, its output and exit code are kept', async (context) => {
  const { outcomeOf, outputOf, until, child } = await startPool(context, {})
  const job = jobOf('exec', { argv: ['printf', '%s|', 'a b', '$HOME', '*'] })
  assert.deepEqual(await outcomeOf(job), { type: 'succeeded', result: null, exitCode: 0 })
  assert.equal(outputOf(job), 'a b|$HOME|*|')
  const { pid } = await until('started')
  assert.notEqual(pid, child().pid)
  assert.equal((await until('ended')).pid, pid)

  const failing = failure(
    await outcomeOf(jobOf('exec', { argv: ['sh', '-c', 'echo one; echo the reason >&2; exit 3'] })),
  )
  assert.deepEqual(
    { ...failing, error: failing.error.message },
    {
      type: 'failed',
      final: false,
      exitCode: 3,
      signal: null,
      error: 'exited with code 3: the reason',
    },
  )
  const killed = failure(await outcomeOf(jobOf('exec', { shell: 'kill -KILL $$' })))
  assert.deepEqual([killed.exitCode, killed.signal, killed.error.message], [null, 'SIGKILL', 'was killed by SIGKILL'])
  assert.equal(failure(await outcomeOf(jobOf('exec', { shell: 'exit 75' }))).exitCode, 75, 'only executables snooze')
})

test('stdout and stderr are apart, and both when read together', async (context) => {
  const { outcomeOf, outputOf } = await startPool(context, {})
  const job = jobOf('exec', { shell: 'echo out; echo err >&2' })
  await outcomeOf(job)
  assert.equal(outputOf(job, 'stdout'), 'out\n')
  assert.equal(outputOf(job, 'stderr'), 'err\n')
  assert.equal(outputOf(job), 'out\nerr\n')
})

test('a command gets the allowed environment, its own variables, and what its job names', async (context) => {
  const env = { ...process.env, LC_TEST: 'x', SECRET: 's', JOBQ_TOKEN: 't', TZ: 'UTC' }
  const { outcomeOf, outputOf } = await startPool(
    context,
    { 'env.mjs': 'export default () => Object.keys(process.env)' },
    { env },
  )
  const job = jobOf('exec', { argv: ['env'], env: { EXTRA: 'e', JOBQ_JOB_ID: 'forged' } }, { attempt: 2, queue: 'q1' })
  await outcomeOf(job)
  const lines = new Map(
    outputOf(job)
      .trim()
      .split('\n')
      .map((line) => line.split('=', 2) as [string, string]),
  )
  const own = {
    JOBQ_JOB_ID: `${job.id}`,
    JOBQ_ATTEMPT: '2',
    JOBQ_QUEUE: 'q1',
    JOBQ_TASK: 'exec',
    JOBQ_BROKER: 'sqlite:/tmp/jobs.db',
    JOBQ_LEASE: `${job.token}`,
  }
  for (const [name, value] of Object.entries({ ...own, EXTRA: 'e', LC_TEST: 'x', TZ: 'UTC' }))
    assert.equal(lines.get(name), value, name)
  const allowed =
    /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_.*|TZ|TMPDIR|JOBQ_(JOB_ID|ATTEMPT|QUEUE|TASK|BROKER|LEASE)|EXTRA)$/
  assert.deepEqual(
    [...lines.keys()].filter((name) => !allowed.test(name)),
    [],
  )

  const inTask = await outcomeOf(jobOf('env'))
  assert.ok(inTask.type === 'succeeded' && inTask.result !== null)
  const inChild: unknown = JSON.parse(String(inTask.result))
  assert.ok(Array.isArray(inChild) && inChild.includes('SECRET'))
  // The mark by which what a task started is found.
  assert.deepEqual(
    inChild.filter((name) => name.startsWith('JOBQ_')),
    ['JOBQ_CHILD'],
  )
})

test('stdin, working directory', async (context) => {
  const { outcomeOf, outputOf, folder } = await startPool(context, {})
  const file = path.join(folder, 'input')
  fs.writeFileSync(file, 'from a file')
  const text = jobOf('exec', { argv: ['cat'], stdin: 'typed ü'.repeat(50_000) })
  await outcomeOf(text)
  assert.equal(outputOf(text), 'typed ü'.repeat(50_000))
  const named = jobOf('exec', { argv: ['cat'], stdin: { file } })
  await outcomeOf(named)
  assert.equal(outputOf(named), 'from a file')
  const none = jobOf('exec', { argv: ['cat'] })
  await outcomeOf(none)
  assert.equal(outputOf(none), '')
  const placed = jobOf('exec', { argv: ['pwd'], cwd: folder })
  await outcomeOf(placed)
  assert.equal(outputOf(placed).trim(), fs.realpathSync(folder))
})

test('what cannot be started fails for good and says why', async (context) => {
  const { outcomeOf, folder } = await startPool(context, {})
  fs.writeFileSync(path.join(folder, 'plain'), 'text')
  const cases: [unknown, string, RegExp][] = [
    [{ argv: ['no-such-program-here'] }, 'SpawnError', /there is no program no-such-program-here/],
    [{ argv: [path.join(folder, 'plain')] }, 'SpawnError', /may not be executed/],
    [{ argv: ['true'], cwd: path.join(folder, 'gone') }, 'SpawnError', /working directory .*gone does not exist/],
    [{ argv: ['cat'], stdin: { file: path.join(folder, 'gone') } }, 'SpawnError', /stdin.*ENOENT/],
    [{ argv: [] }, 'InvalidPayload', /\$\.argv/],
    [{ argv: ['a', 1] }, 'InvalidPayload', /\$\.argv\[1\]/],
    [{ argv: ['true'], env: { A: 1 } }, 'InvalidPayload', /\$\.env\.A/],
    ['true', 'InvalidPayload', /object/],
    [{ argv: ['true', 'x'.repeat(200_000)] }, 'SpawnError', /E2BIG/],
  ]
  for (const [payload, type, message] of cases) {
    const { final, error } = failure(await outcomeOf(jobOf('exec', payload)))
    assert.deepEqual([final, error.type], [true, type], error.message)
    assert.match(error.message, message)
  }
})

test('progress lines are told while the command runs and are not in its output', async (context) => {
  const { child, until, outputOf, folder } = await startPool(context, {})
  const go = path.join(folder, 'go')
  const wait = `while [ ! -e ${go} ]; do sleep 0.02; done`
  const job = jobOf('exec', {
    shell: `echo a; echo JOBQ_PROGRESS 0.25 a quarter; ${wait}; echo JOBQ_PROGRESS 1 >&2; echo b`,
  })
  child().run([job])
  const progress = await until('progress')
  assert.deepEqual([progress.job, progress.fraction, progress.text], [job, 0.25, 'a quarter'])
  fs.writeFileSync(go, '')
  await until('progress', ({ fraction }) => fraction === 1)
  await until('ended')
  assert.equal(outputOf(job), 'a\nb\n')
})

test('the last progress of a command that is over at once is told, also by a line without an end', async (context) => {
  const { child, until, outputOf } = await startPool(context, {})
  for (const [shell, text] of [
    ['echo JOBQ_PROGRESS 0.5 half; echo a', 'half'],
    ['echo a; echo JOBQ_PROGRESS 0.2 no; printf "JOBQ_PROGRESS 0.7 rest"', 'rest'],
  ] as const) {
    const job = jobOf('exec', { shell })
    child().run([job])
    const progress = await until('progress', (event) => event.job === job && event.text === text)
    assert.equal(progress.text, text)
    await until('ended', (event) => event.job === job)
    assert.equal(outputOf(job), 'a\n')
  }
})

test('a flood of output is cut in the middle while the command runs, its beginning and its end are kept', async (context) => {
  const maxOutputBytes = 256 * 1024
  const { child, until, outputOf, outputFolder, folder } = await startPool(context, {}, { maxOutputBytes })
  const [flooded, go] = [path.join(folder, 'flooded'), path.join(folder, 'go')]
  const wait = `touch ${flooded}; while [ ! -e ${go} ]; do sleep 0.02; done`
  const job = jobOf('exec', { shell: `echo first; seq 1 3000000; ${wait}; echo the; echo end` })
  child().run([job])
  await untilFile(flooded)
  const names = () => fs.readdirSync(outputFolder, { recursive: true, encoding: 'utf8' })
  const bytes = () => names().reduce((sum, name) => sum + fs.statSync(path.join(outputFolder, name)).size, 0)
  while (bytes() > 2 * maxOutputBytes) await new Promise((resolve) => setTimeout(resolve, 5))
  fs.writeFileSync(go, '')
  assert.equal((await until('ended')).outcome.type, 'succeeded')
  const kept = outputOf(job)
  assert.ok(kept.startsWith('first\n1\n2\n') && kept.endsWith('\nthe\nend\n'))
  assert.match(kept, /\[jobq: \d+ bytes of output were cut here\]/)
  assert.ok(kept.length <= maxOutputBytes + 1_000)
})

test('executables take their payload on stdin and answer on descriptor 3 or with a last line of JSON', async (context) => {
  const { outcomeOf, until, outputOf } = await startPool(
    context,
    {
      'line.sh': '#!/bin/sh\necho working\ncat\necho\necho JOBQ_PROGRESS 1 done',
      three: '#!/bin/sh\necho \'{"a": 1}\'\necho \'{ "b": [2] }\' >&3',
      'words.sh': '#!/bin/sh\necho done well',
      'exit.sh': '#!/bin/sh\nread code\necho oh no >&2\nexit $code',
      'large.sh': '#!/bin/sh\nhead -c 5000 /dev/zero | tr "\\0" 1 >&3',
      'broken.sh': '#!/bin/sh\necho "{" >&3',
      'inexact.sh': '#!/bin/sh\necho 9007199254740993',
      'bad-interpreter': '#!/no/such/interpreter\n',
      'helper.txt': 'not a task',
    },
    { maxResultBytes: 1_000 },
  )
  const { tasks } = await until('ready')
  assert.deepEqual(tasks.map(({ name, kind }) => `${kind} ${name}`).sort(), [
    'executable bad-interpreter',
    'executable broken',
    'executable exit',
    'executable inexact',
    'executable large',
    'executable line',
    'executable three',
    'executable words',
  ])
  const line = jobOf('line', { deep: [1, 'ü'] })
  assert.deepEqual(await outcomeOf(line), { type: 'succeeded', result: '{"deep":[1,"ü"]}', exitCode: 0 })
  assert.equal(outputOf(line), 'working\n{"deep":[1,"ü"]}\n')
  assert.deepEqual(await outcomeOf(jobOf('three')), { type: 'succeeded', result: '{ "b": [2] }', exitCode: 0 })
  assert.deepEqual(await outcomeOf(jobOf('words')), { type: 'succeeded', result: null, exitCode: 0 })
  assert.deepEqual(await outcomeOf(jobOf('exit', 75)), { type: 'snoozed', delayMs: null, exitCode: 75 })
  const final = failure(await outcomeOf(jobOf('exit', 65)))
  assert.deepEqual([final.final, final.exitCode, final.error.message], [true, 65, 'exited with code 65: oh no'])
  assert.equal(failure(await outcomeOf(jobOf('exit', 2))).final, false)
  for (const [name, type] of [
    ['large', 'ResultTooLarge'],
    ['broken', 'InvalidResult'],
    ['inexact', 'InvalidResult'],
    ['bad-interpreter', 'SpawnError'],
  ] as const) {
    const { final: isFinal, error } = failure(await outcomeOf(jobOf(name)))
    assert.deepEqual([isFinal, error.type], [true, type])
  }
})

test('a cancelled command gets TERM, its stubborn rest KILL', async (context) => {
  const { child, until, outputOf, folder } = await startPool(context, {}, { killAfterMs: 300 })
  const ready = path.join(folder, 'ready')
  const polite = jobOf('exec', { shell: `trap 'echo bye; exit 0' TERM; touch ${ready}; while :; do sleep 0.05; done` })
  child().run([polite])
  await until('started')
  await untilFile(ready)
  child().end(polite.id, 'cancelled')
  child().end(polite.id, 'shutdown')
  const { outcome } = await until('ended')
  assert.deepEqual(outcome, { type: 'cancelled', reason: 'cancelled while it ran', exitCode: 0, signal: null })
  assert.equal(outputOf(polite, 'stdout'), 'bye\n')

  const pids = path.join(folder, 'pids')
  const stubborn = jobOf('exec', {
    shell: `trap '' TERM; (trap '' TERM; while :; do sleep 0.05; done) & echo $$ $! > ${pids}; mv ${pids} ${pids}.whole; wait`,
  })
  child().run([stubborn])
  const processes = (await untilFile(`${pids}.whole`)).trim().split(' ')
  child().end(stubborn.id, 'shutdown')
  const cut = await until('ended', ({ job }) => job === stubborn)
  assert.deepEqual(cut.outcome, { type: 'returned', started: true, cause: 'shutdown' })
  for (const pid of processes) await untilGone(Number(pid))
})

test('no command outlives its child', async (context) => {
  const { child, until } = await startPool(context, {})
  child().run([jobOf('exec', { shell: 'sleep 1000 & wait' }), jobOf('exec', { argv: ['true'] })])
  const { pid } = await until('started')
  process.kill(child().pid, 'SIGKILL')
  const exit = await until('exited')
  assert.deepEqual(
    exit.jobs.map(({ started }) => started),
    ['yes', 'no'],
  )
  await untilGone(pid)
})

test('a file that would be the task is named when it may not be executed', async (context) => {
  const { outcomeOf } = await startPool(context, { 'sub/notexec.py': 'print(1)\n', 'sub/other.json': '{}' })
  const named = await outcomeOf(jobOf('sub/notexec'))
  assert.ok(named.type === 'rejected')
  assert.match(named.error.message, /no task 'sub\/notexec': \S+\/sub\/notexec\.py is not executable$/)
  const unknown = await outcomeOf(jobOf('sub/nothing'))
  assert.ok(unknown.type === 'rejected')
  assert.match(unknown.error.message, /no task 'sub\/nothing'$/)
})
