import type { Broker, Counts, QueueSummary } from '../../broker/broker.ts'
import type { Clock } from '../../clock.ts'
import { otherName } from './meter.ts'

/** Queues that are told of by themselves; those beyond are added up. */
const maxQueues = 200
/** Counts are kept for so long at least, in milliseconds, however often they are asked for. */
const keepMs = 1_000
/** Counting is to take no more than one part in so many of the worker's time. */
const rest = 20

/** The counts of a broker's queues, read no oftener than they change usefully and than the worker can spare. */
export class QueueCounts {
  readonly #broker: Broker
  readonly #clock: Clock
  #counts: Counts | null = null
  #freshUntil = Number.NEGATIVE_INFINITY

  constructor(broker: Broker, clock: Clock) {
    this.#broker = broker
    this.#clock = clock
  }

  /**
   * The queues as they were a second ago or later; those beyond `maxQueues`, by name, as one.
   * @throws JobqError what the broker's `counts` throws
   */
  async read(): Promise<Counts> {
    const begun = performance.now()
    if (this.#counts !== null && begun < this.#freshUntil) return this.#counts
    const { cursor, queues } = await this.#broker.jobs.counts(this.#clock.now())
    const ended = performance.now()
    this.#freshUntil = ended + Math.max(keepMs, (ended - begun) * rest)
    this.#counts = { cursor, queues: bounded(queues) }
    return this.#counts
  }
}

const bounded = (queues: readonly QueueSummary[]): readonly QueueSummary[] => {
  if (queues.length <= maxQueues) return queues
  const told = queues.slice(0, maxQueues).filter(({ name }) => name !== otherName)
  return [...told, queues.filter((queue) => !told.includes(queue)).reduce(together)]
}

const together = (one: QueueSummary, two: QueueSummary): QueueSummary => ({
  name: otherName,
  paused: one.paused && two.paused,
  blocked: one.blocked + two.blocked,
  queued: one.queued + two.queued,
  scheduled: one.scheduled + two.scheduled,
  running: one.running + two.running,
  succeeded: one.succeeded + two.succeeded,
  failed: one.failed + two.failed,
  cancelled: one.cancelled + two.cancelled,
  oldestWaitingMs:
    one.oldestWaitingMs === null && two.oldestWaitingMs === null
      ? null
      : Math.max(one.oldestWaitingMs ?? 0, two.oldestWaitingMs ?? 0),
  limits: {},
})
