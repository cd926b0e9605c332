/** Waiting for jobs to end, and what their ends mean for the exit code. Follows the event log, so that the number of jobs waited for costs nothing. */
import os from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Broker } from '../src/broker/broker.ts'
import { systemClock } from '../src/clock.ts'
import { JobqError } from '../src/errors.ts'
import type { EventType, JobqEvent } from '../src/event.ts'
import { commandTask, isFinished, type Job } from '../src/job.ts'
import type { Output } from './output.ts'

/** How to wait. */
export interface WaitOptions {
  /** Give up after this long; null never. */
  readonly timeoutMs: number | null
  /** One is enough. */
  readonly any: boolean
  /** Told of every event of these jobs that comes meanwhile. */
  readonly onEvent?: (event: JobqEvent) => void
  /** Told again and again how many have not finished. */
  readonly onLook?: (left: number) => void
}

const ends: ReadonlySet<EventType> = new Set(['job.succeeded', 'job.failed', 'job.cancelled', 'job.rejected'])

/**
 * Resolves to the jobs as they are once all (or any) of them have finished, in the order of the ids.
 * @throws JobqError `not-found` for one that does not exist or is deleted meanwhile, `timeout`
 */
export const waitForJobs = async (broker: Broker, ids: readonly number[], options: WaitOptions): Promise<Job[]> => {
  const { timeoutMs, any, onEvent, onLook } = options
  const deadline = performance.now() + (timeoutMs ?? Number.POSITIVE_INFINITY)
  const get = async (id: number): Promise<Job> => {
    const job = await broker.jobs.get(id, systemClock.now())
    if (job === null) throw new JobqError('not-found', `there is no job ${id}`)
    return job
  }
  let cursor = await broker.events.last()
  const jobs = new Map<number, Job>()
  for (const id of ids) jobs.set(id, await get(id))
  const types = onEvent === undefined ? { types: ends } : {}
  for (let round = 0; ; round++) {
    const left = [...jobs.values()].filter(({ state }) => !isFinished(state))
    if (left.length === 0 || (any && left.length < jobs.size)) return [...jobs.values()]
    onLook?.(left.length)
    if (performance.now() >= deadline) {
      const others = left.length > 1 ? ` and ${left.length - 1} more` : ''
      throw new JobqError('timeout', `timed out: job ${left[0]?.id} is ${left[0]?.state}${others}`)
    }
    const page = await broker.events.read({ after: cursor, limit: 1_000, ...types })
    cursor = page.cursor
    const ours = page.events.filter(({ job }) => job !== null && jobs.has(job))
    for (const event of ours) onEvent?.(event)
    const ended = ours.flatMap(({ job, type }) => (job !== null && ends.has(type) ? [job] : []))
    for (const id of page.pruned === null ? ended : left.map(({ id }) => id)) jobs.set(id, await get(id))
    if (page.events.length === 0)
      await sleep(Math.min(round < 50 ? 20 : 100, Math.max(0, deadline - performance.now())))
  }
}

/** As `waitForJobs`, showing on a terminal how far the jobs are. */
export const waitShown = async (
  broker: Broker,
  ids: readonly number[],
  { output, ...options }: Omit<WaitOptions, 'onEvent' | 'onLook'> & { readonly output: Output },
): Promise<Job[]> => {
  const [first] = ids
  const alone = ids.length === 1
  const progress = output.progress(alone ? `job ${first}` : 'waiting')
  if (!progress.shown) return waitForJobs(broker, ids, options)
  let fraction: number | null = null
  const onEvent = ({ type, data }: JobqEvent): void => {
    if (type === 'job.progress') fraction = Number(data.fraction)
    else if (type === 'job.started') fraction = null
  }
  const onLook = (left: number): void => {
    if (!alone) progress.update(ids.length - left, ids.length, 'jobs have finished')
    else if (fraction !== null) progress.update(fraction * 100, 100, '%')
    else progress.say('has not finished')
  }
  try {
    return await waitForJobs(broker, ids, { ...options, onLook, ...(alone ? { onEvent } : {}) })
  } finally {
    progress.end()
  }
}

/** The exit code that says how a job ended: 0 if it succeeded; a command's own code, or 128 and the signal that killed it; else 4. */
export const exitCodeOf = (job: Job): number => {
  if (job.state === 'succeeded') return 0
  if (job.task !== commandTask) return 4
  const signal = Object.entries(os.constants.signals).find(([name]) => name === job.signal)?.[1]
  if (signal !== undefined) return 128 + signal
  return job.exitCode !== null && job.exitCode > 0 ? job.exitCode : 4
}

/** The exit code for several jobs: that of the only one, or 4 unless all succeeded. */
export const exitCodeOfAll = (jobs: readonly Job[]): number => {
  const [first] = jobs
  if (first !== undefined && jobs.length === 1) return exitCodeOf(first)
  return jobs.every(({ state }) => state === 'succeeded') ? 0 : 4
}
