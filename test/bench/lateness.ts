// `node test/bench/lateness.ts [--kills 50] [--limit 300ms] [--children 2]`: how late a hard time limit kills, for each kind
// of job that would rather not end. The time is that from the job's own start until its child, and a command's process,
// are known to be gone. Ends with 1 if one was killed too early, was later than a second, or left a process behind.
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { connect } from '../../src/client.ts'
import { parseDuration } from '../../src/duration.ts'
import { createWorker } from '../../src/worker/worker.ts'
import { isAlive } from '../support/processes.ts'
import { quantile } from './figures.ts'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '50' },
    limit: { type: 'string', default: '300ms' },
    children: { type: 'string', default: '2' },
  },
})
const limitMs = parseDuration(values.limit)
const latestMs = 1_000

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jobq-lateness-'))
const pids = path.join(folder, 'pids')
const forever = 'await new Promise((resolve) => setTimeout(resolve, 1e6))'
const files: Readonly<Record<string, string>> = {
  'busy.mjs': 'export default () => { for (;;); }',
  'deaf.mjs': `const names = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGTSTP', 'SIGCONT', 'SIGALRM']
    export default async () => { for (const name of names) process.once(name, () => {}); ${forever} }`,
  'stopped.mjs': `export default async () => { process.kill(process.pid, 'SIGSTOP'); ${forever} }`,
  'family.mjs': `import { spawn } from 'node:child_process'
    const script = 'trap "" TERM; echo $$ >> ${pids}; while :; do sleep 1; done'
    export default async () => { spawn('sh', ['-c', script], { detached: true, stdio: 'ignore' }).unref(); ${forever} }`,
  'program.sh': '#!/bin/sh\ntrap "" TERM INT HUP QUIT\nwhile :; do sleep 0.05; done',
}
fs.mkdirSync(path.join(folder, 'tasks'))
for (const [name, text] of Object.entries(files))
  fs.writeFileSync(path.join(folder, 'tasks', name), text, { mode: 0o755 })

const orphan = `setsid setsid sh -c 'trap "" TERM; echo $$ >> ${pids}; while :; do sleep 1; done' & exec sleep 1000`
const kinds: readonly (readonly [kind: string, target: string | readonly string[]])[] = [
  ['a busy loop', 'busy'],
  ['a task that takes every signal', 'deaf'],
  ['a child that was stopped', 'stopped'],
  ['a grandchild in a session of its own', 'family'],
  ['a command that ignores signals', ['sh', '-c', 'trap "" TERM INT HUP QUIT; while :; do sleep 0.05; done']],
  ['a command that was stopped', ['sh', '-c', 'kill -STOP $$; exec sleep 1000']],
  ['a command with an orphan in a session of its own', ['sh', '-c', orphan]],
  ['an executable that ignores signals', 'program'],
]

const queue = await connect(path.join(folder, 'jobs.db'))
const worker = createWorker({
  broker: queue.broker,
  tasks: [path.join(folder, 'tasks')],
  concurrency: Number(values.children),
  outputFolder: path.join(folder, 'output'),
  env: process.env,
})
try {
  await worker.start()
  console.log(`${values.kills} kills each at a limit of ${limitMs} ms; lateness in ms`)
  for (const [kind, target] of kinds) {
    const options = { timeLimit: limitMs }
    const jobs = Array.from({ length: Number(values.kills) }, () =>
      typeof target === 'string' ? { task: target, ...options } : { argv: target, ...options },
    )
    const latenesses: number[] = []
    for (const id of await queue.enqueueMany(jobs)) {
      const { error, startedAt, finishedAt } = await queue.wait(id)
      if (error?.type !== 'TimeLimitExceeded') throw new Error(`${kind}: ${error?.type} ${error?.message}`)
      latenesses.push((finishedAt ?? Number.NaN) - (startedAt ?? Number.NaN) - limitMs)
    }
    const [median, max, min] = [quantile(latenesses, 0.5), Math.max(...latenesses), Math.min(...latenesses)]
    console.log(`  ${kind.padEnd(50)} median ${median.toFixed(0).padStart(4)}  max ${max.toFixed(0).padStart(4)}`)
    if (!(min >= 0 && max <= latestMs)) process.exitCode = 1
  }
  const begun = fs.readFileSync(pids, 'utf8').split('\n').filter(Boolean).map(Number)
  const left = begun.filter(isAlive)
  console.log(`  of ${begun.length} processes that had left their groups, ${left.length} are left`)
  for (const pid of left) process.kill(pid, 'SIGKILL')
  if (left.length > 0) process.exitCode = 1
} finally {
  await worker.stop({ cold: true })
  await queue.close()
  fs.rmSync(folder, { recursive: true, force: true })
}
