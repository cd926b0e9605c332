import type { EventFilter, EventLog } from '../broker/broker.ts'
import { JobqError } from '../errors.ts'
import { type EventsPruned, type EventType, type JobqEvent, matchEventTypes } from '../event.ts'
import { eventPages } from './event-pages.ts'

/** Which events to read, and whether to go on with new ones. */
export interface EventOptions {
  /** Only those behind this event id; default the beginning, or with `follow` the present end. */
  readonly after?: number
  /** Names of types, with `*` at the end for all that begin so: `['job.failed', 'worker.*']`. */
  readonly types?: readonly string[]
  /** Only those of this job. */
  readonly job?: number
  /** Go on with new ones until `signal` aborts, also after the broker was away for a while. */
  readonly follow?: boolean
  readonly signal?: AbortSignal
}

const pageSize = 1_000

/**
 * The events of a log in their order; in place of those that were pruned before they were read, the word that they were.
 * @throws JobqError `usage` for an unknown type
 */
export const readEvents = (
  log: EventLog,
  options: EventOptions,
): AsyncGenerator<JobqEvent | EventsPruned, void, void> => {
  const { types, job } = options
  const filter = {
    limit: pageSize,
    ...(types === undefined ? {} : { types: checkTypes(types) }),
    ...(job === undefined ? {} : { job }),
  }
  return stream(log, filter, options)
}

async function* stream(
  log: EventLog,
  filter: Omit<EventFilter, 'after'>,
  { after, follow = false, signal }: EventOptions,
): AsyncGenerator<JobqEvent | EventsPruned, void, void> {
  const start = after ?? (follow ? await log.last() : 0)
  const reading = { after: start, follow, ...(signal === undefined ? {} : { signal }) }
  for await (const { events } of eventPages(log, filter, reading)) {
    for (const event of events) {
      if (signal?.aborted === true) return
      yield event
    }
  }
}

const checkTypes = (types: readonly string[]): ReadonlySet<EventType> => {
  try {
    return matchEventTypes(types)
  } catch (error) {
    throw new JobqError('usage', `types: ${(error as Error).message}`, { cause: error })
  }
}
