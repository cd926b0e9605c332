// `node test/bench/dashboard.ts [--jobs 1000000] [--drain 200000] [--rounds 3] [--seconds 20]`: what the dashboard costs, in a
// terminal of 120×40 with the Overview open. How long until its first frame on a file with many jobs, waiting and done; how
// much of a processor it takes when nothing happens and at 1,000 events a second, there and on a small file; and how much
// slower a worker drains a queue that is being watched, with the two ways of draining taking turns.
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { SqliteBroker } from '../../src/broker/sqlite/sqlite-broker.ts'
import { systemClock } from '../../src/clock.ts'
import { Terminal } from '../support/terminal.ts'
import { drainMs, fill, fillPaused } from './backlog.ts'
import { binary } from './binary.ts'
import { payloadOf } from './payload.ts'
import { Place } from './place.ts'
import { processorSeconds, processTree } from './process-tree.ts'
import { startWorker } from './worker-process.ts'

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '1000000' },
    drain: { type: 'string', default: '200000' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '20' },
  },
})
const seconds = Number(values.seconds)
const rounds = Array.from({ length: Number(values.rounds) })
const place = new Place()

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? Number.NaN

/** A dashboard in a terminal of its own, and how long its first frame took. */
const watch = async (file: string) => {
  const began = performance.now()
  const script = `stty cols 120 rows 40; exec ${binary()} top`
  const env = { ...place.environment(file), TERM: 'xterm-256color', LANG: 'C.UTF-8' }
  const terminal = new Terminal(['sh', '-c', script], { cwd: place.folder, env })
  await terminal.until('● live')
  const firstFrameMs = performance.now() - began
  const pid = processTree(terminal.shown.child.pid ?? 0).at(-1) ?? 0
  return {
    firstFrameMs,
    /** The part of one processor that it takes over some seconds, and the bytes a second that it writes. */
    async cost() {
      await sleep(2_000)
      const [spent, written, since] = [processorSeconds([pid]), terminal.shown.stdout.length, performance.now()]
      await sleep(seconds * 1_000)
      const tookSeconds = (performance.now() - since) / 1_000
      return {
        part: (processorSeconds([pid]) - spent) / tookSeconds,
        bytes: (terminal.shown.stdout.length - written) / tookSeconds,
      }
    },
    async close() {
      terminal.type('q')
      await terminal.shown.ended
    },
  }
}

/** Jobs that are added, started and succeed: 1,000 events a second, until `end` is called. */
const makeEvents = async (file: string) => {
  const broker = SqliteBroker.open(file)
  const identity = { host: 'bench', pid: process.pid, boot: 'bench', startTime: null }
  const worker = await broker.workers.join({ name: 'bench', process: identity, queues: ['busy'] }, systemClock.now())
  const claim = { queues: [{ name: 'busy', weight: 1 }], order: 'strict' as const, limit: 20, worker, leaseMs: 60_000 }
  const job = {
    task: 'noop',
    queue: 'busy',
    payload: { serializer: 'json', text: '{}' },
    priority: null,
    expiresAt: null,
  }
  const rest = { retries: null, options: {}, uniqueKey: null, onConflict: 'ignore' as const, after: [], afterAny: [] }
  const last = { hold: false, tags: [], name: null, meta: null, ref: null }
  let isOver = false
  const first = await broker.events.last()
  const began = performance.now()
  const done = (async () => {
    while (!isOver) {
      const now = systemClock.now()
      await broker.enqueue(
        Array.from({ length: 17 }, () => ({ ...job, ...rest, ...last, dueAt: now.at })),
        now,
      )
      const claimed = await broker.claim(claim, now)
      const succeeded = { to: 'succeeded', event: 'job.succeeded', spent: true, crashed: false, result: null } as const
      const ends = claimed.map(({ id, token, attempt }) => ({
        ...{ kind: 'finished' as const, id, token, attempt, at: systemClock.now().at, startedAt: now.at, pid: null },
        transition: { ...succeeded, exitCode: null },
      }))
      await broker.settle(ends, systemClock.now())
      const behind = (await broker.events.last()) - first - (performance.now() - began)
      await sleep(Math.max(1, behind))
    }
  })()
  return {
    async end() {
      isOver = true
      await done
      const perSecond = ((await broker.events.last()) - first) / ((performance.now() - began) / 1_000)
      await broker.workers.leave(worker, systemClock.now())
      await broker.close()
      return perSecond
    },
  }
}

const percent = (part: number): string => `${(part * 100).toFixed(2)} % of a CPU`

const drained = async (count: number, watched: boolean): Promise<number> => {
  const file = place.newFile('drain.db')
  await fillPaused(file, count, (n) => ({ task: 'noop', payload: payloadOf(n) }))
  const worker = await startWorker(place, { kind: 'binary', options: ['--log-level', 'warn'], file, children: 2 })
  const dashboard = watched ? await watch(file) : null
  const ms = await drainMs(file, count, [worker])
  await dashboard?.close()
  place.removeDatabase(file)
  return (count / ms) * 1_000
}

const costs = async (what: string, file: string): Promise<void> => {
  const frames: number[] = []
  for (const _ of rounds) {
    const dashboard = await watch(file)
    frames.push(dashboard.firstFrameMs)
    await dashboard.close()
  }
  console.log(
    `${what}: first frame ${median(frames).toFixed(0)} ms (of ${frames.map((ms) => ms.toFixed(0)).join(', ')})`,
  )
  const dashboard = await watch(file)
  const idle = await dashboard.cost()
  console.log(`${what}: idle ${percent(idle.part)}, ${idle.bytes.toFixed(0)} bytes/s written`)
  const events = await makeEvents(file)
  const busy = await dashboard.cost()
  const perSecond = await events.end()
  console.log(
    `${what}: ${perSecond.toFixed(0)} events/s ${percent(busy.part)}, ${busy.bytes.toFixed(0)} bytes/s written`,
  )
  await dashboard.close()
}

try {
  const small = place.newFile('small.db')
  await fill(small, 1_000, (n) => ({ task: 'noop', payload: payloadOf(n) }))
  await costs('1,000 jobs', small)
  const large = place.newFile('large.db')
  await fill(large, Number(values.jobs), (n) => ({ task: 'noop', payload: payloadOf(n) }))
  await costs(`${values.jobs} jobs`, large)
  const speeds = { alone: [] as number[], watched: [] as number[] }
  for (const _ of rounds) {
    speeds.alone.push(await drained(Number(values.drain), false))
    speeds.watched.push(await drained(Number(values.drain), true))
  }
  const ratio = median(speeds.watched) / median(speeds.alone)
  console.log(
    `drain: ${median(speeds.alone).toFixed(0)} jobs/s alone, ${median(speeds.watched).toFixed(0)} watched: ${ratio.toFixed(3)} of it`,
  )
} finally {
  await place.remove()
}
