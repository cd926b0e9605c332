import { setTimeout as sleep } from 'node:timers/promises'
import type { Broker } from '../broker/broker.ts'
import type { Clock } from '../clock.ts'
import { parseDuration } from '../duration.ts'
import { JobqError } from '../errors.ts'
import { isFinished, type Job } from '../job.ts'

/** How long to wait. */
export interface WaitOptions {
  /** Text (`'5m'`) or milliseconds; default for ever. */
  readonly timeout?: string | number
  /** Gives up, throwing the signal's reason. */
  readonly signal?: AbortSignal
}

/** Time between two looks: short at first, because most jobs that are waited for are. In milliseconds. */
const firstPauseMs = 5
const longestPauseMs = 100

/**
 * The job once it has finished, however.
 * @throws JobqError `not-found`, also for one that is deleted meanwhile; `timeout`
 */
export const awaitJob = async (
  broker: Broker,
  id: number,
  options: WaitOptions & { readonly clock: Clock },
): Promise<Job> => {
  const { timeout, signal, clock } = options
  const deadline = performance.now() + (timeout === undefined ? Number.POSITIVE_INFINITY : parseDuration(timeout))
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 1.5)) {
    signal?.throwIfAborted()
    const job = await broker.jobs.get(id, clock.now())
    if (job === null) throw new JobqError('not-found', `there is no job ${id}`)
    if (isFinished(job.state)) return job
    const leftMs = deadline - performance.now()
    if (leftMs <= 0) throw new JobqError('timeout', `timed out: job ${id} is ${job.state}`)
    await sleep(Math.min(pauseMs, leftMs), undefined, signal === undefined ? {} : { signal }).catch(() =>
      signal?.throwIfAborted(),
    )
  }
}
