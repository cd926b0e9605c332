import type { JobqEvent, NewEvent } from '../../event.ts'
import type { EventFilter, EventLog, EventPage } from '../broker.ts'
import type { MemoryStore } from './memory-store.ts'

/** The event log of a memory broker. */
export class MemoryEventLog implements EventLog {
  readonly #store: MemoryStore

  constructor(store: MemoryStore) {
    this.#store = store
  }

  async append(events: readonly NewEvent[]): Promise<void> {
    for (const { type, at, ...fields } of events) this.#store.log(type, at, fields)
  }

  async read(filter: EventFilter): Promise<EventPage> {
    const { after, types, job, limit } = filter
    const firstKept = this.#firstKept()
    const pruned = after + 1 < firstKept ? { type: 'events.pruned' as const, from: after + 1, to: firstKept - 1 } : null
    const events: JobqEvent[] = []
    let cursor = Math.max(after, firstKept - 1)
    for (const event of this.#store.events.slice(Math.max(0, after + 1 - firstKept))) {
      if (events.length >= limit) break
      cursor = event.id
      if ((types === undefined || types.has(event.type)) && (job === undefined || event.job === job)) events.push(event)
    }
    return { events, pruned, cursor }
  }

  async last(): Promise<number> {
    return this.#store.last.event
  }

  async cursorAt(at: number): Promise<number> {
    const first = this.#store.events.find((event) => event.at >= at)
    return first === undefined ? this.#store.last.event : first.id - 1
  }

  async prune(options: { readonly before: number; readonly keep: number; readonly limit: number }): Promise<number> {
    const { events } = this.#store
    const kept = events.findIndex((event, index) => event.at >= options.before && events.length - index <= options.keep)
    const count = Math.min(kept === -1 ? events.length : kept, options.limit)
    events.splice(0, count)
    return count
  }

  /** The id of the oldest event there is, or that the next one will have. */
  #firstKept(): number {
    return this.#store.events[0]?.id ?? this.#store.last.event + 1
  }
}
