/**
 * The size of the pool: follows the load where bounds are set, and changes by hand in any case. It looks when there may
 * be work and once a second besides, asks the rule, and tells each change as `pool.grown` or `pool.shrunk`. No change
 * ends a job: what the load does not need any more are idle children, and a child that is asked to leave by hand
 * finishes what it runs.
 */
import os from 'node:os'
import type { Broker } from '../broker/broker.ts'
import { JobqError } from '../errors.ts'
import type { ClaimedJob } from '../job.ts'
import type { Pool } from '../pool/pool.ts'
import {
  type AutoscalerState,
  checkBounds,
  maxPoolSize,
  nextSize,
  type PoolBounds,
  type PoolLoad,
  usualRule,
} from './autoscale-rule.ts'
import type { Execution } from './execution.ts'
import type { LogLevel } from './log-entry.ts'
import type { ResolvedOptions } from './options.ts'

const lookEveryMs = 1_000
/** Least time between two looks, in milliseconds, however often there may be work. */
const restMs = 50
const countedAtLeast = 1_000
const kept = 100

/** A pool's size before and after. */
export interface PoolChange {
  readonly from: number
  readonly to: number
}

/** Why it has changed, as its event tells. */
type Why = ({ readonly reason: 'load' } & Omit<PoolLoad, 'size'>) | { readonly reason: keyof typeof reasons }

const reasons = { asked: 'told to', bounds: 'told other bounds' } as const

/** What `Autoscaler` needs. */
export interface AutoscalerParts {
  readonly broker: Broker
  readonly execution: Execution
  readonly pool: Pool<ClaimedJob>
  readonly options: ResolvedOptions
  /** False while this worker takes no jobs: then nothing waits for it. */
  readonly claims: () => boolean
}

/** Sees to the size of one pool. */
export class Autoscaler {
  readonly #parts: AutoscalerParts
  #bounds: PoolBounds | null
  #grownTick: number
  #history: AutoscalerState['history'] = []
  #interval: NodeJS.Timeout | null = null
  #soon: NodeJS.Timeout | null = null
  #lookedTick = Number.NEGATIVE_INFINITY
  #looking = false
  #stopped = false
  #complaint = ''

  constructor(parts: AutoscalerParts) {
    this.#parts = parts
    this.#bounds = parts.options.autoscale
    this.#grownTick = this.#tick()
  }

  /** Null for a pool whose size changes by hand only. */
  get bounds(): PoolBounds | null {
    return this.#bounds
  }

  /** Children that are wanted. */
  get size(): number {
    return this.#parts.pool.size
  }

  /** Begins to follow the load, if bounds are set. */
  start(): void {
    if (this.#bounds === null || this.#stopped || this.#interval !== null) return
    const { autoscaleKeepaliveMs } = this.#parts.options
    this.#interval = setInterval(this.lookSoon, Math.max(restMs, Math.min(lookEveryMs, autoscaleKeepaliveMs)))
    this.lookSoon()
  }

  /** Leaves the pool as it is from now on. */
  stop(): void {
    this.#stopped = true
    if (this.#interval !== null) clearInterval(this.#interval)
    if (this.#soon !== null) clearTimeout(this.#soon)
  }

  /** There may be work: looks now, or in a moment if it has just looked. */
  readonly lookSoon = (): void => {
    if (this.#bounds === null || this.#soon !== null || this.#stopped) return
    const waitMs = Math.max(0, restMs - (performance.now() - this.#lookedTick))
    this.#soon = setTimeout(() => {
      this.#soon = null
      void this.#look()
    }, waitMs)
  }

  /**
   * Adds `count` children at once; raises MAX where bounds are set and it is in the way.
   * @throws JobqError `usage` for no number of children, or too many
   */
  grow(count: number): PoolChange {
    const to = this.size + checkCount(count)
    if (to > maxPoolSize) throw new JobqError('usage', `a pool has ${maxPoolSize} children at most, not ${to}`)
    if (this.#bounds !== null) this.#bounds = { ...this.#bounds, max: Math.max(this.#bounds.max, to) }
    return this.#resize(to, { reason: 'asked' })
  }

  /**
   * Takes `count` children away, idle ones first; a busy one finishes its job before it leaves. Lowers MIN where bounds
   * are set and it is in the way.
   * @throws JobqError `usage` for no number of children, or when none would be left
   */
  shrink(count: number): PoolChange {
    const to = this.size - checkCount(count)
    if (to < 1) throw new JobqError('usage', `a pool of ${this.size} cannot shrink by ${count}: one child stays`)
    if (this.#bounds !== null) this.#bounds = { ...this.#bounds, min: Math.min(this.#bounds.min, to) }
    return this.#resize(to, { reason: 'asked' })
  }

  /**
   * From now on follows the load between these sizes, a fixed pool too.
   * @throws JobqError `usage` for bounds that are none
   */
  setBounds(max: number, min: number): PoolChange {
    this.#bounds = checkBounds(max, min)
    const { size, pool } = { size: this.size, ...this.#parts }
    const idle = pool.children.filter(({ state }) => state === 'idle').length
    const to = Math.max(min, size > max ? Math.max(max, size - idle) : size)
    const change = this.#resize(to, { reason: 'bounds' })
    this.start()
    this.lookSoon()
    return change
  }

  async #look(): Promise<void> {
    if (this.#looking || this.#bounds === null) return
    this.#looking = true
    this.#lookedTick = performance.now()
    try {
      const load = await this.#load(this.#bounds)
      if (this.#bounds !== null && !this.#stopped) this.#follow(load, this.#bounds)
    } catch (error) {
      // The broker is away, as the dispatcher says; the next look tries again.
      this.#log('debug', `autoscaler: ${error instanceof Error ? error.message : error}`)
    }
    this.#looking = false
  }

  async #load({ max }: PoolBounds): Promise<PoolLoad> {
    const { broker, execution, pool, options } = this.#parts
    const queues = options.queues?.map(({ name }) => name) ?? null
    const most = Math.max(countedAtLeast, max)
    const due = this.#parts.claims() ? await broker.jobs.countDue(queues, most, options.clock.now()) : 0
    const running = pool.children.filter((child) => child.inFlight > 0).length
    const waiting = Math.min(most, due + Math.max(0, execution.size - running))
    return { waiting, running, size: pool.size }
  }

  #follow(load: PoolLoad, { max, min }: PoolBounds): void {
    const { pool, options } = this.#parts
    const state = { ...load, max, min, loadavg: os.loadavg(), memFree: os.freemem(), history: this.#history }
    const wanted = this.#ask(state)
    this.#history = [...this.#history, { at: options.clock.now().at, ...load }].slice(-kept)
    const idle = pool.children.filter(({ state }) => state === 'idle').length
    const sinceGrowthMs = this.#tick() - this.#grownTick
    const keepaliveMs = options.autoscaleKeepaliveMs
    const to = nextSize(wanted, { size: pool.size, idle, max, min, sinceGrowthMs, keepaliveMs })
    this.#resize(to, { reason: 'load', waiting: load.waiting, running: load.running })
  }

  /** What the rule wishes; NaN where it has no answer, which is said once. */
  #ask(state: AutoscalerState): number {
    const complaint = (message: string): number => {
      if (message !== this.#complaint) this.#log('error', `autoscaler: ${message}; the pool stays as it is`)
      this.#complaint = message
      return Number.NaN
    }
    try {
      const wanted = (this.#parts.options.config.autoscaler ?? usualRule)(state)
      if (Number.isNaN(wanted)) return complaint('its answer is not a number')
      this.#complaint = ''
      return wanted
    } catch (error) {
      return complaint(error instanceof Error ? error.message : String(error))
    }
  }

  #resize(to: number, why: Why): PoolChange {
    const { pool, broker, options } = this.#parts
    const from = pool.size
    if (to === from) return { from, to }
    if (to > from) this.#grownTick = this.#tick()
    pool.resize(to)
    const type = to > from ? 'pool.grown' : 'pool.shrunk'
    const { at } = options.clock.now()
    const data = { from, to, ...why }
    if (options.logs('info')) {
      const because = why.reason === 'load' ? `${why.waiting} waiting, ${why.running} running` : reasons[why.reason]
      const message = `the pool has ${to > from ? 'grown' : 'shrunk'} from ${from} to ${to}: ${because}`
      options.log({ level: 'info', at, type, message, data })
    }
    broker.events
      .append([{ type, at, worker: options.name, data }])
      .catch((error: unknown) => this.#log('debug', `logging ${type}: ${error}`))
    return { from, to }
  }

  #tick(): number {
    return this.#parts.options.clock.now().tick
  }

  #log(level: LogLevel, message: string): void {
    const { options } = this.#parts
    if (options.logs(level)) options.log({ level, at: options.clock.now().at, type: 'worker.notice', message })
  }
}

const checkCount = (count: number): number => {
  if (Number.isSafeInteger(count) && count >= 1) return count
  throw new JobqError('usage', `${count} is no number of children`)
}
