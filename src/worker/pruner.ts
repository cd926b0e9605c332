import type { Broker, PruneFilter } from '../broker/broker.ts'
import { removeOutput } from '../output/remove-output.ts'
import type { ResolvedOptions } from './options.ts'

const dayMs = 86_400_000
/** How often retention is looked after, in milliseconds. */
const pruneEveryMs = 60_000
/** Rows deleted in one transaction at the most, so that pruning never holds up the work. */
const batch = 500

/** Deletes what has been kept long enough: finished jobs with their output, results, and events. */
export class Pruner {
  readonly #broker: Broker
  readonly #options: ResolvedOptions
  readonly #outputFolder: string
  #timer: NodeJS.Timeout | null = null
  #running: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(broker: Broker, options: ResolvedOptions, outputFolder: string) {
    this.#broker = broker
    this.#options = options
    this.#outputFolder = outputFolder
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#running = this.#running.then(() => this.prune())
    }, pruneEveryMs)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    if (this.#timer !== null) clearInterval(this.#timer)
    await this.#running
  }

  /** One round over everything that has a retention. */
  async prune(): Promise<void> {
    const { clock, config, log, logs } = this.#options
    const {
      succeeded = 7 * dayMs,
      failed = 30 * dayMs,
      cancelled = 7 * dayMs,
      events = 7 * dayMs,
    } = config.retention ?? {}
    const { results, maxJobs, maxEvents = Number.MAX_SAFE_INTEGER } = config.retention ?? {}
    const now = clock.now().at
    try {
      await this.#pruneJobs({ states: ['succeeded'], finishedBefore: now - succeeded })
      await this.#pruneJobs({ states: ['failed'], finishedBefore: now - failed })
      await this.#pruneJobs({ states: ['cancelled'], finishedBefore: now - cancelled })
      if (results !== undefined) await this.#dropResults(now - results)
      if (maxJobs !== undefined) await this.#pruneJobs({ keep: maxJobs })
      await this.#repeat(() => this.#broker.events.prune({ before: now - events, keep: maxEvents, limit: batch * 10 }))
    } catch (error) {
      if (logs('warn'))
        log({
          level: 'warn',
          at: now,
          type: 'worker.notice',
          message: `pruning: ${error instanceof Error ? error.message : error}`,
        })
    }
  }

  async #pruneJobs(filter: PruneFilter): Promise<void> {
    await this.#repeat(async () => {
      const ids = await this.#broker.jobs.prune({ ...filter, limit: batch })
      removeOutput(this.#outputFolder, ids)
      return ids.length
    })
  }

  async #dropResults(finishedBefore: number): Promise<void> {
    let after: number | null = 0
    await this.#repeat(async () => {
      after = await this.#broker.jobs.dropResults({ finishedBefore, after: after ?? 0, limit: batch * 10 })
      return after ?? 0
    })
  }

  /** Goes on while there is something to delete, letting the work through between two batches. */
  async #repeat(once: () => Promise<number>): Promise<void> {
    while (!this.#stopped && (await once()) > 0) await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
