/**
 * The worker's turn: report what ended and claim what is next in one transaction, hand the claimed jobs out,
 * sleep until something changes. All that children say within one turn of the event loop is settled together
 * (group commit). When the broker is away or its disk full, nothing is claimed, what runs goes on, and the
 * reports wait until it is back.
 */
import type { Broker, Report } from '../broker/broker.ts'
import { Burst } from '../burst.ts'
import { JobqError } from '../errors.ts'
import type { ClaimedJob } from '../job.ts'
import type { Pool } from '../pool/pool.ts'
import type { DiskSpace } from './disk-space.ts'
import type { Execution } from './execution.ts'
import type { Meter } from './metrics/meter.ts'
import type { ResolvedOptions } from './options.ts'

/** Longest time without looking for work, in milliseconds. */
const lookEveryMs = 5_000
/** First and longest pause while the broker is away, in milliseconds. */
const firstRetryMs = 50
const lastRetryMs = 5_000

/** Bounds of the rest between two transactions, in milliseconds; a shorter one is not worth a timer. */
const longestRestMs = 10
const shortestRestMs = 1
/** So many reports are worth a transaction at once. */
const enoughReports = 1_000

/** What `Dispatcher` needs. */
export interface DispatcherOptions {
  readonly broker: Broker
  readonly execution: Execution
  readonly pool: Pool<ClaimedJob>
  readonly session: number
  readonly options: ResolvedOptions
  /** Called when the broker's queues hold nothing more for this worker and nothing is in hand. */
  readonly onIdle: () => void
  readonly space: DiskSpace
  /** Awaited before each claim. */
  readonly beforeClaim: () => Promise<void>
  /** Called when somebody rang: there may be work, or a cancel. */
  readonly onRing: () => void
  /** Called when leases were lost that this worker believed it held. */
  readonly onLost: () => void
  /** Called when the broker can never be used again. */
  readonly onBroken: (error: unknown) => void
  /** Counts the turns; null where nobody asks for figures. */
  readonly meter: Meter | null
}

/** Claims, hands out and settles. */
export class Dispatcher {
  readonly #of: DispatcherOptions
  readonly #stop = new AbortController()
  #claiming = true
  #held = false
  #mayHaveWork = true
  #changed: (() => void) | null = null
  #pending = true
  #retryMs = 0
  #broken = false
  #ended = false
  #turnMs = 0
  #turnEndedAt = 0
  #loop: Promise<void> = Promise.resolve()
  #rounds: (() => void)[] = []
  #watch: Promise<void> = Promise.resolve()
  /** Called when more may wait than this worker has claimed. */
  onWork: () => void = () => {}

  constructor(of: DispatcherOptions) {
    this.#of = of
  }

  /** Begins to claim. */
  start(): void {
    this.#of.execution.onChange = this.wake
    this.#of.execution.onReturned = () => this.#of.space.lookAgain()
    this.#watch = this.#watchForWork()
    this.#loop = this.#run()
  }

  /** Something is to be reported or handed out. */
  readonly wake = (): void => {
    this.#pending = true
    this.#changed?.()
  }

  /** Resolves when the loop comes round the next time, which shows that it is not stuck; at once after its end. */
  round(): Promise<void> {
    return this.#ended ? Promise.resolve() : new Promise((resolve) => this.#rounds.push(resolve))
  }

  /** Claims nothing more and gives back what waits here. */
  drain(): void {
    this.#claiming = false
    this.#of.execution.returnWaiting()
    this.wake()
  }

  /** True from `hold` to `resume`. */
  get held(): boolean {
    return this.#held
  }

  /** True while the broker cannot be used. */
  get away(): boolean {
    return this.#retryMs > 0
  }

  /** Takes nothing more until `resume`: what has not begun goes back to the queue, what runs is finished. */
  hold(): void {
    this.#held = true
    this.#of.execution.hold()
    for (const child of this.#of.pool.children) if (child.inFlight > 1) child.recall()
    this.wake()
  }

  /** Takes jobs again. */
  resume(): void {
    this.#held = false
    this.#of.execution.resume()
    this.#mayHaveWork = true
    this.wake()
  }

  /** Reports what is left, for at most `timeoutMs`, and ends. */
  async stop(timeoutMs: number): Promise<void> {
    this.#stop.abort()
    this.wake()
    await Promise.all([this.#loop, this.#watch])
    this.#ended = true
    for (const done of this.#rounds.splice(0)) done()
    const end = performance.now() + timeoutMs
    while (!this.#of.execution.idle && !this.#broken && performance.now() < end) {
      await this.#turn()
      if (!this.#of.execution.idle) await pause(firstRetryMs)
    }
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      if (!this.#pending) {
        await new Promise<void>((resolve) => {
          this.#changed = resolve
        })
      }
      this.#changed = null
      // What else arrives in this turn of the event loop belongs to the same transaction.
      await new Promise((resolve) => setImmediate(resolve))
      if (this.#stop.signal.aborted) return
      this.#pending = false
      if (this.#rounds.length > 0) for (const done of this.#rounds.splice(0)) done()
      this.#of.execution.handOut(this.#of.pool.children)
      const restMs = this.#restMs()
      if (restMs > 0) setTimeout(this.wake, restMs)
      else if (!(await this.#timedTurn())) await this.#backOff()
    }
  }

  /**
   * Milliseconds until the next transaction is worth its while. While children are busy and little is to be reported it
   * may wait for as long as the last one took, so that each settles more.
   */
  #restMs(): number {
    const { execution, pool } = this.#of
    if (execution.toReport >= enoughReports || pool.children.every((child) => child.inFlight === 0)) return 0
    const restMs = this.#turnEndedAt + Math.min(this.#turnMs, longestRestMs) - performance.now()
    return restMs < shortestRestMs ? 0 : restMs
  }

  async #timedTurn(): Promise<boolean> {
    const begunAt = performance.now()
    const settled = await this.#turn()
    this.#turnEndedAt = performance.now()
    this.#turnMs = this.#turnEndedAt - begunAt
    return settled
  }

  /** One transaction; false when the broker could not be used. */
  async #turn(): Promise<boolean> {
    const { broker, execution, pool, options, session } = this.#of
    const reports = execution.takeReports(pool.children)
    // A transaction that is written anyway looks for work as well: what just ended may have let other jobs go.
    const look = this.#claiming && !this.#held && (this.#mayHaveWork || reports.length > 0)
    const wanted = look ? execution.wanted(pool.children, options.prefetch) : 0
    // Without room the next look for work, a few seconds from now, asks again.
    const limit = wanted > 0 && this.#of.space.enough() ? wanted : 0
    if (reports.length === 0 && limit === 0) {
      execution.handOut(pool.children)
      return true
    }
    const { queues, order, leaseMs } = options
    const request = { queues, order, limit, worker: session, leaseMs }
    const { burst } = execution
    const claim = limit === 0 ? undefined : burst === null ? request : { ...request, burst }
    try {
      if (claim !== undefined) await this.#of.beforeClaim()
      const begunAt = performance.now()
      const { lost, claimed } = await broker.settle(reports, options.clock.now(), claim)
      this.#of.meter?.settled(performance.now() - begunAt, lost.length)
      this.#recovered()
      if (lost.length > 0) this.#of.onLost()
      execution.add(claimed)
      // Reports that were settled without a look may have let jobs go, or sent some back.
      if (claim === undefined) this.#mayHaveWork = true
      else if (countJobs(claimed) < limit) this.#mayHaveWork = false
      else this.onWork()
      execution.handOut(pool.children)
      if (execution.idle && !this.#mayHaveWork) this.#of.onIdle()
      else if (claimed.length > 0) this.#pending = true
      return true
    } catch (error) {
      this.#failed(reports, error)
      return false
    }
  }

  #failed(reports: readonly Report[], error: unknown): void {
    this.#of.execution.giveBack(reports)
    this.#pending = true
    const passing = error instanceof JobqError && error.code === 'unavailable'
    if (this.#broken) return
    if (this.#retryMs === 0 || !passing) {
      const message = error instanceof Error ? error.message : String(error)
      this.#log('error', passing ? `${message}; nothing is claimed until it is back` : message)
    }
    if (passing) return
    this.#broken = true
    this.#of.onBroken(error)
  }

  #recovered(): void {
    if (this.#retryMs > 0) this.#log('warn', 'the broker is back')
    this.#retryMs = 0
  }

  async #backOff(): Promise<void> {
    this.#retryMs = Math.min(lastRetryMs, Math.max(firstRetryMs, this.#retryMs * 2))
    await pause(this.#retryMs * (0.5 + Math.random() / 2), this.#stop.signal)
  }

  async #watchForWork(): Promise<void> {
    const { broker } = this.#of
    while (!this.#stop.signal.aborted) {
      try {
        await broker.wait({ signal: this.#stop.signal, timeoutMs: lookEveryMs })
        this.#mayHaveWork = true
        this.wake()
        this.onWork()
        this.#of.onRing()
      } catch (error) {
        this.#log('debug', `waiting for work: ${error instanceof Error ? error.message : error}`)
        await pause(firstRetryMs, this.#stop.signal)
      }
    }
  }

  #log(level: 'debug' | 'warn' | 'error', message: string): void {
    const { options } = this.#of
    if (options.logs(level)) options.log({ level, at: options.clock.now().at, type: 'worker.notice', message })
  }
}

const countJobs = (claimed: readonly (ClaimedJob | Burst)[]): number =>
  claimed.reduce((count, item) => count + (item instanceof Burst ? item.size : 1), 0)

const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(done, ms)
    function done(): void {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    signal?.addEventListener('abort', done)
  })
