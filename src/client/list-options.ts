import type { JobFilter } from '../broker/broker.ts'
import { JobqError } from '../errors.ts'
import { parseSince } from '../instant.ts'
import { type JobState, jobStates } from '../job.ts'

/** Which jobs to list; what is absent does not filter. */
export interface ListOptions {
  readonly state?: JobState | readonly JobState[]
  readonly queue?: string
  readonly task?: string
  readonly tag?: string
  /** Created since then: an instant, or an age such as `'2h'`. */
  readonly since?: string | number | Date
  readonly limit?: number
  /** Only jobs older than the one with this id. */
  readonly cursor?: number
}

/**
 * What a broker is asked for. `now` is epoch milliseconds.
 * @throws JobqError `usage` for an unknown state and for what is no instant
 */
export const jobFilter = ({ state, since, ...filter }: ListOptions, now: number): JobFilter => {
  const states = typeof state === 'string' ? [state] : state
  const unknown = states?.find((each) => !jobStates.includes(each))
  if (unknown !== undefined) throw new JobqError('usage', `state: ${unknown} is not one of ${jobStates.join(', ')}`)
  return {
    ...filter,
    ...(states === undefined ? {} : { states }),
    ...(since === undefined ? {} : { since: typeof since === 'string' ? parseSince(since, now) : Number(since) }),
  }
}
