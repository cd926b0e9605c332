/** The event log's vocabulary. Every transition of a job writes one of these in the same transaction. */
export const eventTypes = [
  'job.queued',
  'job.started',
  'job.progress',
  'job.succeeded',
  'job.failed',
  'job.snoozed',
  'job.retried',
  'job.requeued',
  'job.replaced',
  'job.released',
  'job.cancelled',
  'job.rejected',
  'job.recovered',
  'job.stale',
  'worker.online',
  'worker.heartbeat',
  'worker.offline',
  'pool.grown',
  'pool.shrunk',
  'child.started',
  'child.exited',
  'tasks.reloaded',
  'cron.fired',
  'queue.paused',
  'queue.resumed',
] as const

/** One of the names in `eventTypes`. Their order is their stored code: append, never reorder. */
export type EventType = (typeof eventTypes)[number]

/** One entry of the log. `id` rises strictly and is the cursor; `at` is epoch milliseconds. */
export interface JobqEvent {
  readonly id: number
  readonly at: number
  readonly type: EventType
  readonly job: number | null
  readonly task: string | null
  readonly queue: string | null
  readonly worker: string | null
  readonly attempt: number | null
  /** What the type adds, e.g. `runtimeMs`, `dueAt`, `error`. */
  readonly data: Readonly<Record<string, unknown>>
}

/** An event that belongs to no transition of a job, appended by a worker. */
export interface NewEvent {
  readonly type: EventType
  readonly at: number
  readonly worker?: string | null
  readonly queue?: string | null
  readonly data?: Readonly<Record<string, unknown>>
}

/** Told in place of events that were pruned before a reader came to them; both ends inclusive. */
export interface EventsPruned {
  readonly type: 'events.pruned'
  readonly from: number
  readonly to: number
}

/**
 * Turns `job.failed,worker.*` into the set of types it names.
 * @throws Error naming the first word that matches no type.
 */
export const matchEventTypes = (patterns: readonly string[]): ReadonlySet<EventType> => {
  const found = new Set<EventType>()
  for (const pattern of patterns) {
    const prefix = pattern.endsWith('*') ? pattern.slice(0, -1) : null
    const matches = eventTypes.filter((type) => (prefix === null ? type === pattern : type.startsWith(prefix)))
    if (matches.length === 0) throw new Error(`unknown event type '${pattern}'; known: ${eventTypes.join(', ')}`)
    for (const type of matches) found.add(type)
  }
  return found
}
