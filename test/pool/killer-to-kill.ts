// A process that is killed when it has stopped all of a tree that it is about to kill. Tells the pids of the tree before.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { killTree } from '../../src/pool/kill-tree.ts'
import { readProcessTable } from '../../src/pool/process-table.ts'
import { Sentinel } from '../../src/pool/sentinel.ts'
import { until } from '../support/until.ts'

const sentinel = new Sentinel()
sentinel.start()
const parent = spawn('/bin/sh', ['-c', 'sleep 600 & echo; wait'], {
  detached: true,
  stdio: ['ignore', 'pipe', 'ignore'],
})
const pid = parent.pid ?? 0
sentinel.add(pid)
await once(parent.stdout, 'data')
const child = await until('the child', () => readProcessTable().find((entry) => entry.parent === pid)?.pid)
await new Promise((resolve) => process.send?.([pid, child], resolve))

const kill = process.kill.bind(process)
let stopped = 0
process.kill = (target, name) => {
  kill(target, name)
  if (name === 'SIGSTOP') stopped += 1
  if (stopped === 2) kill(process.pid, 'SIGKILL')
  return true
}
killTree({ pid, sinceTick: 0, marks: [] }, sentinel)
