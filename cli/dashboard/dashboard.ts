/**
 * The dashboard without its screen: it looks at the broker again and again, carries out what keys ask for, and tells whoever
 * draws it when its state has changed. All it knows is in the state; here is what goes on: timers, reads, the open journey
 * into the past and the log that is followed.
 */
import type { Queue } from '../../src/client.ts'
import type { Clock } from '../../src/clock.ts'
import { JobqError } from '../../src/errors.ts'
import { isFinished, type Job } from '../../src/job.ts'
import { Doer, type Outside } from './doer.ts'
import { Feed, type Look } from './feed.ts'
import { LogTail } from './log-tail.ts'
import { historyMs, readFailures, readHistory, readJob, readJobs, readUsualRates, type Site } from './reads.ts'
import { reduce } from './reduce.ts'
import { initialState, type Message, type State, type Told } from './state.ts'
import { TimeMachine } from './time-machine.ts'

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
  /** Opens what is at the broker's place now; absent where there is nothing else to open than `queue`. */
  readonly reopen?: () => Promise<Queue>
}

/** What goes on by itself; everything else is an answer to somebody. */
const patient: ReadonlySet<Message['type']> = new Set(['look', 'tick', 'note', 'log', 'history', 'usual', 'failures'])

const lookEveryMs = 250
/** Where much happens, looking less often costs less. */
const lookAtMuchEveryMs = 600
const much = 50
const pageEveryMs = 1_000
const jobEveryMs = 2_000
const usualEveryMs = 300_000
const retryAfterMs = [1_000, 2_000, 3_000, 5_000] as const

/** What the dashboard knows and does. */
export class Dashboard {
  readonly #options: DashboardOptions
  #site: Site
  readonly #tail: LogTail
  readonly #listeners = new Set<(urgent: boolean) => void>()
  #state: State
  #looking: NodeJS.Timeout | null = null
  #ticking: NodeJS.Timeout | null = null
  #stopped = false
  /** The file that was open is not there any more, and closed. */
  #gone = false
  #failed = 0
  /** Events of the last look. */
  #seen = 0
  #pageBusy = false
  #readAgain = { page: 0, job: 0, failures: 0, usual: 0 }
  #failuresOf: number | null = -1

  constructor(options: DashboardOptions) {
    this.#options = options
    const { queue, clock, url, inWorker, columns, rows } = options
    this.#site = this.#siteOn(queue)
    this.#tail = new LogTail(queue.broker.url, (id, lines) => this.tell({ type: 'log', id, lines }))
    this.#state = initialState({ url, inWorker, columns, rows, at: clock.now().at })
  }

  #siteOn(queue: Queue): Site {
    const { clock, outside, shown } = this.#options
    const tell = (told: Told): void => this.tell(told)
    const say = (text: string, good: boolean): void => tell({ type: 'notice', text, good })
    return {
      queue,
      clock,
      shown,
      feed: new Feed(queue.broker, clock),
      doer: new Doer({ queue, clock, outside, say }),
      time: new TimeMachine({ broker: queue.broker, clock, historyMs, tell }),
    }
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
      await this.#site.time.travel(at)
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
    this.#site.time.stop()
    if (this.#site.queue !== this.#options.queue) void this.#site.queue.close()
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
      if (command.do === 'travel') void this.#guarded(() => this.#site.time.travel(command.at))
      else void this.#site.doer.do(command)
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
    if (this.#failed === 0) await this.#guarded(() => this.#refresh())
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
      const look = await this.#news()
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

  /** Looks; where the file was taken away, at the one that is in its place. */
  async #news(): Promise<Look | null> {
    const { reopen } = this.#options
    if (reopen === undefined) return this.#site.feed.look()
    try {
      if (!this.#gone) return await this.#site.feed.look()
    } catch (error) {
      if (!(error instanceof JobqError) || error.code !== 'unusable') throw error
      this.#gone = true
      // Before another file is opened: what lies beside the two has the same names.
      await this.#site.queue.close()
    }
    const site = this.#siteOn(await reopen())
    try {
      const look = await site.feed.look()
      this.#moveTo(site)
      return look
    } catch (error) {
      await site.queue.close()
      throw error
    }
  }

  #moveTo(site: Site): void {
    this.#site.time.stop()
    this.#site = site
    this.#gone = false
    this.#readAgain = { page: 0, job: 0, failures: 0, usual: 0 }
    this.#failuresOf = -1
    this.tell({ type: 'reopened' })
    void this.#guarded(() => this.complete())
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
        this.#state = { ...this.#state, jobs: { ...this.#state.jobs, wanted: false } }
        const told = await readJobs(this.#site, this.#state)
        this.#readAgain.page = this.#tick + pageEveryMs
        // Keys that were pressed meanwhile want another page than this one.
        if (!this.#state.jobs.wanted) this.tell(told)
      } while (this.#state.jobs.wanted && !this.#stopped)
    } finally {
      this.#pageBusy = false
    }
  }

  async #readJob(): Promise<void> {
    const id = this.#state.job?.id
    if (id === undefined) return
    this.#readAgain.job = this.#tick + jobEveryMs
    this.tell(await readJob(this.#site, id, () => this.#state.past))
  }

  async #readFailures(): Promise<void> {
    this.#readAgain.failures = Number.POSITIVE_INFINITY
    this.tell(await readFailures(this.#site, this.#state.past))
  }

  async #readHistory(): Promise<void> {
    this.tell(await readHistory(this.#site, this.#state.picture?.cursor ?? 0))
  }

  async #readUsual(): Promise<void> {
    this.tell(await readUsualRates(this.#site))
    this.#readAgain.usual = this.#tick + usualEveryMs
  }

  /** A read that fails is told by the next look, which fails as well; what is shown stays. */
  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!this.#stopped && this.#state.lost === null)
        this.tell({ type: 'notice', text: error instanceof Error ? error.message : String(error), good: false })
    }
  }
}
