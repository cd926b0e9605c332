// `node test/bench/reload.ts [--saves 20] [--children 2] [--binary dist/jobq]`: how long it takes from a save of a file that
// a task imports to the start of the first job that runs the new code, under `jobq run --watch`. Jobs come one after the
// other all the time. Ends with 1 if one save took longer than a second, or a job failed.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { connect } from '../../src/client.ts'
import { quantile } from './figures.ts'

const { values } = parseArgs({
  options: {
    saves: { type: 'string', default: '20' },
    children: { type: 'string', default: '2' },
    binary: { type: 'string' },
  },
})
const latestMs = 1_000
/** Between two jobs. */
const betweenMs = 5

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jobq-reload-'))
const value = path.join(folder, 'lib', 'value.ts')
const save = (version: number): void => fs.writeFileSync(value, `export const value: number = ${version}\n`)
fs.mkdirSync(path.join(folder, 'tasks'))
fs.mkdirSync(path.join(folder, 'lib'))
save(0)
fs.writeFileSync(path.join(folder, 'lib', 'between.ts'), "export { value } from './value.ts'\n")
fs.writeFileSync(
  path.join(folder, 'tasks', 'version.ts'),
  "import { value } from '../lib/between.ts'\nexport default () => ({ value, at: Date.now() })\n",
)

let lastAt = 0
let longestGapMs = 0
const worker = await startWorker()
const jobq = await connect(path.join(folder, 'jobs.db'))
try {
  const tookMs: number[] = []
  for (let version = 1; version <= Number(values.saves); version++) {
    await firstOf(version - 1)
    const savedAt = Date.now()
    save(version)
    tookMs.push((await firstOf(version)) - savedAt)
  }
  const sorted = tookMs.toSorted((a, b) => a - b)
  const [median, longest] = [quantile(sorted, 0.5), sorted.at(-1) ?? 0]
  console.log(`${sorted.length} saves, ${values.children} children: median ${median} ms, longest ${longest} ms`)
  console.log(`the longest time between two jobs: ${longestGapMs} ms`)
  if (longest > latestMs) process.exitCode = 1
} finally {
  worker.kill('SIGTERM')
  await once(worker, 'exit')
  await jobq.close()
  fs.rmSync(folder, { recursive: true, force: true })
}

async function startWorker(): Promise<ChildProcess> {
  const main = path.join(import.meta.dirname, '..', '..', 'cli', 'main.ts')
  const [name, ...first] = values.binary === undefined ? [process.execPath, main] : [path.resolve(values.binary)]
  const started = spawn(
    name,
    [...first, 'run', '--watch', '-c', values.children, '-b', path.join(folder, 'jobs.db'), '--log-level', 'error'],
    { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'], env: { PATH: process.env.PATH, HOME: folder } },
  )
  await once(started, 'spawn')
  return started
}

/** Runs jobs until one has this version, and gives the instant at which it ran. */
async function firstOf(version: number): Promise<number> {
  for (;;) {
    const job = await jobq.wait(await jobq.enqueue('version'))
    const { value: found, at } = job.result as { value: number; at: number }
    longestGapMs = Math.max(longestGapMs, lastAt === 0 ? 0 : at - lastAt)
    lastAt = at
    if (found === version) return at
    await setTimeout(betweenMs)
  }
}
