import { setTimeout as sleep } from 'node:timers/promises'
import type { EventFilter, EventLog } from '../broker/broker.ts'
import { JobqError } from '../errors.ts'
import { type EventsPruned, type EventType, type JobqEvent, matchEventTypes } from '../event.ts'

/** Which events to read, and whether to go on with new ones. */
export interface EventOptions {
  /** Only those behind this event id; default the beginning, or with `follow` the present end. */
  readonly after?: number
  /** Names of types, with `*` at the end for all that begin so: `['job.failed', 'worker.*']`. */
  readonly types?: readonly string[]
  /** Only those of this job. */
  readonly job?: number
  /** Go on with new ones until `signal` aborts. */
  readonly follow?: boolean
  readonly signal?: AbortSignal
}

const pageSize = 1_000

/** How often a follower asks for the newest id, in milliseconds. */
const pollMs = 50

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
  options: EventOptions,
): AsyncGenerator<JobqEvent | EventsPruned, void, void> {
  const { follow = false, signal } = options
  const aborted = (): boolean => signal?.aborted === true
  let cursor = options.after ?? (follow ? await log.last() : 0)
  while (!aborted()) {
    const last = await log.last()
    while (cursor < last) {
      const page = await log.read({ ...filter, after: cursor })
      if (page.pruned !== null) yield page.pruned
      for (const event of page.events) {
        if (aborted()) return
        yield event
      }
      // Where nothing more matches, the cursor may stay behind the end.
      cursor = page.cursor > cursor ? page.cursor : last
    }
    if (!follow) return
    await pause(signal)
  }
}

const pause = async (signal: AbortSignal | undefined): Promise<void> => {
  try {
    await sleep(pollMs, undefined, signal === undefined ? {} : { signal })
  } catch (error) {
    if (signal?.aborted !== true) throw error
  }
}

const checkTypes = (types: readonly string[]): ReadonlySet<EventType> => {
  try {
    return matchEventTypes(types)
  } catch (error) {
    throw new JobqError('usage', `types: ${(error as Error).message}`, { cause: error })
  }
}
