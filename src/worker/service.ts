/**
 * What a service manager (systemd, or one that speaks its protocol, sd_notify(3)) is told of a worker: that it takes
 * jobs, that it reloads or stops, what it does, and that it is not stuck. The sign of life comes from the dispatcher's
 * loop: it is asked to come round, and only when it has is the watchdog told.
 */
import type { ClaimedJob } from '../job.ts'
import type { Pool } from '../pool/pool.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { Execution } from './execution.ts'
import type { ServiceManager } from './service-manager.ts'

/** How often the status is told where no watchdog wants more, in milliseconds. */
const statusEveryMs = 30_000

/** What a `Service` tells about. */
export interface ServiceParts {
  readonly manager: ServiceManager
  readonly dispatcher: Dispatcher
  readonly execution: Execution
  readonly pool: Pool<ClaimedJob>
}

/** Tells a service manager how its worker is. */
export class Service {
  readonly #parts: ServiceParts
  #stopping = false
  #timer: NodeJS.Timeout | undefined
  #told = ''
  #last: Promise<void> = Promise.resolve()

  constructor(parts: ServiceParts) {
    this.#parts = parts
  }

  /** Tells that the worker is ready once a child can take a job, and goes on to tell how it is. */
  async start(): Promise<void> {
    this.#plan()
    const { pool, dispatcher } = this.#parts
    do await dispatcher.round()
    while (!this.#stopping && !pool.children.some(({ state }) => state === 'idle' || state === 'busy'))
    if (!this.#stopping) this.#tell('READY=1')
  }

  /** Tells that the tasks are being loaded anew. */
  reloading(): void {
    // The clock of `hrtime` is the one that is asked for here, CLOCK_MONOTONIC.
    this.#tell('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1_000n}`)
  }

  /** Tells that they are, or that it came to nothing. */
  reloaded(): void {
    if (!this.#stopping) this.#tell('READY=1')
  }

  /** Tells that the worker stops; it goes on giving signs of life meanwhile. */
  drain(): void {
    this.#stopping = true
    this.#tell('STOPPING=1')
  }

  /** Ends telling; resolves when all that was told is delivered. */
  stop(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#stopping = true
    return this.#last
  }

  #plan(): void {
    const { watchdogMs } = this.#parts.manager
    this.#timer = setTimeout(() => void this.#tick(), watchdogMs === null ? statusEveryMs : watchdogMs / 2).unref()
  }

  async #tick(): Promise<void> {
    const { manager, dispatcher } = this.#parts
    const timer = this.#timer
    const round = dispatcher.round()
    dispatcher.wake()
    await round
    if (timer !== this.#timer) return
    if (manager.watchdogMs !== null) this.#tell('WATCHDOG=1')
    else if (this.#status !== this.#told) this.#tell()
    this.#plan()
  }

  #tell(...assignments: string[]): void {
    this.#told = this.#status
    this.#last = this.#parts.manager.send([...assignments, `STATUS=${this.#told}`])
  }

  get #status(): string {
    const { pool, execution, dispatcher } = this.#parts
    const busy = pool.children.filter(({ state }) => state === 'busy').length
    const does = this.#stopping
      ? 'stopping'
      : dispatcher.away
        ? 'waiting for the broker'
        : dispatcher.held
          ? 'taking no more jobs'
          : 'working'
    return `${does}: ${busy} of ${pool.size} children busy, ${execution.processed} jobs ended`
  }
}
