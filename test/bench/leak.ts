// `node test/bench/leak.ts [--jobs 2000] [--children 2] [--limit 512M] [--wait 50]`: a task that keeps 10 MB of every job,
// with and without recycling of children. Without, it keeps no more than a child does on average with it, because the
// machine would not bear more. Prints the memory of the worker with all of its children, and the throughput, second by
// second, and by how much recycling slowed it down. JOBQ_BINARY runs the binary in it, else the sources.
import { parseArgs } from 'node:util'
import { connect } from '../../src/client.ts'
import { residentBytes } from '../../src/pool/resident-bytes.ts'
import { parseSize } from '../../src/size.ts'
import { Workspace } from '../support/cli.ts'
import { treeOf } from '../support/processes.ts'

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '2000' },
    children: { type: 'string', default: '2' },
    limit: { type: 'string', default: '512M' },
    wait: { type: 'string', default: '50' },
  },
})
const count = Number(values.jobs)
const mebibyte = 1024 * 1024

const task = `const kept = []
  export default async ({ most }) => {
    kept.push(Buffer.alloc(${10 * mebibyte}, 1))
    if (kept.length > most) kept.shift()
    await new Promise((resolve) => setTimeout(resolve, ${Number(values.wait)}))
  }
`

interface Run {
  /** Jobs that ended in each full second. */
  readonly perSecond: readonly number[]
  /** Resident MiB of the worker and its children, several times a second. */
  readonly memory: readonly { readonly at: number; readonly mebibytes: number }[]
  readonly jobsPerSecond: number
  readonly startedAt: number
  readonly recycled: number
}

const run = async (most: number, options: readonly string[]): Promise<Run> => {
  const workspace = new Workspace()
  workspace.write('tasks/leak.js', task)
  const queue = await connect(workspace.database)
  await queue.enqueueMany(Array(count).fill({ task: 'leak', payload: { most } }))
  const parameters = ['run', '-c', values.children, '--drain', '--log-level', 'warn', ...options]
  const worker = workspace.start(parameters)
  const memory: { at: number; mebibytes: number }[] = []
  const timer = setInterval(() => {
    const bytes = treeOf(worker.child.pid ?? 0).reduce((sum, pid) => sum + (residentBytes(pid) ?? 0), 0)
    memory.push({ at: Date.now(), mebibytes: Math.round(bytes / mebibyte) })
  }, 100)
  const { code, stderr } = await worker.ended
  clearInterval(timer)
  if (code !== 0) throw new Error(`the worker ended with ${code}: ${stderr}`)
  const { events } = await queue.broker.events.read({ after: 0, limit: count * 4 })
  const ends = events.filter(({ type }) => type === 'job.succeeded').map(({ at }) => at)
  const recycled = events.filter(({ data }) => data.reason === 'max-memory').length
  if (ends.length !== count) throw new Error(`${ends.length} of ${count} jobs have succeeded`)
  await queue.close()
  await workspace.remove()
  const startedAt = ends[0] ?? 0
  const lastMs = (ends.at(-1) ?? 0) - startedAt
  const perSecond = Array.from({ length: Math.floor(lastMs / 1_000) }, () => 0)
  for (const at of ends) {
    const second = Math.floor((at - startedAt) / 1_000)
    if (second < perSecond.length) perSecond[second] = (perSecond[second] ?? 0) + 1
  }
  return { perSecond, memory, startedAt, recycled, jobsPerSecond: (count / lastMs) * 1_000 }
}

const least = (numbers: readonly number[]): number => numbers.reduce((low, each) => Math.min(low, each), Infinity)
const most = (numbers: readonly number[]): number => numbers.reduce((high, each) => Math.max(high, each), 0)
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

const plain = await run(Math.round(parseSize(values.limit) / mebibyte / 20), [])
const recycling = await run(count, ['--max-memory-per-child', values.limit])
console.log('second  jobs  MiB')
for (const [second, jobs] of recycling.perSecond.entries()) {
  const from = recycling.startedAt + second * 1_000
  const within = recycling.memory.filter(({ at }) => at >= from && at < from + 1_000)
  console.log(
    `${String(second).padStart(6)} ${String(jobs).padStart(5)} ${String(most(within.map(({ mebibytes }) => mebibytes))).padStart(4)}`,
  )
}
const usual = plain.jobsPerSecond
console.log(
  `without recycling: ${usual.toFixed(1)} jobs/s, worst second ${least(plain.perSecond)}, at most ${most(plain.memory.map(({ mebibytes }) => mebibytes))} MiB`,
)
console.log(
  `with recycling:    ${recycling.jobsPerSecond.toFixed(1)} jobs/s, worst second ${least(recycling.perSecond)}, at most ${most(recycling.memory.map(({ mebibytes }) => mebibytes))} MiB, ${recycling.recycled} children replaced`,
)
console.log(
  `slower by ${percent(1 - recycling.jobsPerSecond / usual)}; worst second below the usual by ${percent(1 - least(recycling.perSecond) / usual)}`,
)
