import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { QueueSummary, WorkerRecord } from '../src/broker/broker.ts'
import type { Job } from '../src/job.ts'
import type { Circumstances } from '../src/why/circumstances.ts'
import { explain } from '../src/why.ts'
import { sampleJob, sampleQueue } from './support/samples.ts'

const now = Date.UTC(2030, 0, 31, 12)
const minute = 60_000

const job = (fields: Partial<Job> = {}): Job =>
  sampleJob({ task: 'mail/send', queue: 'mail', createdAt: now - minute, ...fields })

const queue = (fields: Partial<QueueSummary> = {}): QueueSummary =>
  sampleQueue('mail', { queued: 1, oldestWaitingMs: minute, ...fields })

const worker = (fields: Partial<WorkerRecord> = {}): WorkerRecord => ({
  name: 'web-1:42',
  process: { host: 'web-1', pid: 42, boot: 'b', startTime: '1' },
  queues: null,
  status: 'online',
  size: 2,
  busy: 0,
  processed: 0,
  children: [],
  session: 1,
  startedAt: now - minute,
  heartbeatAt: now - 1_000,
  ...fields,
})

const all = (fields: Partial<Circumstances> = {}): Circumstances => ({
  job: job(),
  queue: queue(),
  workers: [worker()],
  tasks: new Set(['mail/send']),
  dependencies: [],
  now,
  ...fields,
})

interface Row {
  readonly name: string
  readonly given: Partial<Circumstances>
  readonly codes: readonly string[]
  readonly says?: RegExp
}

const rows: readonly Row[] = [
  { name: 'a due job with a free worker', given: {}, codes: ['ready'], says: /^due, and served by web-1:42: about to/ },
  {
    name: 'the others that are due are counted',
    given: { queue: queue({ queued: 9, scheduled: 5 }) },
    codes: ['ready'],
    says: /; 3 other jobs of the queue are due as well$/,
  },
  {
    name: 'every child is busy',
    given: { workers: [worker({ busy: 2 })], queue: queue({ queued: 2 }) },
    codes: ['workers-busy'],
    says: /queue mail are busy \(2 of 2\); 1 other job of the queue is due as well$/,
  },
  {
    name: 'no child starts',
    given: { workers: [worker({ trouble: 'exited with code 7 before it was ready', children: [] })] },
    codes: ['children-failing'],
    says: /^the children of worker web-1:42 do not start: exited with code 7 before it was ready$/,
  },
  {
    name: 'another worker has children that start',
    given: { workers: [worker({ trouble: 'exited with code 7', children: [] }), worker()] },
    codes: ['ready'],
  },
  { name: 'no worker at all', given: { workers: [] }, codes: ['no-worker'], says: /^no worker is running$/ },
  {
    name: 'no worker for this queue',
    given: { workers: [worker({ queues: ['media', 'default'] })] },
    codes: ['no-worker'],
    says: /^none of the 1 worker running serves queue mail$/,
  },
  { name: 'a worker that names this queue', given: { workers: [worker({ queues: ['mail'] })] }, codes: ['ready'] },
  {
    name: 'only a draining worker',
    given: { workers: [worker({ status: 'draining' })] },
    codes: ['workers-stopping'],
    says: /are stopping: web-1:42$/,
  },
  {
    name: 'a paused queue',
    given: { queue: queue({ paused: true }) },
    codes: ['queue-paused'],
    says: /'jobq resume mail'/,
  },
  {
    name: 'a task that no worker knows',
    given: { tasks: new Set(['mail/sent']) },
    codes: ['unknown-task'],
    says: /'mail\/send'/,
  },
  {
    name: 'its task may not start another yet',
    given: { startRate: { task: 'mail/send', rate: { count: 1, perMs: 60_000 }, paidUntil: now + 40_000 } },
    codes: ['start-rate'],
    says: /^task mail\/send may start 1\/m; the next start is possible 2030-01-31T12:00:40\.000Z \(in 40s\)$/,
  },
  { name: 'a command needs no catalog', given: { job: job({ task: 'exec' }), tasks: new Set() }, codes: ['ready'] },
  {
    name: 'not due yet',
    given: { job: job({ dueAt: now + 90 * minute, label: 'scheduled' }) },
    codes: ['not-due'],
    says: /^not due until 2030-01-31T13:30:00\.000Z \(in 1h30m\)$/,
  },
  {
    name: 'backing off',
    given: {
      job: job({
        dueAt: now + minute,
        label: 'retrying',
        attempt: 2,
        maxAttempts: 4,
        error: { type: 'TypeError', message: 'x is not a function\nat y' },
      }),
    },
    codes: ['backing-off'],
    says: /^attempt 2 of 4 failed \(TypeError: x is not a function\); backing off until 2030-01-31T12:01:00\.000Z/,
  },
  {
    name: 'everything at once, each named',
    given: {
      job: job({ dueAt: now + minute, label: 'scheduled', expiresAt: now + 2 * minute, unique: 'report' }),
      queue: queue({ paused: true }),
      workers: [],
      tasks: new Set(),
    },
    codes: ['not-due', 'queue-paused', 'no-worker', 'unknown-task', 'expires', 'unique-holder'],
  },
  {
    name: 'expired but not yet looked at',
    given: { job: job({ expiresAt: now - minute }) },
    codes: ['expired'],
    says: /^expired 2030-01-31T11:59:00\.000Z \(1m ago\) and is cancelled when/,
  },
  {
    name: 'claimed ahead, whatever else holds',
    given: { job: job({ claimed: true, worker: 'web-1:42' }), queue: queue({ paused: true }) },
    codes: ['claimed'],
    says: /^claimed ahead by worker web-1:42/,
  },
  {
    name: 'waits for others',
    given: {
      job: job({ state: 'blocked', after: [3, 4], afterAny: [5, 6] }),
      dependencies: [
        { id: 3, state: 'running' },
        { id: 4, state: 'succeeded' },
        { id: 5, state: 'queued' },
        { id: 6, state: null },
      ],
    },
    codes: ['waits-for', 'waits-for'],
    says: /^waits until job 3, which is running, has succeeded\nwaits until job 5, which is queued, has finished$/,
  },
  {
    name: 'waits for another in a paused queue',
    given: {
      job: job({ state: 'blocked', after: [3] }),
      dependencies: [{ id: 3, state: 'running' }],
      queue: queue({ paused: true }),
    },
    codes: ['waits-for', 'queue-paused'],
  },
  { name: 'held by hand', given: { job: job({ state: 'blocked' }) }, codes: ['held'], says: /'jobq release 7'/ },
  {
    name: 'running',
    given: {
      job: job({ state: 'running', attempt: 1, worker: 'web-1:42', pid: 99, startedAt: now - 5_000, unique: 'k' }),
    },
    codes: ['running', 'unique-holder'],
    says: /^attempt 1 of 1 is running on worker web-1:42 \(pid 99\) since 2030-01-31T11:59:55\.000Z \(5s ago\)/,
  },
  {
    name: 'running and asked to end, on a silent worker',
    given: {
      job: job({ state: 'running', attempt: 1, worker: 'web-1:42', startedAt: now - 5_000, cancelling: true }),
      workers: [worker({ heartbeatAt: now - minute })],
    },
    codes: ['running', 'cancelling', 'worker-silent'],
  },
  {
    name: 'running on a worker that is gone',
    given: { job: job({ state: 'running', attempt: 3, worker: 'web-9:1' }) },
    codes: ['running', 'worker-gone'],
    says: /runs attempt 3 again$/,
  },
  {
    name: 'succeeded',
    given: { job: job({ state: 'succeeded', attempt: 1, startedAt: now - 1_500, finishedAt: now, unique: 'k' }) },
    codes: ['succeeded'],
    says: /^attempt 1 succeeded after 1\.5s at 2030-01-31T12:00:00\.000Z$/,
  },
  {
    name: 'failed',
    given: {
      job: job({
        state: 'failed',
        attempt: 2,
        maxAttempts: 2,
        finishedAt: now,
        error: { type: 'Fail', message: 'no' },
      }),
    },
    codes: ['failed'],
    says: /^failed in attempt 2 of 2 with Fail: no at .*; 'jobq retry 7'/,
  },
  {
    name: 'rejected before it ran',
    given: {
      job: job({ state: 'failed', finishedAt: now, error: { type: 'UnknownTask', message: 'nobody knows it' } }),
    },
    codes: ['failed'],
    says: /^failed before its first attempt with UnknownTask/,
  },
  ...(
    [
      ['Cancelled', 'cancelled'],
      ['Expired', 'expired'],
      ['DependencyFailed', 'dependency-failed'],
      ['Purged', 'purged'],
    ] as const
  ).map(
    ([type, code]): Row => ({
      name: `cancelled: ${type}`,
      given: { job: job({ state: 'cancelled', finishedAt: now, error: { type, message: 'job 3 failed' } }) },
      codes: [code],
      says: /^cancelled at 2030-01-31T12:00:00\.000Z: job 3 failed$/,
    }),
  ),
]

describe('explain', () => {
  for (const row of rows) {
    test(row.name, () => {
      const reasons = explain(all(row.given))
      assert.deepEqual(
        reasons.map((reason) => reason.code),
        row.codes,
      )
      if (row.says) assert.match(reasons.map((reason) => reason.text).join('\n'), row.says)
    })
  }
})
