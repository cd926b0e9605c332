/**
 * What a worker tells Prometheus, each name with its meaning and where its values are read: the state of the broker,
 * which every worker of it tells alike, and what this worker itself has done since it started.
 */
import { jobStates } from '../../job.ts'
import type { Durations } from './durations.ts'
import type { MeterRow, Turn } from './meter.ts'
import type { Snapshot } from './snapshot.ts'

/** A value with the labels that tell it from others of its name. */
export interface Sample<Value> {
  readonly labels: Readonly<Record<string, string>>
  readonly value: Value
}

/** All values of one name. */
export interface Family<Value> {
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
  read(snapshot: Snapshot): readonly Sample<Value>[]
}

const plain = (value: number | null | undefined): Sample<number>[] => (value == null ? [] : [{ labels: {}, value }])

const childStates = ['starting', 'idle', 'busy', 'stopping'] as const

type Queue = NonNullable<Snapshot['counts']>['queues'][number]

const byQueue =
  (value: (queue: Queue) => number) =>
  ({ counts }: Snapshot): Sample<number>[] =>
    (counts?.queues ?? []).map((queue) => ({ labels: { queue: queue.name }, value: value(queue) }))

const byRow =
  <Value>(value: (row: MeterRow) => Value) =>
  ({ meter }: Snapshot): Sample<Value>[] =>
    meter.rows.map((row) => ({ labels: { queue: row.queue, task: row.task }, value: value(row) }))

const turned = (name: Turn) => byRow(({ turns }) => turns[name])

const residentBytes = ({ work }: Snapshot): number[] =>
  (work?.children ?? []).flatMap(({ rss }) => (rss === null ? [] : [rss]))

/** What may rise and fall. */
export const gauges: readonly Family<number>[] = [
  {
    name: 'jobq_worker_info',
    help: 'Always 1; its labels say which worker this is.',
    labels: ['worker', 'broker'],
    read: ({ name, brokerUrl }) => [{ labels: { worker: name, broker: brokerUrl }, value: 1 }],
  },
  {
    name: 'jobq_broker_up',
    help: 'Whether the worker can use its broker.',
    labels: [],
    read: ({ counts, work }) => plain(counts === null || work?.away === true ? 0 : 1),
  },
  {
    name: 'jobq_broker_file_bytes',
    help: 'Size of the file that holds the queue.',
    labels: [],
    read: ({ file }) => plain(file?.bytes),
  },
  {
    name: 'jobq_broker_wal_bytes',
    help: "Size of that file's write-ahead log.",
    labels: [],
    read: ({ file }) => plain(file?.walBytes),
  },
  {
    name: 'jobq_jobs',
    help: 'Jobs that the broker holds, by queue and state; finished ones until they are pruned.',
    labels: ['queue', 'state'],
    read: ({ counts }) =>
      (counts?.queues ?? []).flatMap((queue) =>
        jobStates.map((state) => ({ labels: { queue: queue.name, state }, value: queue[state] })),
      ),
  },
  {
    name: 'jobq_jobs_scheduled',
    help: 'The part of the queued jobs that is not due yet.',
    labels: ['queue'],
    read: byQueue(({ scheduled }) => scheduled),
  },
  {
    name: 'jobq_oldest_waiting_seconds',
    help: 'For how long the job that is due for the longest time has waited; 0 where none waits.',
    labels: ['queue'],
    read: byQueue(({ oldestWaitingMs }) => (oldestWaitingMs ?? 0) / 1_000),
  },
  {
    name: 'jobq_queue_paused',
    help: 'Whether the queue is paused.',
    labels: ['queue'],
    read: byQueue(({ paused }) => Number(paused)),
  },
  {
    name: 'jobq_pool_size',
    help: 'How many children the worker wants.',
    labels: [],
    read: ({ work }) => plain(work?.wanted),
  },
  {
    name: 'jobq_children',
    help: 'Children that live, by what they do.',
    labels: ['state'],
    read: ({ work }) =>
      work === null
        ? []
        : childStates.map((state) => ({
            labels: { state },
            value: work.children.filter((child) => child.state === state).length,
          })),
  },
  {
    name: 'jobq_children_stuck',
    help: 'Children that have work and do not answer, because a job holds their event loop.',
    labels: [],
    read: ({ work }) => plain(work?.children.filter(({ stuckMs }) => stuckMs !== null).length),
  },
  {
    name: 'jobq_children_resident_bytes',
    help: 'Memory that the children hold together.',
    labels: [],
    read: (snapshot) => plain(residentBytes(snapshot).reduce((total, bytes) => total + bytes, 0)),
  },
  {
    name: 'jobq_largest_child_resident_bytes',
    help: 'Memory that the largest child holds.',
    labels: [],
    read: (snapshot) => plain(Math.max(0, ...residentBytes(snapshot))),
  },
  {
    name: 'jobq_jobs_in_hand',
    help: 'Jobs that the worker has claimed and whose end it has not told yet.',
    labels: [],
    read: ({ work }) => plain(work?.inHand),
  },
  {
    name: 'jobq_reports_waiting',
    help: 'Ends and starts of jobs that wait to be told to the broker.',
    labels: [],
    read: ({ work }) => plain(work?.toReport),
  },
]

/** What only rises, from 0 at the worker's start. */
export const counters: readonly Family<number>[] = [
  {
    name: 'jobq_jobs_finished_total',
    help: 'Jobs that came to their end in this worker, by state.',
    labels: ['queue', 'task', 'state'],
    read: ({ meter }) =>
      meter.rows.flatMap(({ queue, task, finished }) =>
        Object.entries(finished).map(([state, value]) => ({ labels: { queue, task, state }, value })),
      ),
  },
  {
    name: 'jobq_jobs_retried_total',
    help: 'Runs that failed and are to be tried again.',
    labels: ['queue', 'task'],
    read: turned('retried'),
  },
  {
    name: 'jobq_jobs_snoozed_total',
    help: 'Runs that put their job off.',
    labels: ['queue', 'task'],
    read: turned('snoozed'),
  },
  {
    name: 'jobq_jobs_recovered_total',
    help: 'Runs that were cut by the death of their child or by a stop, and went back to the queue.',
    labels: ['queue', 'task'],
    read: turned('recovered'),
  },
  {
    name: 'jobq_jobs_rejected_total',
    help: 'Jobs that could not be run as they are and failed.',
    labels: ['queue', 'task'],
    read: turned('rejected'),
  },
  {
    name: 'jobq_reports_stale_total',
    help: 'Reports that were refused because the lease of their job was lost.',
    labels: [],
    read: ({ meter }) => plain(meter.stale),
  },
  {
    name: 'jobq_child_exits_total',
    help: 'Children that left, by the reason.',
    labels: ['reason'],
    read: ({ meter }) => [...meter.exits].map(([reason, value]) => ({ labels: { reason }, value })),
  },
  {
    name: 'jobq_events_total',
    help: "Events in the broker's log since it was made.",
    labels: [],
    read: ({ counts }) => plain(counts?.cursor),
  },
]

/** How long things took. */
export const histograms: readonly Family<Durations>[] = [
  {
    name: 'jobq_job_run_seconds',
    help: 'How long runs of jobs took, in this worker.',
    labels: ['queue', 'task'],
    read: byRow(({ run }) => run),
  },
  {
    name: 'jobq_job_wait_seconds',
    help: 'From when a run was due to its start, in this worker.',
    labels: ['queue', 'task'],
    read: byRow(({ wait }) => wait),
  },
  {
    name: 'jobq_transaction_seconds',
    help: 'How long the transactions took in which this worker settles what ended and claims what is next.',
    labels: [],
    read: ({ meter }) => [{ labels: {}, value: meter.transactions }],
  },
]
