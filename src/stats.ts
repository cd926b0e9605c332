/**
 * The figures of `jobq stats`, read through the broker's public interfaces only: counts from the queues, throughput from
 * the event log of the last minute, waiting and run times from the jobs that finished last. Both samples are bounded, so
 * that looking at a busy broker costs it little.
 */
import type { Broker, QueueSummary } from './broker/broker.ts'
import type { Moment } from './clock.ts'
import type { EventType } from './event.ts'
import { type Job, type JobState, jobStates } from './job.ts'

/** Percentiles in milliseconds; null where nothing was measured. */
export interface Percentiles {
  readonly p50: number | null
  readonly p95: number | null
  readonly p99: number | null
}

/** How a broker stands at one instant; instants in epoch milliseconds. */
export interface Stats {
  readonly at: number
  readonly counts: Readonly<Record<JobState, number>>
  readonly queues: readonly QueueSummary[]
  /** Jobs that came to an end, a second, over the last minute or since the log began. */
  readonly perSecond: number
  /** From being due to being started, of the jobs that finished last. */
  readonly waitMs: Percentiles
  /** From the start to the end, of the jobs that finished last. */
  readonly runMs: Percentiles
  /** How long the job that is due for the longest time has waited; null when none waits. */
  readonly oldestWaitingMs: number | null
  /** When all that is due now will be done at this throughput; null when nothing is due or nothing moves. */
  readonly drainsAt: number | null
}

const windowMs = 60_000
const maxEvents = 50_000
const pageSize = 5_000
const maxJobs = 500

const ends: ReadonlySet<EventType> = new Set(['job.succeeded', 'job.failed', 'job.rejected'])

/** Reads the figures of a broker as they are at `now`. */
export const readStats = async (broker: Broker, now: Moment): Promise<Stats> => {
  const [queues, sample] = await Promise.all([broker.jobs.queues(now), readSample(broker, now)])
  const jobs = await Promise.all(sample.jobs.map((id) => broker.jobs.get(id, now)))
  return summarize({ at: now.at, queues, perSecond: sample.perSecond, jobs: jobs.filter((job) => job !== null) })
}

/** Puts the figures together from what was read. */
export const summarize = (read: {
  readonly at: number
  readonly queues: readonly QueueSummary[]
  readonly perSecond: number
  readonly jobs: readonly Job[]
}): Stats => {
  const { at, queues, perSecond, jobs } = read
  const counts = Object.fromEntries(jobStates.map((state) => [state, sum(queues.map((queue) => queue[state]))]))
  const due = sum(queues.map((queue) => queue.queued - queue.scheduled))
  const ages = queues.map((queue) => queue.oldestWaitingMs).filter((age) => age !== null)
  return {
    at,
    counts: counts as Record<JobState, number>,
    queues,
    perSecond,
    waitMs: percentiles(jobs.flatMap(({ startedAt, dueAt }) => (startedAt === null ? [] : [startedAt - dueAt]))),
    runMs: percentiles(
      jobs.flatMap(({ startedAt, finishedAt }) =>
        startedAt === null || finishedAt === null ? [] : [finishedAt - startedAt],
      ),
    ),
    oldestWaitingMs: ages.length === 0 ? null : Math.max(...ages),
    drainsAt: due === 0 || perSecond === 0 ? null : at + Math.round((due / perSecond) * 1000),
  }
}

/** The nearest-rank percentiles of some durations; a clock that was set back counts as no time at all. */
export const percentiles = (durationsMs: readonly number[]): Percentiles => {
  const sorted = durationsMs.map((duration) => Math.max(0, duration)).sort((one, other) => one - other)
  const rank = (percent: number): number | null => sorted[Math.ceil((percent / 100) * sorted.length) - 1] ?? null
  return { p50: rank(50), p95: rank(95), p99: rank(99) }
}

const readSample = async (broker: Broker, now: Moment): Promise<{ perSecond: number; jobs: number[] }> => {
  const [minuteAgo, last] = await Promise.all([broker.events.cursorAt(now.at - windowMs), broker.events.last()])
  const start = Math.max(minuteAgo, last - maxEvents)
  const first = (await broker.events.read({ after: start, limit: 1 })).events[0]
  const whole = start === minuteAgo && minuteAgo > 0
  const from = whole || first === undefined ? now.at - windowMs : Math.max(first.at, now.at - windowMs)
  const finished: number[] = []
  for (let cursor = start; cursor < last; ) {
    const page = await broker.events.read({ after: cursor, types: ends, limit: pageSize })
    for (const event of page.events) if (event.job !== null) finished.push(event.job)
    if (page.cursor <= cursor) break
    cursor = page.cursor
  }
  const perSecond = finished.length / (Math.max(1000, now.at - from) / 1000)
  return { perSecond: Math.round(perSecond * 1000) / 1000, jobs: [...new Set(finished.slice(-maxJobs))] }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)
