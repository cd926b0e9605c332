import type { QueueSummary } from '../../src/broker/broker.ts'
import type { AlikeJob } from '../../src/burst.ts'
import type { Job } from '../../src/job.ts'

/** A job that was added and due at `createdAt` (epoch milliseconds) and waits; and what a test wants to be otherwise. */
export const sampleJob = ({ createdAt = 1_800_000_000_000, ...fields }: Partial<Job> = {}): Job => ({
  id: 7,
  task: 'work',
  queue: 'media',
  state: 'queued',
  hidden: {},
  label: null,
  priority: 5,
  attempt: 0,
  maxAttempts: 1,
  payload: null,
  result: null,
  error: null,
  exitCode: null,
  signal: null,
  progress: null,
  createdAt,
  dueAt: createdAt,
  startedAt: null,
  finishedAt: null,
  expiresAt: null,
  worker: null,
  pid: null,
  unique: null,
  tags: [],
  meta: {},
  name: null,
  after: [],
  afterAny: [],
  serializer: 'json',
  compression: null,
  signedBy: null,
  ref: null,
  options: {},
  crashes: 0,
  cancelling: false,
  claimed: false,
  ...fields,
})

/** A queue without jobs; and what a test wants to be otherwise. */
export const sampleQueue = (name: string, fields: Partial<QueueSummary> = {}): QueueSummary => ({
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
  ...fields,
})

/** What jobs of a burst have in common; and what a test wants to be otherwise. */
export const sampleAlike = (fields: Partial<AlikeJob> = {}): AlikeJob => ({
  token: 1,
  task: 'work',
  queue: 'default',
  priority: 5,
  attempt: 1,
  base: 0,
  retries: null,
  crashes: 0,
  recovered: false,
  options: {},
  trace: null,
  expiresAt: null,
  ...fields,
})
