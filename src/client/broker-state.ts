import type { Broker, QueueSummary } from '../broker/broker.ts'
import type { Moment } from '../clock.ts'
import { type JobState, jobStates } from '../job.ts'
import { liveWorkers } from './live-workers.ts'
import { type WorkerJson, workerJson } from './worker-json.ts'

/** How a whole broker stands at one instant, in the words of `jobq stats`, `queues` and `workers` with `--json`. */
export interface BrokerState {
  /** RFC 3339 in UTC. */
  readonly at: string
  readonly counts: Readonly<Record<JobState, number>>
  readonly queues: readonly QueueSummary[]
  readonly workers: readonly WorkerJson[]
}

/** Reads how a broker stands now. */
export const readState = async (broker: Broker, now: Moment): Promise<BrokerState> => {
  const [queues, workers] = await Promise.all([broker.jobs.queues(now), liveWorkers(broker)])
  return {
    at: new Date(now.at).toISOString(),
    counts: countsOf(queues),
    queues,
    workers: workers.map((worker) => workerJson(worker, now.at)),
  }
}

/** How many jobs there are in each state, over all queues. */
export const countsOf = (queues: readonly QueueSummary[]): Record<JobState, number> => {
  const counts = { blocked: 0, queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0 }
  for (const queue of queues) for (const state of jobStates) counts[state] += queue[state]
  return counts
}
