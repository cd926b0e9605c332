/** A worker: claims jobs from a broker and has them run by child processes. */
import { type Booted, boot } from '../boot/boot.ts'
import { inOrder } from '../boot/order.ts'
import type { Broker } from '../broker/broker.ts'
import { parseDuration } from '../duration.ts'
import { JobqError } from '../errors.ts'
import type { WorkerComponents } from './components.ts'
import { type ResolvedOptions, resolveOptions, type WorkerOptions } from './options.ts'
import { workerSteps } from './steps.ts'

export type { LogEntry, LogLevel } from './log-entry.ts'
export type { WorkerOptions } from './options.ts'

/** How a worker ended. */
export interface WorkerEnd {
  /** Started jobs that went back to the queue because they did not finish in time. */
  readonly returned: number
  /** Why it ended by itself, where something was wrong. */
  readonly error: unknown
}

/** How to stop a worker. `cold` waits for nothing; running jobs go back to the queue. */
export interface StopOptions {
  readonly grace?: string | number
  readonly cold?: boolean
}

/** A worker that was made, and may be started once. */
export interface Worker {
  /**
   * Opens the broker, forks the children and begins to claim.
   * @throws JobqError `conflict` the second time or after a stop, and what made a step fail
   */
  start(): Promise<void>
  /** Lets running jobs finish, then lets go of everything. A second call with `cold` cuts a running stop short. */
  stop(options?: StopOptions): Promise<WorkerEnd>
  /** Resolves when the worker has ended, be it by `stop`, a finished drain, a broken broker or a start that failed. */
  readonly done: Promise<WorkerEnd>
  /** What each step does now. */
  info(): Record<string, unknown>
  /** The steps in the order of their start. */
  readonly steps: readonly { readonly name: string; readonly requires: readonly string[] }[]
}

/**
 * Makes a worker; nothing happens before `start`.
 * @throws JobqError `usage` naming a wrong option
 */
export const createWorker = (options: WorkerOptions): Worker => new BootedWorker(resolveOptions(options))

class BootedWorker implements Worker {
  readonly done: Promise<WorkerEnd>
  readonly steps: Worker['steps']
  readonly #options: ResolvedOptions
  readonly #steps: ReturnType<typeof workerSteps>
  readonly #stop = new AbortController()
  #starting: Promise<Booted<WorkerComponents>> | null = null
  #booted: Booted<WorkerComponents> | null = null
  #graceMs: number
  #cold = false
  #error: unknown = null
  #end: (end: WorkerEnd) => void = () => {}

  constructor(options: ResolvedOptions) {
    this.#options = options
    this.#graceMs = options.graceMs
    this.#steps = workerSteps(options, {
      onIdle: (broker) => {
        this.#drained(broker).catch((error: unknown) => this.#say(`looking for what is left to do: ${error}`))
      },
      onBroken: (error) => this.#broken(error),
      stopping: this.#stop.signal,
      graceMs: () => this.#graceMs,
      cold: () => this.#cold,
      stop: () => void this.stop(),
      components: () => this.#booted?.components ?? {},
      info: () => this.info(),
    })
    this.steps = inOrder(this.#steps)
    this.done = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  async start(): Promise<void> {
    if (this.#starting !== null || this.#stop.signal.aborted) {
      throw new JobqError('conflict', 'a worker is started once, and not after its stop')
    }
    this.#starting = boot<WorkerComponents>(this.#steps, (step, error) => this.#say(`${step}: ${error}`))
    try {
      this.#booted = await this.#starting
    } catch (error) {
      this.#end({ returned: 0, error })
      throw error
    }
  }

  async stop(options: StopOptions = {}): Promise<WorkerEnd> {
    if (options.grace !== undefined) this.#graceMs = parseDuration(options.grace)
    if (options.cold === true) this.#cold = true
    if (this.#stop.signal.aborted) {
      if (this.#cold) this.#booted?.components.pool.kill()
      return this.done
    }
    this.#stop.abort()
    const booted = await this.#starting?.catch(() => null)
    await booted?.stop()
    this.#end({ returned: booted?.components.execution.cut ?? 0, error: this.#error })
    return this.done
  }

  info(): Record<string, unknown> {
    return this.#booted?.info() ?? {}
  }

  async #drained(broker: Broker): Promise<void> {
    const { drain, queues, clock } = this.#options
    if (drain === false || this.#stop.signal.aborted) return
    if (drain === 'all') {
      const served = (await broker.jobs.queues(clock.now())).filter(
        (queue) => !queue.paused && (queues === null || queues.some((share) => share.name === queue.name)),
      )
      if (served.some((queue) => queue.blocked + queue.queued + queue.running > 0)) return
    }
    await this.stop()
  }

  #broken(error: unknown): void {
    if (this.#stop.signal.aborted) return
    this.#error = error
    void this.stop()
  }

  #say(message: string): void {
    const { clock, log, logs } = this.#options
    if (logs('error')) log({ level: 'error', at: clock.now().at, type: 'worker.notice', message })
  }
}
