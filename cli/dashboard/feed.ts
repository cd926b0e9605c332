/**
 * What happens now: the picture of the broker and the events since the last look. Every look is a few short reads; how many
 * events it takes in and how often it counts follow from what they cost, so that a watcher of a busy broker stays a small
 * part of the load. Where more happens than is read, a part of it stands for the whole.
 */
import type { Broker, QueueSummary } from '../../src/broker/broker.ts'
import { liveWorkers } from '../../src/client/live-workers.ts'
import type { Clock } from '../../src/clock.ts'
import type { EventsPruned, JobqEvent } from '../../src/event.ts'
import type { Job } from '../../src/job.ts'
import { readWaits } from './history.ts'
import { emptyQueue, type Picture } from './picture.ts'
import type { Wait } from './series.ts'
import { standingAfter, standingBefore } from './transition.ts'

/** What one look found. */
export interface Look {
  readonly picture: Picture
  /** The events since the last look; each stands for `weight`. */
  readonly events: readonly JobqEvent[]
  readonly weight: number
  readonly pruned: EventsPruned | null
  readonly waits: readonly Wait[]
}

/** Events read in one look at the most. */
const eventsAtMost = 600
const pageSize = 300
const waitsAtMost = 6
/** Runs longer than the screen is high are never shown. */
const runningAtMost = 100
/** Counting may take this part of the time. */
const countingShare = 1 / 80
const leastBetweenCountsMs = 450
const idleBetweenCountsMs = 5_000
const betweenWorkersMs = 900

/** A reader that looks again and again. */
export class Feed {
  readonly #broker: Broker
  readonly #clock: Clock
  #cursor: number | null = null
  #picture: Picture | null = null
  #changed = false
  #countAgain = 0
  #workersAgain = 0

  constructor(broker: Broker, clock: Clock) {
    this.#broker = broker
    this.#clock = clock
  }

  /** Looks once; null where nothing has changed. */
  async look(): Promise<Look | null> {
    const now = this.#clock.now()
    const news = await this.#news()
    if (news.events.length > 0) this.#changed = true
    const before = this.#picture
    const counted = await this.#count(now.tick, news)
    const workers = now.tick >= this.#workersAgain || before === null ? await liveWorkers(this.#broker) : null
    if (workers !== null) this.#workersAgain = now.tick + betweenWorkersMs
    if (before !== null && counted === null && workers === null && news.events.length === 0) return null
    const waits = await readWaits(this.#broker, news.events, { most: waitsAtMost, now })
    const moved = news.events.some((event) => event.type === 'job.progress' || standingAfter(event) !== null)
    const running = before === null || moved || counted !== null ? await this.#running() : before.running
    const picture: Picture = {
      at: now.at,
      cursor: this.#cursor ?? 0,
      queues: counted?.queues ?? before?.queues ?? [],
      running,
      workers: workers ?? before?.workers ?? [],
      current: counted?.current ?? before?.current ?? true,
    }
    const same = before !== null && news.events.length === 0 && isSame(before, picture)
    this.#picture = picture
    return same ? null : { picture, waits, ...news }
  }

  async #news(): Promise<Pick<Look, 'events' | 'weight' | 'pruned'>> {
    const log = this.#broker.events
    const last = await log.last()
    if (this.#cursor === null) {
      this.#cursor = last
      return { events: [], weight: 1, pruned: null }
    }
    const behind = last - this.#cursor
    const from = behind > eventsAtMost ? last - eventsAtMost : this.#cursor
    const events: JobqEvent[] = []
    let pruned: EventsPruned | null = null
    for (let cursor = from; cursor < last; ) {
      const page = await log.read({ after: cursor, limit: Math.min(pageSize, last - cursor) })
      pruned ??= page.pruned
      events.push(...page.events)
      if (page.cursor <= cursor) break
      cursor = page.cursor
    }
    this.#cursor = last
    return { events, weight: behind > eventsAtMost ? behind / eventsAtMost : 1, pruned }
  }

  /** The queues counted anew, or as the events have changed them; null where nothing has. */
  async #count(
    tick: number,
    { events, weight }: Pick<Look, 'events' | 'weight'>,
  ): Promise<{ queues: readonly QueueSummary[]; current: boolean } | null> {
    const before = this.#picture
    if (
      before === null ||
      (tick >= this.#countAgain && this.#changed) ||
      tick >= this.#countAgain + idleBetweenCountsMs
    ) {
      const began = performance.now()
      const { queues } = await this.#broker.jobs.counts(this.#clock.now())
      const cost = performance.now() - began
      this.#countAgain = tick + Math.max(leastBetweenCountsMs, cost / countingShare)
      this.#changed = false
      return { queues, current: true }
    }
    if (events.length === 0) return null
    return { queues: moveJobs(before.queues, events, weight), current: weight === 1 && before.current }
  }

  async #running(): Promise<Picture['running']> {
    const now = this.#clock.now()
    const jobs = await this.#broker.jobs.list({ states: ['running'], limit: runningAtMost, order: 'oldest' }, now)
    return jobs.map((job: Job) => ({ job, since: job.startedAt ?? now.at }))
  }
}

type Moving = { -readonly [Field in keyof QueueSummary]: QueueSummary[Field] }

const isSame = (one: Picture, other: Picture): boolean =>
  JSON.stringify([one.queues.map(withoutAge), one.workers]) ===
  JSON.stringify([other.queues.map(withoutAge), other.workers])

/** How long the oldest job has waited grows by itself. */
const withoutAge = (queue: QueueSummary): QueueSummary => ({ ...queue, oldestWaitingMs: null })

/** The queues after these events, as far as the events alone tell; the next count sets it right. */
export const moveJobs = (
  queues: readonly QueueSummary[],
  events: readonly JobqEvent[],
  weight: number,
): QueueSummary[] => {
  const byName = new Map(queues.map((queue): [string, Moving] => [queue.name, { ...queue }]))
  for (const event of events) {
    const after = standingAfter(event)
    const before = standingBefore(event)
    if (after === null || before === null || event.queue === null) continue
    const queue: Moving = byName.get(event.queue) ?? { ...emptyQueue(event.queue) }
    if (before !== 'absent') queue[before] = Math.max(0, queue[before] - weight)
    queue[after] += weight
    byName.set(event.queue, queue)
  }
  return [...byName.values()].map((queue) => ({
    ...queue,
    queued: Math.round(queue.queued),
    running: Math.round(queue.running),
    succeeded: Math.round(queue.succeeded),
    failed: Math.round(queue.failed),
  }))
}
