// A process with a pool of three children: idle, in a busy loop, and running a command. Tells the pids of all of them and
// of the command with its own child, and waits to be killed.
import fs from 'node:fs'
import path from 'node:path'
import { childProgram } from '../../src/pool/child-program.ts'
import { createPool } from '../../src/pool/forked-pool.ts'
import type { RunJob } from '../../src/pool/pool.ts'

const [tasks = '', outputFolder = ''] = process.argv.slice(2)
const started = new Map<number, number>()
const pool = createPool<RunJob>({
  program: childProgram(),
  tasks: [tasks],
  env: process.env,
  outputFolder,
  brokerUrl: '',
  listener: {
    ready() {},
    started: (_child, job, { pid }) => started.set(job.id, pid),
    finished() {},
    progress() {},
    returned() {},
    call: async () => null,
    output() {},
    exited() {},
  },
})
await pool.start(3)
const [, busy, commanding] = pool.children
const run = (id: number, task: string, payload: unknown): RunJob => {
  const text = JSON.stringify(payload)
  return {
    id,
    token: id,
    task,
    payload: { serializer: 'json', text },
    queue: 'q',
    attempt: 1,
    createdAt: 0,
    recovered: false,
  }
}
const looping = path.join(outputFolder, 'looping')
fs.mkdirSync(outputFolder, { recursive: true })
busy?.run([run(1, 'busy', looping)])
commanding?.run([run(2, 'exec', { shell: 'trap "" TERM; sleep 1000 & echo $!; wait' })])
const output = path.join(outputFolder, '0', '2.1.out')
const look = setInterval(() => {
  if (!fs.existsSync(looping) || started.size < 2 || !fs.existsSync(output)) return
  const grandchild = Number(fs.readFileSync(output, 'utf8'))
  if (grandchild === 0) return
  clearInterval(look)
  process.send?.([...pool.children.map(({ pid }) => pid), started.get(2), grandchild])
}, 10)
