/**
 * The dashboard without its screen: it looks at the broker again and again, carries out what keys ask for, and tells whoever
 * draws it when its state has changed. All it knows is in the state; here is what goes on: timers, reads, the open journey
 * into the past and the log that is followed.
 */
import type { Queue } from '../../src/client.ts'
import type { Clock } from '../../src/clock.ts'
import { isFinished, type Job } from '../../src/job.ts'
import { explain, readCircumstances } from '../../src/why.ts'
import { Doer, type Outside } from './doer.ts'
import { groupFailures } from './failures.ts'
import { Feed } from './feed.ts'
import { readSeries, readUsual } from './history.ts'
import { readPage } from './job-pages.ts'
import { LogTail } from './log-tail.ts'
import { parseQuery } from './query.ts'
import { reduce } from './reduce.ts'
import { bodyRows, initialState, type Message, type State } from './state.ts'
import { asOf, failedThen, TimeMachine } from './time-machine.ts'

/** What a dashboard is of, and where. */
export interface DashboardOptions {
  readonly queue: Queue
  readonly clock: Clock
  /** The broker's URL without a password. */
  readonly url: string
  readonly inWorker: boolean
  readonly columns: number
  readonly rows: number
  /** What of a job may be shown. */
  readonly shown: (job: Job) => Job
  readonly outside: Outside
}

/** A message without its instant. */
export type Told = Message extends infer Each ? (Each extends Message ? Omit<Each, 'at'> : never) : never

/** What goes on by itself; everything else is an answer to somebody. */
const patient: ReadonlySet<Message['type']> = new Set(['look', 'tick', 'note', 'log', 'history', 'usual', 'failures'])

const lookEveryMs = 250
/** Where much happens, looking less often costs less. */
const lookAtMuchEveryMs = 600
const much = 50
const pageEveryMs = 1_000
const jobEveryMs = 2_000
const usualEveryMs = 300_000
const historyMs = 20 * 60_000
const failuresAtMost = 2_000
/** Events from before the dashboard was opened. */
const eventsBefore = 300
const retryAfterMs = [1_000, 2_000, 3_000, 5_000] as const

/** What the dashboard knows and does. */
export class Dashboard {
  readonly #options: DashboardOptions
  readonly #feed: Feed
  readonly #doer: Doer
  readonly #time: TimeMachine
  readonly #tail: LogTail
  readonly #listeners = new Set<(urgent: boolean) => void>()
  #state: State
  #looking: NodeJS.Timeout | null = null
  #ticking: NodeJS.Timeout | null = null
  #stopped = false
  #failed = 0
  /** Events of the last look. */
  #seen = 0
  #pageBusy = false
  #readAgain = { page: 0, job: 0, failures: 0, usual: 0 }
  #failuresOf: number | null = -1

  constructor(options: DashboardOptions) {
    this.#options = options
    const { queue, clock, url, inWorker, columns, rows } = options
    this.#feed = new Feed(queue.broker, clock)
    const tell = (told: Told): void => this.tell(told)
    this.#doer = new Doer({
      queue,
      clock,
      outside: options.outside,
      say: (text, good) => tell({ type: 'notice', text, good }),
    })
    this.#time = new TimeMachine({ broker: queue.broker, clock, historyMs, tell })
    this.#tail = new LogTail(queue.broker.url, (id, lines) => tell({ type: 'log', id, lines }))
    this.#state = initialState({ url, inWorker, columns, rows, at: clock.now().at })
  }

  /** What there is to draw. */
  get state(): State {
    return this.#state
  }

  /** Calls `listener` after each change of the state, saying whether somebody waits to see it, until what it gives back is called. */
  readonly subscribe = (listener: (urgent: boolean) => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The first look, so that there is something to draw. With `at` it is that of an instant of the past. */
  async open(at: number | null): Promise<void> {
    await this.#look()
    if (at !== null) {
      this.#change({ ...this.#state, past: { at, picture: null, series: [], events: [], reading: 0 } }, true)
      await this.#time.travel(at)
    }
  }

  /** Reads all that a single frame shows. */
  async complete(): Promise<void> {
    if (this.#state.past === null) await this.#readHistory()
    await this.#readUsual()
  }

  /** Goes on looking, until `stop`. */
  start(): void {
    this.#looking = setTimeout(() => void this.#turn(), lookEveryMs)
    this.#ticking = setInterval(() => this.tell({ type: 'tick' }), 1_000)
    void this.#guarded(() => this.complete())
  }

  /** Ends all that goes on. */
  stop(): void {
    this.#stopped = true
    if (this.#looking !== null) clearTimeout(this.#looking)
    if (this.#ticking !== null) clearInterval(this.#ticking)
    this.#tail.stop()
    this.#time.stop()
  }

  /** Takes a key. */
  press(key: string): void {
    this.tell({ type: 'key', key })
  }

  /** Takes a message, now. */
  tell(told: Told): void {
    if (this.#stopped) return
    const { state, commands } = reduce(this.#state, { ...told, at: this.#options.clock.now().at } as Message)
    this.#change(state, !patient.has(told.type))
    for (const command of commands) {
      if (command.do === 'travel') void this.#guarded(() => this.#time.travel(command.at))
      else void this.#doer.do(command)
    }
  }

  #change(state: State, urgent: boolean): void {
    const before = this.#state
    this.#state = state
    if (state.job?.id !== before.job?.id) {
      this.#tail.follow(state.job?.id ?? null)
      this.#readAgain.job = 0
      if (state.job !== null) void this.#guarded(() => this.#readJob())
    }
    const moved = state.past?.picture !== before.past?.picture
    if (moved && state.job !== null && state.job.id === before.job?.id) void this.#guarded(() => this.#readJob())
    if (state.place === 'jobs' && state.jobs.wanted && !this.#pageBusy) void this.#guarded(() => this.#readPages())
    if (state.place === 'failures' && this.#failuresOf !== (state.past?.picture?.cursor ?? null)) {
      this.#failuresOf = state.past?.picture?.cursor ?? null
      void this.#guarded(() => this.#readFailures())
    }
    for (const listener of this.#listeners) listener(urgent)
  }

  async #turn(): Promise<void> {
    await this.#look()
    await this.#guarded(() => this.#refresh())
    if (this.#stopped) return
    const wait =
      this.#failed === 0
        ? this.#seen > much
          ? lookAtMuchEveryMs
          : lookEveryMs
        : (retryAfterMs[this.#failed - 1] ?? 5_000)
    this.#looking = setTimeout(() => void this.#turn(), wait)
  }

  async #look(): Promise<void> {
    try {
      const look = await this.#feed.look()
      this.#failed = 0
      this.#seen = look?.events.length ?? 0
      if (look !== null) this.tell({ type: 'look', ...look })
      if (look === null) return
      const { events } = look
      if (events.some(({ job }) => job === this.#state.job?.id)) this.#readAgain.job = 0
      if (events.some(({ type }) => type === 'job.failed' || type === 'job.rejected' || type === 'job.requeued')) {
        this.#readAgain.failures = Math.min(this.#readAgain.failures, this.#tick + pageEveryMs)
      }
    } catch (error) {
      this.#failed = Math.min(this.#failed + 1, retryAfterMs.length)
      const reason = error instanceof Error ? error.message : String(error)
      const retryAt = this.#options.clock.now().at + (retryAfterMs[this.#failed - 1] ?? 5_000)
      this.tell({ type: 'lost', retryAt, reason })
    }
  }

  get #tick(): number {
    return this.#options.clock.now().tick
  }

  /** Reads again what the tab shows, where it may have changed. */
  async #refresh(): Promise<void> {
    const { place, past, job } = this.#state
    const tick = this.#tick
    if (past === null && place === 'jobs' && tick >= this.#readAgain.page && !this.#pageBusy) await this.#readPages()
    if (
      job !== null &&
      tick >= this.#readAgain.job &&
      (job.job === null || !isFinished(job.job.state) || this.#readAgain.job === 0)
    )
      await this.#readJob()
    if (past === null && place === 'failures' && tick >= this.#readAgain.failures) await this.#readFailures()
    if (tick >= this.#readAgain.usual && this.#readAgain.usual > 0) await this.#readUsual()
  }

  /** Reads the page of jobs that is wanted, and the one that is wanted by then. */
  async #readPages(): Promise<void> {
    this.#pageBusy = true
    try {
      do {
        const { jobs, past } = this.#state
        const { search, order, edge } = jobs
        const { queue, clock, shown } = this.#options
        this.#state = { ...this.#state, jobs: { ...jobs, wanted: false } }
        const machine = this.#time.past
        const then = past === null || machine === null ? null : { machine, at: past.at }
        await then?.machine.catchUp()
        const standing = then === null ? {} : { standing: (job: Job) => then.machine.standing(job, then.at) }
        const request = {
          query: parseQuery(search),
          order,
          edge,
          limit: Math.max(1, bodyRows(this.#state) - 2),
          ...standing,
        }
        const page = await readPage(queue.broker.jobs, request, clock.now())
        const visible = page.jobs.map((job) => shown(then === null ? job : asOf(then.machine, job, then.at)))
        this.#readAgain.page = this.#tick + pageEveryMs
        // Keys that were pressed meanwhile want another page than this one.
        if (!this.#state.jobs.wanted) this.tell({ type: 'page', page: { ...page, jobs: visible }, edge, search })
      } while (this.#state.jobs.wanted && !this.#stopped)
    } finally {
      this.#pageBusy = false
    }
  }

  async #readJob(): Promise<void> {
    const id = this.#state.job?.id
    if (id === undefined) return
    const { queue, clock, shown } = this.#options
    this.#readAgain.job = this.#tick + jobEveryMs
    const { broker } = queue
    const job = await broker.jobs.get(id, clock.now())
    const { events } = await broker.events.read({ after: 0, job: id, limit: 1_000 })
    const reasons = job === null ? [] : explain(await readCircumstances(broker, job, clock.now()))
    const { past } = this.#state
    const machine = this.#time.past
    if (past !== null) await machine?.catchUp()
    const then = job === null || past === null || machine === null ? job : asOf(machine, job, past.at)
    const started = events.findLast(({ type, id }) => type === 'job.started' && id <= (past?.picture?.cursor ?? 0))
    this.tell({
      type: 'job',
      id,
      job: then === null ? null : shown(past === null ? then : { ...then, attempt: started?.attempt ?? 0 }),
      events,
      reasons,
    })
  }

  async #readFailures(): Promise<void> {
    const { queue, clock, shown } = this.#options
    this.#readAgain.failures = Number.POSITIVE_INFINITY
    const { past } = this.#state
    const machine = this.#time.past
    if (past !== null) await machine?.catchUp()
    const jobs =
      past === null || machine === null
        ? await queue.broker.jobs.list({ states: ['failed'], limit: failuresAtMost }, clock.now())
        : await failedThen(machine, queue.broker, { at: past.at, now: clock.now() })
    this.tell({ type: 'failures', groups: groupFailures(jobs.map(shown)), seen: jobs.length })
  }

  async #readHistory(): Promise<void> {
    const { queue, clock } = this.#options
    const now = clock.now()
    const stretch = { from: now.at - historyMs, to: now.at }
    const series = await readSeries(queue.broker, stretch, now)
    const cursor = this.#state.picture?.cursor ?? 0
    const { events } = await queue.broker.events.read({
      after: Math.max(0, cursor - eventsBefore),
      limit: eventsBefore,
    })
    this.tell({ type: 'history', series, since: stretch.from, events })
  }

  async #readUsual(): Promise<void> {
    const { queue, clock } = this.#options
    const now = clock.now()
    const usual = await readUsual(queue.broker, { from: now.at - 65 * 60_000, to: now.at - 55 * 60_000 }, now)
    this.#readAgain.usual = now.tick + usualEveryMs
    this.tell({ type: 'usual', usual })
  }

  /** A read that fails is told by the next look, which fails as well; what is shown stays. */
  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!this.#stopped)
        this.tell({ type: 'notice', text: error instanceof Error ? error.message : String(error), good: false })
    }
  }
}
