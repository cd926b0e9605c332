import os from 'node:os'
import type { Broker, WorkerStatus } from '../broker/broker.ts'
import { ownIdentity } from '../broker/process-identity.ts'
import type { ResolvedOptions } from './options.ts'

/** How often a worker says that it is there, in milliseconds. */
const beatEveryMs = 5_000
/** One beat in so many is logged as an event. */
const beatsAnEvent = 6

/** This worker's entry in the broker's list of workers. */
export class Presence {
  readonly #broker: Broker
  readonly #options: ResolvedOptions
  #session = 0
  #timer: NodeJS.Timeout | null = null
  #beats = 0
  #status: (() => Omit<WorkerStatus, 'control'>) | null = null
  #control: string | null = null
  #told: Promise<void> = Promise.resolve()
  /** What is to be said next and is not yet being said. */
  #next: Promise<void> | null = null

  constructor(broker: Broker, options: ResolvedOptions) {
    this.#broker = broker
    this.#options = options
  }

  /** The session that jobs are claimed under. */
  get session(): number {
    return this.#session
  }

  async join(): Promise<void> {
    const { name, queues, clock } = this.#options
    const worker = { name, process: ownIdentity(), queues: queues?.map((queue) => queue.name) ?? null }
    this.#session = await this.#broker.workers.join(worker, clock.now())
  }

  /** From now on says regularly what the worker does. */
  show(status: () => Omit<WorkerStatus, 'control'>): void {
    this.#status = status
    this.#timer = setInterval(() => void this.beat(), beatEveryMs)
    void this.beat()
  }

  /** Says from now on under which path the worker takes commands. */
  async showControl(path: string): Promise<void> {
    this.#control = path
    await this.beat()
  }

  /** Says what the worker does: now, or behind what is still being said because the file is busy. The latest is to stand. */
  beat(): Promise<void> {
    if (this.#next === null) {
      const tell = (): Promise<void> => {
        this.#next = null
        return this.#tell()
      }
      this.#next = this.#told.then(tell, tell)
      this.#told = this.#next
    }
    return this.#next
  }

  async #tell(): Promise<void> {
    if (this.#status === null) return
    const now = this.#options.clock.now()
    const status = { ...this.#status(), ...(this.#control === null ? {} : { control: this.#control }) }
    try {
      await this.#broker.workers.beat(this.#session, status, now)
      this.#beats += 1
      if (this.#beats % beatsAnEvent !== 1) return
      const { busy: active, processed } = status
      const data = { active, processed, loadavg: os.loadavg(), rss: process.memoryUsage.rss() }
      await this.#broker.events.append([{ type: 'worker.heartbeat', at: now.at, worker: this.#options.name, data }])
    } catch (error) {
      // The broker is away; the dispatcher says so, and the next beat tries again.
      if (this.#options.logs('debug')) {
        this.#options.log({ level: 'debug', at: now.at, type: 'worker.notice', message: `heartbeat: ${error}` })
      }
    }
  }

  async leave(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#status = null
    await this.#broker.workers.leave(this.#session, this.#options.clock.now())
  }
}
