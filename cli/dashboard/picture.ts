import type { QueueSummary, WorkerRecord } from '../../src/broker/broker.ts'
import type { Job, JobState } from '../../src/job.ts'
import { jobStates } from '../../src/job.ts'

/** A job that runs, and since when. */
export interface RunningJob {
  readonly job: Job
  /** Epoch milliseconds. */
  readonly since: number
}

/** How a broker stands at one instant, be it now or in the past. */
export interface Picture {
  /** Epoch milliseconds. */
  readonly at: number
  /** The event up to which it holds. */
  readonly cursor: number
  readonly queues: readonly QueueSummary[]
  readonly running: readonly RunningJob[]
  /** In the past, only the names of those that were online are known, and nothing of their children. */
  readonly workers: readonly WorkerRecord[]
  /** False while more happens than is read: counts are those of a moment ago. */
  readonly current: boolean
}

/** All jobs of a picture by state. */
export const countsOf = ({ queues }: Picture): Readonly<Record<JobState, number>> => {
  const counts = { blocked: 0, queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0 }
  for (const queue of queues) for (const state of jobStates) counts[state] += queue[state]
  return counts
}

/** A queue of which nothing is known but its name. */
export const emptyQueue = (name: string): QueueSummary => ({
  name,
  paused: false,
  blocked: 0,
  queued: 0,
  scheduled: 0,
  running: 0,
  succeeded: 0,
  failed: 0,
  cancelled: 0,
  oldestWaitingMs: null,
  limits: {},
})
