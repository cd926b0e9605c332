/**
 * The figures of `jobq stats`, read through the broker's public interfaces only: counts from the queues, throughput from
 * the event log of a window of time, waiting and run times from jobs that ended in it. Both samples are bounded, so that
 * looking at a busy broker costs it little.
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

/** A queue, and how it moves. */
export interface QueueStats extends QueueSummary {
  /** Jobs that came to an end, a second, over the window. */
  readonly perSecond: number
  /** When all of it that is due now will be done at this throughput; null when nothing is due or nothing moves. */
  readonly drainsAt: number | null
}

/** How a broker stands at one instant; instants in epoch milliseconds. */
export interface Stats {
  readonly at: number
  readonly counts: Readonly<Record<JobState, number>>
  readonly queues: readonly QueueStats[]
  /** What `perSecond`, `waitMs` and `runMs` are about: so long before `at`, in milliseconds, or less where the log is shorter. */
  readonly windowMs: number
  /** Jobs that came to an end, a second. */
  readonly perSecond: number
  /** From being due to being started, of jobs that came to an end. */
  readonly waitMs: Percentiles
  /** From the start to the end, of jobs that came to an end. */
  readonly runMs: Percentiles
  /** How long the job that is due for the longest time has waited; null when none waits. */
  readonly oldestWaitingMs: number | null
  /** When all that is due now will be done at this throughput; null when nothing is due or nothing moves. */
  readonly drainsAt: number | null
}

/** How long the window of `readStats` is unless told otherwise, in milliseconds. */
export const usualWindowMs = 60_000

const maxEvents = 50_000
const pageSize = 5_000
const maxJobs = 500

const ends: ReadonlySet<EventType> = new Set(['job.succeeded', 'job.failed', 'job.rejected'])

/** Reads the figures of a broker as they are at `now`, over the time before it. */
export const readStats = async (broker: Broker, now: Moment, windowMs = usualWindowMs): Promise<Stats> => {
  const [queues, sample] = await Promise.all([broker.jobs.queues(now), readSample(broker, now, windowMs)])
  const jobs = await Promise.all(sample.jobs.map((id) => broker.jobs.get(id, now)))
  return summarize({ at: now.at, queues, ...sample, jobs: jobs.filter((job) => job !== null) })
}

/** Puts the figures together from what was read: `ended` are ends by queue, `jobs` a sample of what has ended. */
export const summarize = (read: {
  readonly at: number
  readonly queues: readonly QueueSummary[]
  readonly windowMs: number
  readonly ended: ReadonlyMap<string, number>
  readonly jobs: readonly Job[]
}): Stats => {
  const { at, queues, windowMs, ended, jobs } = read
  const counts = Object.fromEntries(jobStates.map((state) => [state, sum(queues.map((queue) => queue[state]))]))
  const due = sum(queues.filter(({ paused }) => !paused).map(dueOf))
  const ages = queues.map((queue) => queue.oldestWaitingMs).filter((age) => age !== null)
  const perSecond = rate(sum([...ended.values()]), windowMs)
  return {
    at,
    counts: counts as Record<JobState, number>,
    queues: queues.map((queue) => {
      const own = rate(ended.get(queue.name) ?? 0, windowMs)
      return { ...queue, perSecond: own, drainsAt: queue.paused ? null : drainsAt(at, dueOf(queue), own) }
    }),
    windowMs,
    perSecond,
    waitMs: percentiles(jobs.flatMap(({ startedAt, dueAt }) => (startedAt === null ? [] : [startedAt - dueAt]))),
    runMs: percentiles(
      jobs.flatMap(({ startedAt, finishedAt }) =>
        startedAt === null || finishedAt === null ? [] : [finishedAt - startedAt],
      ),
    ),
    oldestWaitingMs: ages.length === 0 ? null : Math.max(...ages),
    drainsAt: drainsAt(at, due, perSecond),
  }
}

const dueOf = ({ queued, scheduled }: QueueSummary): number => queued - scheduled

const rate = (count: number, windowMs: number): number => Math.round((count / (windowMs / 1_000)) * 1_000) / 1_000

const drainsAt = (at: number, due: number, perSecond: number): number | null =>
  due === 0 || perSecond === 0 ? null : at + Math.round((due / perSecond) * 1_000)

/** The nearest-rank percentiles of some durations; a clock that was set back counts as no time at all. */
export const percentiles = (durationsMs: readonly number[]): Percentiles => {
  const sorted = durationsMs.map((duration) => Math.max(0, duration)).sort((one, other) => one - other)
  const rank = (percent: number): number | null => sorted[Math.ceil((percent / 100) * sorted.length) - 1] ?? null
  return { p50: rank(50), p95: rank(95), p99: rank(99) }
}

interface Sample {
  readonly windowMs: number
  readonly ended: ReadonlyMap<string, number>
  readonly jobs: readonly number[]
}

const readSample = async (broker: Broker, now: Moment, windowMs: number): Promise<Sample> => {
  const [begin, last] = await Promise.all([broker.events.cursorAt(now.at - windowMs), broker.events.last()])
  const start = Math.max(begin, last - maxEvents)
  const first = (await broker.events.read({ after: start, limit: 1 })).events[0]
  const whole = start === begin && begin > 0
  const from = whole || first === undefined ? now.at - windowMs : Math.max(first.at, now.at - windowMs)
  const jobs: number[] = []
  const ended = new Map<string, number>()
  for (let cursor = start; cursor < last; ) {
    const page = await broker.events.read({ after: cursor, types: ends, limit: pageSize })
    for (const { job, queue } of page.events) {
      if (job !== null) jobs.push(job)
      if (queue !== null) ended.set(queue, (ended.get(queue) ?? 0) + 1)
    }
    if (page.cursor <= cursor) break
    cursor = page.cursor
  }
  return { windowMs: Math.max(1_000, now.at - from), ended, jobs: spread([...new Set(jobs)]) }
}

/** At most `maxJobs` of them, from the whole of the time. */
const spread = (jobs: readonly number[]): number[] => {
  const step = Math.max(1, jobs.length / maxJobs)
  return Array.from({ length: Math.min(jobs.length, maxJobs) }, (_, index) => jobs[Math.floor(index * step)] ?? 0)
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)
