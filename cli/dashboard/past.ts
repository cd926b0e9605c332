/**
 * Time travel. A state and its event are committed together, so the log read backwards from a picture of now gives the state
 * of every job after any event of it, exactly. What was walked once is kept: another step reads only what lies between.
 *
 * Two things are not in the log. Jobs that were deleted since then do not count among the finished ones of the past, and of
 * workers only their coming and going is known.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Broker, QueueSummary, WorkerRecord } from '../../src/broker/broker.ts'
import type { Clock } from '../../src/clock.ts'
import type { JobqEvent } from '../../src/event.ts'
import type { Job, JobState } from '../../src/job.ts'
import { emptyQueue, type Picture, type RunningJob } from './picture.ts'
import { type Standing, standingAfter, standingBefore } from './transition.ts'

/** Where a job stood. */
interface Place {
  readonly standing: Standing
  readonly queue: string
  /** When its run began, where it ran; null where the log does not say. */
  readonly since: number | null
}

type Counts = Record<JobState, number>

const pageSize = 1_000
const runningAtMost = 200

/** The instants that can be travelled to, and the state of everything then. */
export class Past {
  readonly #broker: Broker
  readonly #clock: Clock
  readonly #counts = new Map<string, Counts>()
  readonly #paused = new Map<string, boolean>()
  readonly #places = new Map<number, Place>()
  readonly #workers = new Map<string, WorkerRecord>()
  #cursor = 0
  /** What happened up to this event is known; where the past was begun, or caught up with. */
  #known = 0

  private constructor(broker: Broker, clock: Clock) {
    this.#broker = broker
    this.#clock = clock
  }

  /** The present, from which to go back. */
  static async begin(broker: Broker, clock: Clock): Promise<Past> {
    const past = new Past(broker, clock)
    for (const worker of await broker.workers.list()) past.#workers.set(worker.name, worker)
    const { cursor, queues } = await broker.jobs.counts(clock.now())
    past.#cursor = cursor
    past.#known = cursor
    for (const { name, paused, blocked, queued, running, succeeded, failed, cancelled } of queues) {
      past.#counts.set(name, { blocked, queued, running, succeeded, failed, cancelled })
      past.#paused.set(name, paused)
    }
    return past
  }

  /** The event after which everything stood as it is shown now. */
  get cursor(): number {
    return this.#cursor
  }

  /** The time of the oldest event that is kept; null for an empty log. */
  async begins(): Promise<number | null> {
    return (await this.#broker.events.read({ after: 0, limit: 1 })).events[0]?.at ?? null
  }

  /**
   * Goes to an instant (epoch milliseconds) and gives what was then. `told` hears how much of the way is done, from 0 to 1;
   * when `signal` aborts, the journey ends where it began.
   */
  async travel(at: number, told: (fraction: number) => void, signal: AbortSignal): Promise<Picture | null> {
    await this.catchUp(signal)
    const first = (await this.#broker.events.read({ after: 0, limit: 1 })).events[0]
    const begin = first === undefined ? 0 : first.id - 1
    const target = Math.max(begin, await this.#broker.events.cursorAt(at))
    const from = Math.min(target, this.#cursor)
    const to = Math.max(target, this.#cursor)
    const events: JobqEvent[] = []
    for (let cursor = from; cursor < to; ) {
      const page = await this.#broker.events.read({ after: cursor, limit: Math.min(pageSize, to - cursor) })
      if (page.cursor <= cursor) break
      // Progress moves nothing and there may be much of it.
      for (const event of page.events) if (event.type !== 'job.progress') events.push(event)
      cursor = page.cursor
      told((cursor - from) / (to - from))
      await nextTurn()
      if (signal.aborted) return null
    }
    if (target < this.#cursor) await this.#back(events)
    else this.#forth(events)
    this.#cursor = target
    return this.#picture(at)
  }

  /** Takes in what has happened since: where the jobs that it happened to stood before. */
  async catchUp(signal?: AbortSignal): Promise<void> {
    const last = await this.#broker.events.last()
    while (this.#known < last && signal?.aborted !== true) {
      const page = await this.#broker.events.read({ after: this.#known, limit: Math.min(pageSize, last - this.#known) })
      for (const event of page.events) {
        if (event.job === null || standingAfter(event) === null || this.#places.has(event.job)) continue
        this.#places.set(event.job, await this.#placeBefore(event))
      }
      this.#known = Math.max(page.cursor, this.#known + 1)
      await nextTurn()
    }
  }

  /** The state that a job was in; null for one that was not there yet. */
  standing(job: Job, at: number): JobState | null {
    const place = this.#places.get(job.id)
    if (place !== undefined) return place.standing === 'absent' ? null : place.standing
    return job.createdAt > at ? null : job.state
  }

  /** True for a job to which something has happened since. */
  hasMoved(job: Job): boolean {
    return this.#places.has(job.id)
  }

  async #back(events: readonly JobqEvent[]): Promise<void> {
    const first = new Map<number, JobqEvent>()
    const after = new Map<number, Place>()
    for (const event of events.toReversed()) this.#turnSurroundings(event, true)
    for (const event of events) {
      const standing = standingAfter(event)
      if (event.job === null || standing === null) continue
      if (!first.has(event.job)) first.set(event.job, event)
      after.set(event.job, { standing, queue: event.queue ?? '', since: null })
    }
    for (const [id, event] of first) {
      const before = await this.#placeBefore(event)
      const now = after.get(id)
      if (now !== undefined) this.#count(now, -1)
      this.#count(before, 1)
      this.#places.set(id, before)
    }
  }

  #forth(events: readonly JobqEvent[]): void {
    for (const event of events) {
      this.#turnSurroundings(event, false)
      const standing = standingAfter(event)
      if (event.job === null || standing === null) continue
      const before = this.#places.get(event.job)
      if (before !== undefined) this.#count(before, -1)
      const place = { standing, queue: event.queue ?? '', since: event.type === 'job.started' ? event.at : null }
      this.#count(place, 1)
      this.#places.set(event.job, place)
    }
  }

  async #placeBefore(event: JobqEvent): Promise<Place> {
    const { runtimeMs } = event.data
    const since = typeof runtimeMs === 'number' ? event.at - runtimeMs : null
    const queue = event.queue ?? ''
    const standing = standingBefore(event)
    if (standing !== null) return { standing, queue, since: standing === 'running' ? since : null }
    const previous = await this.#previous(event)
    const found = previous === undefined ? null : standingAfter(previous)
    if (previous !== undefined && found !== null) {
      return { standing: found, queue: previous.queue ?? queue, since: found === 'running' ? previous.at : null }
    }
    // What came before was pruned: the likeliest.
    return { standing: event.type === 'job.requeued' ? 'failed' : 'queued', queue, since: null }
  }

  /** The event before this one that moved the same job. */
  async #previous(event: JobqEvent): Promise<JobqEvent | undefined> {
    let found: JobqEvent | undefined
    for (let cursor = 0; ; ) {
      const page = await this.#broker.events.read({ after: cursor, job: event.job ?? 0, limit: pageSize })
      for (const each of page.events) if (each.id < event.id && standingAfter(each) !== null) found = each
      if (page.events.length < pageSize || (page.events.at(-1)?.id ?? 0) >= event.id) return found
      cursor = page.cursor
    }
  }

  #count({ standing, queue }: Place, by: number): void {
    if (standing === 'absent') return
    const counts = this.#counts.get(queue) ?? {
      blocked: 0,
      queued: 0,
      running: 0,
      succeeded: 0,
      failed: 0,
      cancelled: 0,
    }
    counts[standing] += by
    this.#counts.set(queue, counts)
  }

  /** What events tell of queues and workers, taken back or done again. */
  #turnSurroundings(event: JobqEvent, back: boolean): void {
    const { type, queue, worker } = event
    if (queue !== null && (type === 'queue.paused' || type === 'queue.resumed')) {
      this.#paused.set(queue, (type === 'queue.paused') !== back)
    }
    if (worker === null) return
    if (type === (back ? 'worker.online' : 'worker.offline')) this.#workers.delete(worker)
    else if (type === (back ? 'worker.offline' : 'worker.online')) this.#workers.set(worker, wasOnline(event))
  }

  async #picture(at: number): Promise<Picture> {
    const queues = [...this.#counts]
      .filter(([name, counts]) => Object.values(counts).some((value) => value !== 0) || this.#paused.get(name))
      .map(([name, counts]): QueueSummary => {
        // Of jobs that were deleted since, only the event that finished them is known.
        const kept = Object.fromEntries(Object.entries(counts).map(([state, value]) => [state, Math.max(0, value)]))
        return { ...emptyQueue(name), ...kept, paused: this.#paused.get(name) === true }
      })
      .sort((one, other) => (one.name < other.name ? -1 : 1))
    const workers = [...this.#workers.values()].map((worker) => ({
      ...worker,
      size: 0,
      busy: 0,
      children: [],
      heartbeatAt: at,
    }))
    return { at, cursor: this.#cursor, queues, workers, running: await this.#running(at), current: true }
  }

  async #running(at: number): Promise<RunningJob[]> {
    const now = this.#clock.now()
    const still = (await this.#broker.jobs.list({ states: ['running'], limit: runningAtMost }, now))
      .filter(({ id }) => !this.#places.has(id))
      .map((job) => ({ job, since: job.startedAt ?? at }))
    const then: RunningJob[] = []
    for (const [id, { standing, since }] of this.#places) {
      if (standing !== 'running' || then.length >= runningAtMost) continue
      const job = await this.#broker.jobs.get(id, now)
      if (job !== null)
        then.push({
          job: { ...job, state: 'running', label: null, progress: null },
          since: since ?? Math.min(at, job.startedAt ?? at),
        })
    }
    return [...still, ...then].sort((one, other) => one.job.id - other.job.id)
  }
}

/** What is known of a worker that has left. */
const wasOnline = ({ worker, at, data }: JobqEvent): WorkerRecord => ({
  name: worker ?? '',
  process: { host: String(data.host ?? ''), pid: Number(data.pid ?? 0), boot: '', startTime: null },
  queues: null,
  session: 0,
  startedAt: at,
  heartbeatAt: at,
  status: 'online',
  size: 0,
  busy: 0,
  processed: 0,
  children: [],
})
