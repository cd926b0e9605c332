// The dashboard in a real terminal: a worker beside it, jobs that come and go, keys, another size, the past, and every way out.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { type TestContext, test } from 'node:test'
import { processTree } from '../bench/process-tree.ts'
import { program, Workspace } from '../support/cli.ts'
import { hasTmux, TmuxPane } from './tmux.ts'

const skip = hasTmux ? false : 'there is no tmux'
const jobq = program.map((word) => `'${word}'`).join(' ')

const openPane = (context: TestContext, columns = 100, rows = 30) => {
  const workspace = new Workspace()
  const pane = new TmuxPane(workspace.folder, { columns, rows }, workspace.environment({ HOME: workspace.folder }))
  context.after(async () => {
    pane.end()
    await workspace.remove()
  })
  return { workspace, pane }
}

/** The terminal is as it was: the first screen with its cursor, lines are edited and echoed. */
const checkSane = async (pane: TmuxPane): Promise<void> => {
  await pane.shows(/ready>\s*$/)
  pane.type(
    "stty -a | tr ';' '\\n' | grep -o ' icanon\\| -icanon\\| echo \\| -echo ' | tr -d ' \\n'; echo ' is the terminal'\n",
  )
  await pane.shows('icanonecho is the terminal')
  assert.equal(pane.flag('alternate_on'), '0')
  assert.equal(pane.flag('cursor_flag'), '1')
}

test('watches a worker, opens a job, retries, resizes, goes back in time and leaves', { skip }, async (context) => {
  const { workspace, pane } = openPane(context)
  workspace.write(
    'tasks/flaky.mjs',
    "import fs from 'node:fs'\nexport default () => { if (!fs.existsSync('mended')) throw new Error('the disk is full') }\n",
  )
  workspace.write(
    'tasks/long.mjs',
    'export default async (payload, job) => {\n  console.log("half way")\n  await job.progress(0.5, "half")\n  await new Promise((resolve) => { job.signal.addEventListener("abort", resolve) })\n}\n',
  )
  await workspace.output(['enqueue', 'flaky'])
  pane.type(`${jobq} top\n`)
  await pane.shows("no worker is running, 1 job waits: start one with 'jobq run'")
  assert.equal(pane.flag('alternate_on'), '1')

  const worker = workspace.start(['run', '-c', '2', '--name', 'web-1'])
  await pane.shows(/failed 1 .*\n/)
  assert.match(await pane.shows('1 worker'), /running 0\/2/)
  const [long] = (await workspace.output(['enqueue', 'long'])).trim().split('\n')
  await pane.shows(new RegExp(`#${long} +long +█+▌ +50 %`))

  // Several keys at once: the first running job, opened.
  pane.type('j\r')
  const opened = await pane.shows('half way')
  assert.match(opened, new RegExp(`job ${long}  running  long for 0:\\d\\d`))
  assert.match(opened, /attempt 1 started on web-1/)
  pane.keys('C')
  await pane.shows(`Cancel job ${long}, which is running (long)?`)
  pane.keys('y')
  await pane.shows(new RegExp(`job ${long}  cancelled`))

  pane.keys('6')
  await pane.shows(/1 +flaky +Error: the disk is full/)
  workspace.write('mended', '')
  pane.keys('R')
  await pane.shows('Run 1 failed job of flaky again?')
  pane.keys('y')
  await pane.shows('nothing has failed')
  pane.keys('2')
  await pane.shows(/▶ +2 +cancelled/)
  await pane.shows(/1 +succeeded +default +flaky/)

  pane.type('/failed\r')
  await pane.shows('no job is failed; Esc shows all')
  pane.keys('Escape')
  await pane.shows('all 2 jobs')

  pane.resize(60, 16)
  await pane.shows(/^ 1 Overview 2 Jobs 3 Queues 4 Workers 5 Events 6 Failures$/m)
  pane.resize(40, 8)
  await pane.shows('make the window at least 60x16')
  pane.resize(120, 35)
  await pane.shows(/ATTEMPT/)

  // Into the past, before anything was there, and back.
  pane.keys('1')
  pane.type('{')
  const past = await pane.shows('the past')
  assert.match(past, /◀ \d\d:\d\d:\d\d/)
  assert.match(await pane.shows('waiting 0'), /done 0/)
  pane.keys('r')
  await pane.shows('this is the past, nothing can be changed there')
  pane.keys('Home')
  await pane.shows('● live')
  await pane.shows('done 1')

  pane.keys('?')
  await pane.shows('this help')
  pane.keys('q')
  await pane.shows('done 1')
  pane.keys('q')
  await checkSane(pane)
  worker.child.kill('SIGTERM')
  assert.equal((await worker.ended).code, 0)
})

test('says that the queue file was taken away, and goes on with the one in its place', { skip }, async (context) => {
  const { workspace, pane } = openPane(context)
  await workspace.output(['enqueue', '--name', 'of the old file', '--', 'true'])
  await workspace.output(['enqueue', '--name', 'another of it', '--', 'true'])
  pane.type(`${jobq} top\n`)
  await pane.shows('waiting 2')
  pane.keys('2')
  await pane.shows('another of it')
  fs.renameSync(workspace.database, `${workspace.database}.old`)
  await pane.shows(/broker away since \d\d:\d\d:\d\d, trying again in \d s: no such queue file/)
  assert.match(pane.screen(), /another of it/)
  assert.ok(!fs.existsSync(workspace.database))

  await workspace.output(['enqueue', '--name', 'of the new file', '--', 'true'])
  await pane.shows('the queue file was replaced: this is the one that is there now')
  const screen = await pane.shows(/▶ +1 +queued.*of the new file/)
  assert.match(screen, /● live[\s\S]*all 1 jobs?/)
  assert.doesNotMatch(screen, /another of it/)

  // What keys ask for goes there too.
  pane.keys('C')
  await pane.shows('Cancel job 1, which is queued (exec)?')
  pane.keys('y')
  await pane.shows(/▶ +1 +cancelled/)
  const old = { env: { JOBQ_BROKER: `${workspace.database}.old` } }
  assert.match(await workspace.output(['ls'], old), /^2\tqueued.*\n1\tqueued/)
  await workspace.output(['backup', 'third.db'])
  await workspace.output(['enqueue', '--name', 'a third', '--', 'true'], {
    env: { JOBQ_BROKER: `${workspace.folder}/third.db` },
  })
  // As a restored backup comes.
  for (const rest of ['-wal', '-shm']) fs.rmSync(`${workspace.database}${rest}`, { force: true })
  fs.renameSync(`${workspace.folder}/third.db`, workspace.database)
  await pane.shows(/▶ +2 +queued.*a third/)
  pane.keys('q')
  await checkSane(pane)
})

test('gives the terminal back when it is told to end, and when it fails', { skip }, async (context) => {
  const { workspace, pane } = openPane(context)
  await workspace.output(['enqueue', '--', 'true'])
  const dashboardPid = (): number => processTree(pane.shellPid()).at(-1) ?? 0
  for (const [signal, code] of [
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGINT', 130],
  ] as const) {
    pane.type(`clear; ${jobq} top; echo "ended with $?"\n`)
    await pane.shows('● live')
    process.kill(dashboardPid(), signal)
    await pane.shows(`ended with ${code}`)
    await checkSane(pane)
  }
  // A crash: an error that nobody caught, from a debugger's mouth as it were.
  const crash = workspace.write('crash.cjs', "process.on('SIGUSR2', () => { throw new Error('a bug of ours') })\n")
  if (process.env.JOBQ_BINARY === undefined) {
    pane.type(`clear; NODE_OPTIONS='--require="${crash}"' ${jobq} top; echo "ended with $?"\n`)
    await pane.shows('● live')
    process.kill(dashboardPid(), 'SIGUSR2')
    await pane.shows(/a bug of ours[\s\S]*ended with 1/)
    await checkSane(pane)
  }
})

test('runs inside a worker, whose log is never written over it', { skip }, async (context) => {
  const { workspace, pane } = openPane(context)
  pane.type(`${jobq} run -c 1 --name own --ui; echo "ended with $?"\n`)
  await pane.shows('1 worker')
  await workspace.output(['enqueue', '--', 'true'])
  await pane.shows('done 1')
  const lines = pane.screen().split('\n')
  assert.ok(!lines.some((line) => line.includes(' info ')), lines.join('\n'))
  pane.keys('q')
  await pane.shows('the dashboard is closed, the worker goes on; Ctrl-C stops it')
  assert.equal(pane.flag('alternate_on'), '0')
  await workspace.output(['enqueue', '--', 'true'])
  await pane.shows(/job 2 exec \(default\): attempt 1 succeeded/)
  pane.keys('C-c')
  await pane.shows('ended with 0')
  await checkSane(pane)
  pane.type(`clear; ${jobq} run -c 1 --name again --ui; echo "ended with $?"\n`)
  await pane.shows('● live')
  pane.keys('C-c')
  await pane.shows('ended with 0')
  await checkSane(pane)
})

test('is drawn in ASCII and without colours where nothing else is wanted', { skip }, async (context) => {
  const { workspace, pane } = openPane(context)
  await workspace.output(['enqueue', '--', 'sh', '-c', 'echo \u001b[31m'])
  pane.type(`LC_ALL=C NO_COLOR=1 ${jobq} top\n`)
  await pane.shows('* live')
  pane.keys('2')
  await pane.shows(/> +1 +queued/)
  assert.match(pane.screen(), /^[\n\x20-\x7e]*$/)
  assert.equal(pane.screen().split('\n')[29]?.startsWith(' ^v select'), true, 'the keys are in the last line')
  assert.match(pane.screen(), /echo \\x1b\[31m/)
  assert.doesNotMatch(pane.screen('-e'), /\x1b\[[\d;]*[349][0-7]m/)
  pane.keys('q')
  await checkSane(pane)
})
