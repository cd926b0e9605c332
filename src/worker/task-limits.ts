/**
 * How long jobs may run: of all that say something, the most specific wins, for the soft and the hard limit each by
 * itself. From the least to the most: the configuration's defaults, the worker, the task (a change made while the worker
 * runs, over `taskOptions`, over its definition), the job.
 */
import type { CheckedConfig } from '../config.ts'
import type { ClaimedJob } from '../job.ts'
import type { RunLimits } from '../pool/pool.ts'
import type { TaskSummary } from '../pool/task-summary.ts'
import { checkTimeLimits } from '../time-limit.ts'

/** Limits in milliseconds; absent: not said, null: none. */
export interface LimitChange {
  readonly softTimeLimitMs?: number | null
  readonly timeLimitMs?: number | null
}

/** Where limits come from. */
export interface LimitSources {
  readonly config: CheckedConfig
  /** Of this worker, for all of its jobs. */
  readonly worker: LimitChange
  /** The task as its file defines it. */
  readonly definition: (task: string) => TaskSummary | undefined
}

/** The limits of this worker's jobs. */
export class TaskLimits {
  readonly #sources: LimitSources
  readonly #changes = new Map<string, LimitChange>()
  readonly #byTask = new Map<string, RunLimits | null>()

  constructor(sources: LimitSources) {
    this.#sources = sources
  }

  /** What holds for one job; null where it may run as long as it likes. */
  for(job: Pick<ClaimedJob, 'task' | 'options'>): RunLimits | null {
    const limits = this.#ofTask(job.task)
    const { softTimeLimitMs, timeLimitMs } = job.options
    if (softTimeLimitMs === undefined && timeLimitMs === undefined) return limits
    return {
      softMs: softTimeLimitMs ?? limits?.softMs ?? null,
      hardMs: timeLimitMs ?? limits?.hardMs ?? null,
      softSignal: limits?.softSignal ?? this.#softSignal(job.task),
    }
  }

  /**
   * Changes what a task says for as long as this worker runs; a limit that is null is none from now on.
   * @throws JobqError `usage` when the soft limit would not be below the hard one
   */
  set(task: string, change: LimitChange): void {
    const changed = { ...this.#changes.get(task), ...change }
    const { softMs: softTimeLimit, hardMs: timeLimit } = this.#resolve(task, changed)
    checkTimeLimits({ softTimeLimit, timeLimit })
    this.#changes.set(task, changed)
    this.#byTask.delete(task)
  }

  /** Definitions have changed. */
  refresh(): void {
    this.#byTask.clear()
  }

  #ofTask(task: string): RunLimits | null {
    let limits = this.#byTask.get(task)
    if (limits === undefined) {
      const resolved = this.#resolve(task, this.#changes.get(task) ?? {})
      limits = resolved.softMs === null && resolved.hardMs === null ? null : resolved
      this.#byTask.set(task, limits)
    }
    return limits
  }

  #resolve(task: string, change: LimitChange): RunLimits {
    const { config, worker, definition } = this.#sources
    const { defaults = {} } = config
    const own = this.#own(task)
    const defined = definition(task)
    return {
      softMs: firstSaid(
        change.softTimeLimitMs,
        own?.softTimeLimit,
        defined?.softTimeLimitMs,
        worker.softTimeLimitMs ?? undefined,
        defaults.softTimeLimit,
      ),
      hardMs: firstSaid(
        change.timeLimitMs,
        own?.timeLimit,
        defined?.timeLimitMs,
        worker.timeLimitMs ?? undefined,
        defaults.timeLimit,
      ),
      softSignal: this.#softSignal(task),
    }
  }

  #softSignal(task: string): NodeJS.Signals {
    return this.#own(task)?.softSignal ?? this.#sources.config.defaults?.softSignal ?? 'SIGTERM'
  }

  #own(task: string) {
    const { taskOptions = {} } = this.#sources.config
    return Object.hasOwn(taskOptions, task) ? taskOptions[task] : undefined
  }
}

const firstSaid = (...said: readonly (number | null | undefined)[]): number | null =>
  said.find((limit) => limit !== undefined) ?? null
