import { systemClock } from '../src/clock.ts'
import { JobqError } from '../src/errors.ts'
import type { Job } from '../src/job.ts'
import type { Queue } from './session.ts'

/**
 * The job with this id.
 * @throws JobqError `not-found`
 */
export const foundJob = async (queue: Queue, id: number): Promise<Job> => {
  const job = await queue.broker.jobs.get(id, systemClock.now())
  if (job === null) throw new JobqError('not-found', `there is no job ${id}`)
  return job
}
