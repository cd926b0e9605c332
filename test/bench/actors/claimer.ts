// A broker that hands out jobs and settles them, without any process to run them: the price of a turn by itself.
import type { Report } from '../../../src/broker/broker.ts'
import { oneByOne } from '../../../src/burst.ts'
import { connect } from '../../../src/client.ts'
import { systemClock } from '../../../src/clock.ts'
import type { ClaimedJob } from '../../../src/job.ts'
import { playActor } from '../actor.ts'
import { median } from '../figures.ts'
import { payloads } from '../payload.ts'

/** On which file, how often, and how many jobs a turn. */
export interface Claiming {
  readonly file: string
  readonly turns: number
  readonly batch: number
  /** Where the jobs go that take the place of those claimed, spread evenly. */
  readonly queues: readonly string[]
  readonly priorities: readonly number[]
}

/** The medians in milliseconds: of a claim, and of a turn that settles what was claimed before and claims. */
export interface Claimed {
  readonly claimMs: number
  readonly turnMs: number
}

const leaseMs = 60_000

const succeeded = ({ id, token, attempt }: ClaimedJob): Report => {
  const { at } = systemClock.now()
  const transition = { to: 'succeeded', event: 'job.succeeded', spent: true, crashed: false, result: null } as const
  return { kind: 'finished', id, token, attempt, at, startedAt: at, pid: process.pid, transition }
}

await playActor<Claiming, Claimed>(async ({ file, turns, batch, queues, priorities }) => {
  const queue = await connect(file)
  const { broker } = queue
  const now = () => systemClock.now()
  const identity = { host: 'bench', pid: process.pid, boot: '', startTime: null }
  const worker = await broker.workers.join({ name: 'bench', process: identity, queues: null }, now())
  const request = { queues: null, order: 'strict', limit: batch, worker, leaseMs } as const
  const items = payloads(batch).map((payload, index) => ({
    task: 'noop',
    payload,
    queue: queues[Math.floor((index * queues.length) / batch)] ?? 'default',
    priority: priorities[Math.floor((index * priorities.length) / batch)] ?? 5,
  }))
  return async () => {
    const claimTimes: number[] = []
    const turnTimes: number[] = []
    for (let turn = 0; turn < turns; turn++) {
      const begun = performance.now()
      const claimed = await broker.claim(request, now())
      const between = performance.now()
      const settled = await broker.settle(claimed.map(succeeded), now(), request)
      turnTimes.push(performance.now() - between)
      claimTimes.push(between - begun)
      if (claimed.length < batch || settled.claimed.length < batch)
        throw new Error('there was less to claim than wanted')
      await broker.settle(oneByOne(settled.claimed).map(succeeded), now())
      await queue.enqueueMany(items)
      await queue.enqueueMany(items)
    }
    await broker.workers.leave(worker, now())
    await queue.close()
    return { claimMs: median(claimTimes), turnMs: median(turnTimes) }
  }
})
