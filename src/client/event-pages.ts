/**
 * Reading the event log from a cursor, a page at a time, and going on with what is new. A follower asks for the newest id
 * many times a second, which costs next to nothing, and reads only when it has risen. It outlives a broker that is away:
 * its cursor is all that it needs to go on without a gap and without telling anything twice.
 */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { EventFilter, EventLog } from '../broker/broker.ts'
import { JobqError } from '../errors.ts'
import type { EventsPruned, JobqEvent } from '../event.ts'

/** What lies between two cursors; events that were pruned before are told first, in place of themselves. */
export interface EventStretch {
  readonly events: readonly (EventsPruned | JobqEvent)[]
  /** Where the next one begins. */
  readonly cursor: number
}

/** How to read. */
export interface Reading {
  /** Begin behind this id. */
  readonly after: number
  /** Go on at the end with what is new, until `signal` aborts. */
  readonly follow: boolean
  readonly signal?: AbortSignal
  /** Once this is aborted, what is there by then is the end. */
  readonly finish?: AbortSignal
  /** How often to look for what is new, in milliseconds; default 50. */
  readonly pollMs?: number
  /** Told why the broker cannot be read, whenever the reason is another one, and null when it can be read again. */
  readonly onAway?: (reason: string | null) => void
}

/** The longest pause between two tries to reach a broker that is away, in milliseconds. */
const longestPauseMs = 1_000

/**
 * The log in stretches, in order. One that holds no event moves the cursor only.
 * @throws JobqError `unavailable` unless following, `unusable`
 */
export async function* eventPages(
  log: EventLog,
  filter: Omit<EventFilter, 'after'>,
  reading: Reading,
): AsyncGenerator<EventStretch, void, void> {
  const { follow, signal, finish, pollMs = 50, onAway } = reading
  const gone = signal ?? new AbortController().signal
  const either = AbortSignal.any([gone, ...(finish === undefined ? [] : [finish])])
  let cursor = reading.after
  let end: number | null = null
  let away: string | null = null
  for (let failures = 0; !gone.aborted; ) {
    const goesOn = follow && finish?.aborted !== true
    let stretch: EventStretch | null = null
    try {
      if (!goesOn) end ??= await log.last()
      if (end === null || cursor < end) stretch = await nextStretch(log, filter, cursor)
    } catch (error) {
      if (!goesOn || !(error instanceof JobqError && error.code === 'unavailable')) throw error
      if (error.message !== away) onAway?.(error.message)
      away = error.message
      await pause(Math.min(pollMs * 2 ** failures++, longestPauseMs) * (0.5 + Math.random() / 2), either)
      continue
    }
    if (away !== null) onAway?.(null)
    away = null
    failures = 0
    if (stretch !== null) {
      cursor = stretch.cursor
      yield stretch
      // A broker that answers at once, and a reader who does, would keep the thread until the end of the log.
      await nextTurn()
    } else if (goesOn) await pause(pollMs, either)
    else return
  }
}

/** What lies behind the cursor; null at the end of the log. */
const nextStretch = async (
  log: EventLog,
  filter: Omit<EventFilter, 'after'>,
  cursor: number,
): Promise<EventStretch | null> => {
  const last = await log.last()
  if (last <= cursor) return null
  const page = await log.read({ ...filter, after: cursor })
  return {
    events: page.pruned === null ? page.events : [page.pruned, ...page.events],
    // Where nothing more matches, the page's cursor may stay behind the end.
    cursor: page.cursor > cursor ? page.cursor : last,
  }
}

const pause = async (ms: number, signal: AbortSignal): Promise<void> => {
  try {
    await sleep(ms, undefined, { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
