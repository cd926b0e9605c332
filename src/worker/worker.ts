/** A worker: claims jobs from a broker and has them run by child processes. */
import { Boot, type StepStatus } from '../boot/boot.ts'
import type { Broker } from '../broker/broker.ts'
import type { WorkerDump } from '../control/result.ts'
import { parseDuration } from '../duration.ts'
import { JobqError } from '../errors.ts'
import type { WorkerComponents } from './components.ts'
import { type ResolvedOptions, resolveOptions, type WorkerOptions } from './options.ts'
import { planWorker } from './plan-worker.ts'
import type { ReloadReport } from './reloader.ts'

export type { StepState, StepStatus } from '../boot/boot.ts'
export type { LogEntry, LogLevel } from './log-entry.ts'
export type { WorkerOptions } from './options.ts'
export type { ReloadReport } from './reloader.ts'

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
  /**
   * Has fresh children load the tasks and take over from those that run; jobs that run end with their old code. What does
   * not load leaves the old code working. `reason` is for people.
   * @throws JobqError `conflict` when the worker does not run, even after a start that is under way, or runs without its step `reloader`
   */
  reload(reason: string): Promise<ReloadReport>
  /** All that the worker knows of itself now; null while it does not run, or runs without its step `control`. */
  dump(): WorkerDump | null
  /** What each step does now. */
  info(): Record<string, unknown>
  /** The steps in the order of their start with their present state, then those that are left out. */
  readonly steps: readonly StepStatus[]
}

/**
 * Makes a worker; nothing happens before `start`.
 * @throws JobqError `usage` naming a wrong option, or steps that do not fit together
 */
export const createWorker = (options: WorkerOptions): Worker => new BootedWorker(resolveOptions(options))

class BootedWorker implements Worker {
  readonly done: Promise<WorkerEnd>
  readonly #options: ResolvedOptions
  readonly #boot: Boot<WorkerComponents>
  readonly #stop = new AbortController()
  readonly #cut = new AbortController()
  #starting: Promise<WorkerComponents> | null = null
  #components: Partial<WorkerComponents> = {}
  #graceMs: number
  #error: unknown = null
  #end: (end: WorkerEnd) => void = () => {}

  constructor(options: ResolvedOptions) {
    this.#options = options
    this.#graceMs = options.graceMs
    const onStepError = (step: string, error: unknown): void => this.#say(`${step}: ${error}`)
    const plan = planWorker(options, {
      onIdle: (broker) => {
        this.#drained(broker).catch((error: unknown) => this.#say(`looking for what is left to do: ${error}`))
      },
      onBroken: (error) => this.#broken(error),
      stopping: this.#stop.signal,
      graceMs: () => this.#graceMs,
      cold: () => this.#cut.signal.aborted,
      cut: this.#cut.signal,
      onStepError,
      stop: () => void this.stop(),
      components: () => this.#components,
      info: () => this.info(),
      steps: () => this.steps,
    })
    this.#boot = new Boot(plan, onStepError)
    this.done = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  async start(): Promise<void> {
    if (this.#starting !== null || this.#stop.signal.aborted) {
      throw new JobqError('conflict', 'a worker is started once, and not after its stop')
    }
    this.#starting = this.#boot.start()
    try {
      await this.#starting
      this.#components = this.#boot.builtIn
    } catch (error) {
      if (this.#stop.signal.aborted) {
        // The stop that was asked for meanwhile ends it, and a step that gave up because of it has said nothing new.
        if (!(error instanceof JobqError && error.code === 'conflict')) this.#say(`start: ${error}`)
        return
      }
      this.#end({ returned: 0, error })
      throw error
    }
  }

  async stop(options: StopOptions = {}): Promise<WorkerEnd> {
    if (options.grace !== undefined) this.#graceMs = parseDuration(options.grace)
    if (options.cold === true) this.#cut.abort()
    if (this.#stop.signal.aborted) {
      if (this.#cut.signal.aborted) this.#components.pool?.kill()
      return this.done
    }
    this.#stop.abort()
    const started = await this.#starting?.catch(() => null)
    if (started) await this.#boot.stop()
    this.#end({ returned: this.#boot.builtIn.execution?.cut ?? 0, error: this.#error })
    return this.done
  }

  async reload(reason: string): Promise<ReloadReport> {
    await this.#starting?.catch(() => null)
    const { reloader, service } = this.#components
    if (reloader === undefined || this.#stop.signal.aborted) {
      throw new JobqError('conflict', 'tasks can be reloaded only while the worker runs, with its step reloader')
    }
    service?.reloading()
    const report = await reloader.reload(reason)
    service?.reloaded()
    return report
  }

  dump(): WorkerDump | null {
    return this.#components.control?.dump() ?? null
  }

  info(): Record<string, unknown> {
    return this.#boot.info()
  }

  get steps(): StepStatus[] {
    return this.#boot.steps
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
