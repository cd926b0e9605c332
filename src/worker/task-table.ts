import type { Broker } from '../broker/broker.ts'
import type { CheckedConfig, CheckedTaskSettings } from '../config.ts'
import { type ClaimedJob, commandTask, type TaskDefaults } from '../job.ts'
import { defaultPolicy, type RunPolicy } from '../policy.ts'
import type { RunLimits } from '../pool/pool.ts'
import type { TaskProblem, TaskSummary } from '../pool/task-summary.ts'
import { type LimitChange, TaskLimits } from './task-limits.ts'

/** The tasks that this worker's children have found, with what defaults, configuration and definition make of their options. */
export class TaskTable {
  readonly #broker: Broker
  readonly #config: CheckedConfig
  readonly #tasks = new Map<string, TaskSummary>()
  readonly #policies = new Map<string, RunPolicy>()
  readonly #limits: TaskLimits
  #problems: readonly TaskProblem[] = []
  /** Called when limits were changed: jobs that have not started are to be handed out anew. */
  onLimits: () => void = () => {}

  /** `limits` are the worker's own, for tasks and jobs that have none. */
  constructor(broker: Broker, config: CheckedConfig, limits: LimitChange = {}) {
    this.#broker = broker
    this.#config = config
    this.#limits = new TaskLimits({ config, worker: limits, definition: (task) => this.#tasks.get(task) })
  }

  /** Takes what a child has found and publishes it for enqueuers. */
  async update(tasks: readonly TaskSummary[], problems: readonly TaskProblem[]): Promise<void> {
    this.#tasks.clear()
    this.#policies.clear()
    this.#limits.refresh()
    for (const task of tasks) this.#tasks.set(task.name, task)
    this.#problems = problems
    await this.#broker.tasks.publish(tasks.map((task) => this.#published(task)))
  }

  get names(): readonly string[] {
    return [...this.#tasks.keys()]
  }

  /** The tasks as the children have found them. */
  get summaries(): readonly TaskSummary[] {
    return [...this.#tasks.values()]
  }

  get problems(): readonly TaskProblem[] {
    return this.#problems
  }

  /** What holds for one job: its own options over its task's over the configuration's defaults. */
  policyFor(job: Pick<ClaimedJob, 'task' | 'retries' | 'options'>): RunPolicy {
    const policy = this.#policyOf(job.task)
    const { backoff, maxCrashes } = job.options
    if (job.retries === null && backoff === undefined && maxCrashes === undefined) return policy
    return {
      ...policy,
      retries: job.retries ?? policy.retries,
      backoff: backoff ?? policy.backoff,
      maxCrashes: maxCrashes ?? policy.maxCrashes,
    }
  }

  /** How long one job may run; null where it may as long as it likes. */
  limitsFor(job: Pick<ClaimedJob, 'task' | 'options'>): RunLimits | null {
    return this.#limits.for(job)
  }

  /**
   * Changes the limits of a task for jobs started from now on, until this worker ends: in milliseconds, null for none,
   * absent for as it was. A job's own limits still win.
   * @throws JobqError `usage` when the soft limit would not be below the hard one
   */
  setLimits(task: string, change: LimitChange): void {
    this.#limits.set(task, change)
    this.onLimits()
  }

  #policyOf(name: string): RunPolicy {
    let policy = this.#policies.get(name)
    if (policy === undefined) {
      const { retries, backoff, maxCrashes, ack } = this.#settings(name)
      policy = {
        retries: retries ?? defaultPolicy.retries,
        backoff: backoff ?? defaultPolicy.backoff,
        maxCrashes: maxCrashes ?? defaultPolicy.maxCrashes,
        ack: ack ?? defaultPolicy.ack,
      }
      this.#policies.set(name, policy)
    }
    return policy
  }

  /** defaults < task (`taskOptions` over its definition). Commands retry only when told to by name or by the job. */
  #settings(name: string): CheckedTaskSettings & Partial<TaskSummary> {
    const { defaults = {} } = this.#config
    const { retries: _, ...defaultsForCommands } = defaults
    return { ...(name === commandTask ? defaultsForCommands : defaults), ...this.#tasks.get(name), ...this.#own(name) }
  }

  #own(name: string): CheckedTaskSettings | undefined {
    const { taskOptions = {} } = this.#config
    return Object.hasOwn(taskOptions, name) ? taskOptions[name] : undefined
  }

  #published(task: TaskSummary): TaskDefaults {
    const { queue, priority, retries, serializer, compress, sign } = this.#settings(task.name)
    const expiresMs = this.#own(task.name)?.expires ?? task.expiresMs ?? this.#config.defaults?.expires
    return {
      task: task.name,
      ...(queue === undefined ? {} : { queue }),
      ...(priority === undefined ? {} : { priority }),
      ...(retries === undefined ? {} : { retries }),
      ...(expiresMs === undefined ? {} : { expiresMs }),
      ...(serializer === undefined ? {} : { serializer }),
      ...(compress === undefined ? {} : { compress }),
      ...(sign === undefined ? {} : { sign }),
    }
  }
}
