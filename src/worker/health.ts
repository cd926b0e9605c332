/**
 * Whether a worker does its work: what its health and readiness checks answer. A worker may be as busy as it likes; it is
 * wedged when the loop that settles and claims has not come round for as long as a lease lasts, because nobody's jobs get
 * on then. The loop is asked now and then, and at each check, to come round.
 */
import type { WorkerComponents } from './components.ts'

/** How much longer the loop may take while the broker is away and it waits to try again, in milliseconds. */
const awayMs = 10_000
/** A loop that seems to be wedged is given so long to come round before that is said: the process may have been stopped. */
const graceMs = 100

/** What a `Health` looks at. */
export interface HealthParts {
  readonly name: string
  /** For how long the loop may not come round, in milliseconds. */
  readonly wedgedAfterMs: number
  readonly stopping: AbortSignal
  /** Nothing before all of them have started. */
  readonly components: () => Partial<WorkerComponents>
}

/** How a worker is; `reason` is for people. */
export interface HealthReport {
  readonly status: 'starting' | 'working' | 'draining' | 'stopping' | 'away' | 'troubled' | 'wedged'
  readonly reason: string | null
  readonly worker: string
  /** Children that work, and how many are wanted; absent until they have started. */
  readonly busy?: number
  readonly size?: number
  readonly inHand?: number
  readonly processed?: number
}

/** Looks after one worker. */
export class Health {
  readonly #parts: HealthParts
  #timer: NodeJS.Timeout | undefined
  /** Since when the loop is awaited, on the clock of `performance.now`; null while it is not. */
  #askedTick: number | null = null
  #round: Promise<void> = Promise.resolve()

  constructor(parts: HealthParts) {
    this.#parts = parts
  }

  /** Begins to look; keeps no process alive. */
  start(): void {
    this.#timer = setInterval(() => this.#ask(), this.#parts.wedgedAfterMs / 6).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** How the worker is now. */
  async report(): Promise<HealthReport> {
    this.#ask()
    if (this.#silentMs() > this.#limitMs()) await Promise.race([this.#round, pause(graceMs)])
    const { name: worker, components } = this.#parts
    const { pool, execution } = components()
    const seen = this.#see()
    if (pool === undefined || execution === undefined) return { ...seen, worker }
    const busy = pool.children.filter(({ inFlight }) => inFlight > 0).length
    return { ...seen, worker, busy, size: pool.size, inHand: execution.size, processed: execution.processed }
  }

  #see(): Pick<HealthReport, 'status' | 'reason'> {
    const { stopping, components } = this.#parts
    const { dispatcher, pool, ...others } = components()
    const silentMs = this.#silentMs()
    if (silentMs > this.#limitMs()) {
      const reason = `its loop has not come round for ${Math.round(silentMs / 1_000)} s: nothing is claimed or settled`
      return { status: 'wedged', reason }
    }
    if (stopping.aborted) return { status: 'stopping', reason: 'it finishes what runs and ends' }
    const started = dispatcher !== undefined || pool !== undefined || Object.keys(others).length > 0
    if (!started) return { status: 'starting', reason: 'it is starting' }
    if (dispatcher?.held === true) return { status: 'draining', reason: 'it was told to take no more jobs' }
    if (dispatcher?.away === true) return { status: 'away', reason: 'its broker cannot be used; it tries again' }
    const able = pool?.children.some(({ state }) => state === 'idle' || state === 'busy') ?? true
    const trouble = pool?.trouble ?? null
    if (trouble === null || able) return { status: 'working', reason: null }
    return { status: 'troubled', reason: `its children do not start: ${trouble.detail}` }
  }

  #ask(): void {
    const { dispatcher } = this.#parts.components()
    if (dispatcher === undefined || this.#askedTick !== null) return
    this.#askedTick = performance.now()
    this.#round = dispatcher.round().then(() => {
      this.#askedTick = null
    })
    dispatcher.wake()
  }

  #silentMs(): number {
    return this.#askedTick === null ? 0 : performance.now() - this.#askedTick
  }

  #limitMs(): number {
    const away = this.#parts.components().dispatcher?.away === true
    return this.#parts.wedgedAfterMs + (away ? awayMs : 0)
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
