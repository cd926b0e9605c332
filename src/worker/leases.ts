/**
 * Keeps this worker's leases, hears of cancels, and declares other workers of this machine gone when their
 * process is. Runs in the worker's own process, where no job code can hold up its timer.
 */
import type { Broker } from '../broker/broker.ts'
import { mayBeAlive, ownIdentity } from '../broker/process-identity.ts'
import type { Moment } from '../clock.ts'
import type { Lease } from '../job.ts'
import type { Execution } from './execution.ts'
import type { ResolvedOptions } from './options.ts'

/** How often leases are renewed and cancels looked for while jobs are in hand, in milliseconds, unless leases are short; a bell brings it forward. */
const checkEveryMs = 1_000
/** Least time between two looks, in milliseconds, however often the bell rings. */
const restMs = 50
/** How often other workers' processes are looked at, in milliseconds. */
const buryEveryMs = 1_000

/** The renewal of leases. */
export class Leases {
  readonly #broker: Broker
  readonly #execution: Execution
  readonly #options: ResolvedOptions
  readonly #timers: NodeJS.Timeout[] = []
  #renewedAt = 0
  #askedAt = 0
  #soon: NodeJS.Timeout | null = null
  #asking: Promise<void> | null = null

  constructor(broker: Broker, execution: Execution, options: ResolvedOptions) {
    this.#broker = broker
    this.#execution = execution
    this.#options = options
  }

  /** Takes over from workers that are gone and begins to renew. */
  async start(): Promise<void> {
    this.#renewedAt = this.#options.clock.now().tick
    await this.#buryDead()
    this.#timers.push(
      setInterval(() => void this.check(), Math.min(checkEveryMs, this.#options.leaseMs / 4)),
      setInterval(() => void this.#buryDead(), buryEveryMs),
    )
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer)
    if (this.#soon !== null) clearTimeout(this.#soon)
  }

  /** Looks for cancels now, or in a moment if it has just looked. */
  readonly checkSoon = (): void => {
    if (this.#soon !== null || this.#execution.size === 0) return
    const restedMs = performance.now() - this.#askedAt
    this.#soon = setTimeout(
      () => {
        this.#soon = null
        void this.check()
      },
      Math.max(0, restMs - restedMs),
    )
  }

  /**
   * Renews first where leases may have run out because this process stood still: a claim would otherwise take them
   * for those of a worker that is gone, and the jobs would run a second time beside the first.
   */
  readonly catchUp = async (): Promise<void> => {
    const { clock, leaseMs } = this.#options
    if (clock.now().tick - this.#renewedAt >= leaseMs) await this.check()
  }

  /** Renews all leases and ends what was cancelled or lost. */
  readonly check = async (): Promise<void> => {
    if (this.#asking !== null) return this.#asking
    const { clock } = this.#options
    const { leases } = this.#execution
    const now = clock.now()
    if (leases.length === 0) {
      this.#renewedAt = now.tick
      return
    }
    this.#asking = this.#renew(leases, now)
    await this.#asking
    this.#asking = null
  }

  async #renew(leases: readonly Lease[], now: Moment): Promise<void> {
    this.#askedAt = performance.now()
    try {
      const answers = await this.#broker.extend(leases, this.#options.leaseMs, now)
      this.#renewedAt = now.tick
      const those = (status: 'cancelling' | 'lost') => leases.filter((_, index) => answers[index] === status)
      this.#execution.endAll(those('cancelling'), 'cancelled')
      // Those that wait first, lest a child goes on to them as it ends what runs.
      this.#execution.endAll(those('lost').toReversed(), 'shutdown')
      this.#execution.onChange()
    } catch (error) {
      this.#say(`renewing leases: ${error instanceof Error ? error.message : error}`)
    }
  }

  /** Ends the sessions of workers on this machine whose process is gone, so that their jobs are claimable at once. */
  async #buryDead(): Promise<void> {
    try {
      const own = ownIdentity()
      for (const worker of await this.#broker.workers.list()) {
        if (mayBeAlive(worker.process, own)) continue
        this.#say(`worker ${worker.name} is gone; its jobs are taken over`)
        await this.#broker.workers.leave(worker.session, this.#options.clock.now())
      }
    } catch (error) {
      this.#say(`looking after other workers: ${error instanceof Error ? error.message : error}`)
    }
  }

  #say(message: string): void {
    const { clock, log, logs } = this.#options
    if (logs('warn')) log({ level: 'warn', at: clock.now().at, type: 'worker.notice', message })
  }
}
