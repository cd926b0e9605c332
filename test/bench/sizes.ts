/** How much of everything is measured. */
export interface Sizes {
  /** Jobs that W1 drains. */
  readonly drainJobs: number
  /** Jobs that one process enqueues in bulk. */
  readonly bulkJobs: number
  /** How long single enqueues are counted, in milliseconds. */
  readonly singlesForMs: number
  /** Jobs whose latency is taken. */
  readonly latencyJobs: number
  /** Starts of each program for one median. */
  readonly starts: number
  readonly commands: number
  /** How long an idle worker is watched, in milliseconds. */
  readonly idleForMs: number
  readonly crashJobs: number
  /** The numbers of waiting jobs, rising. */
  readonly backlogs: readonly number[]
  /** The numbers of queues that the largest usual backlog is spread over. */
  readonly queues: readonly number[]
  /** Jobs due in a month that one backlog has beside it. */
  readonly scheduled: number
  /** Claims for one median. */
  readonly claims: number
  /** Jobs that a worker takes off each backlog. */
  readonly backlogDrainJobs: number
  /** How often the mixture of durations is repeated. */
  readonly mixtures: number
}

/** What the goals are about. */
export const fullSizes: Sizes = {
  drainJobs: 100_000,
  bulkJobs: 100_000,
  singlesForMs: 2_000,
  latencyJobs: 300,
  starts: 25,
  commands: 500,
  idleForMs: 20_000,
  crashJobs: 20_000,
  backlogs: [1_000, 100_000, 1_000_000],
  queues: [50],
  scheduled: 1_000_000,
  claims: 200,
  backlogDrainJobs: 50_000,
  mixtures: 20,
}

/** Enough to see that everything works, in about a minute; says nothing about speed. */
export const quickSizes: Sizes = {
  drainJobs: 5_000,
  bulkJobs: 5_000,
  singlesForMs: 200,
  latencyJobs: 20,
  starts: 3,
  commands: 50,
  idleForMs: 2_000,
  crashJobs: 3_000,
  backlogs: [1_000, 10_000],
  queues: [50],
  scheduled: 10_000,
  claims: 20,
  backlogDrainJobs: 2_000,
  mixtures: 1,
}

/** Those sizes with ten million waiting jobs, and a thousand queues, as well; takes minutes and gigabytes. */
export const hugeSizes = (sizes: Sizes): Sizes => ({
  ...sizes,
  backlogs: [...sizes.backlogs, 10_000_000],
  queues: [...sizes.queues, 1_000],
})
