/** What the pool says, passed on: to the execution of jobs, the table of tasks, the event log and the log. */
import type { Broker } from '../broker/broker.ts'
import { JobqError } from '../errors.ts'
import type { ClaimedJob, Progress } from '../job.ts'
import type {
  BurstEnd,
  ChildExit,
  Ended,
  PoolChild,
  PoolListener,
  RunBurst,
  StartTrouble,
  TaskCall,
} from '../pool/pool.ts'
import { residentBytes } from '../pool/resident-bytes.ts'
import { failuresToTell } from '../pool/start-up.ts'
import { problemText, type TaskProblem, type TaskSummary } from '../pool/task-summary.ts'
import { formatSize } from '../size.ts'
import type { Execution } from './execution.ts'
import type { LogLevel } from './log-entry.ts'
import type { Meter } from './metrics/meter.ts'
import type { ResolvedOptions } from './options.ts'
import type { Sources } from './sources.ts'
import { enqueueFromTask } from './task-enqueue.ts'
import type { TaskTable } from './task-table.ts'

/** What `PoolReports` passes things on to. */
export interface PoolReportsTo {
  readonly broker: Broker
  readonly tasks: TaskTable
  readonly execution: Execution
  readonly sources: Sources
  readonly meter: Meter | null
  readonly options: ResolvedOptions
}

/** The listener of a worker's pool. */
export class PoolReports implements PoolListener<ClaimedJob> {
  readonly #to: PoolReportsTo
  #problems = ''
  #toldOfMemory = false

  constructor(to: PoolReportsTo) {
    this.#to = to
  }

  ready(child: PoolChild<ClaimedJob>, tasks: readonly TaskSummary[], problems: readonly TaskProblem[]): void {
    const { tasks: table, execution } = this.#to
    table.update(tasks, problems).catch((error: unknown) => this.#log('warn', `publishing tasks: ${error}`))
    const told = problems.map(problemText)
    if (told.join('\n') !== this.#problems) for (const problem of told) this.#log('error', problem)
    this.#problems = told.join('\n')
    this.#lookAtMemory(child.pid)
    this.#event('child.started', { pid: child.pid })
    execution.onChange()
  }

  started(_child: PoolChild<ClaimedJob>, job: ClaimedJob, start: { readonly at: number; readonly pid: number }): void {
    this.#to.execution.started(job, start)
  }

  finished(_child: PoolChild<ClaimedJob>, ended: readonly Ended<ClaimedJob>[]): void {
    this.#to.execution.finished(ended)
  }

  succeeded(_child: PoolChild<ClaimedJob>, ends: readonly BurstEnd<ClaimedJob>[]): void {
    this.#to.execution.succeeded(ends)
  }

  separated(_child: PoolChild<ClaimedJob>, burst: RunBurst<ClaimedJob>, jobs: readonly ClaimedJob[]): void {
    this.#to.execution.separated(burst, jobs)
  }

  imported(child: PoolChild<ClaimedJob>, file: string, hash: string | null): void {
    // One that leaves runs code of the past.
    if (child.state !== 'stopping') this.#to.sources.record(file, hash)
  }

  progress(_child: PoolChild<ClaimedJob>, job: ClaimedJob, progress: Progress & { readonly at: number }): void {
    this.#to.execution.progressed(job, progress)
  }

  returned(_child: PoolChild<ClaimedJob>, jobs: readonly ClaimedJob[]): void {
    this.#to.execution.returned(jobs)
  }

  async call(_child: PoolChild<ClaimedJob>, call: TaskCall<ClaimedJob>): Promise<unknown> {
    const { broker, execution, options } = this.#to
    if (!execution.holds(call.job)) throw new JobqError('conflict', 'this run of the job has lost its lease')
    if (call.method === 'enqueue') return enqueueFromTask(broker, call, options)
    const [status] = await broker.extend([call.job], options.leaseMs, options.clock.now())
    if (status === 'lost') throw new JobqError('conflict', 'this run of the job has lost its lease')
    return null
  }

  output(child: PoolChild<ClaimedJob>, stream: 'stdout' | 'stderr', text: string): void {
    this.#log('warn', `child ${child.pid} printed on ${stream} outside of any job: ${text.trimEnd()}`)
  }

  exited(child: PoolChild<ClaimedJob>, exit: ChildExit<ClaimedJob>): void {
    const { code, signal, expected, reason, detail, replacedInMs } = exit
    this.#to.meter?.childLeft(reason)
    this.#event('child.exited', { pid: child.pid, code, signal, expected, reason })
    if (!expected) {
      const next = replacedInMs === null ? '' : replacedInMs === 0 ? '; replaced' : `; replaced in ${replacedInMs} ms`
      this.#log('error', `child ${child.pid}: ${detail}${next}`)
    }
    this.#to.execution.exited(child, exit)
  }

  troubled(trouble: StartTrouble | null): void {
    const { execution } = this.#to
    if (trouble === null) this.#log('warn', 'children start again')
    else if (trouble.failures === failuresToTell) {
      const rest = trouble.ready === 0 ? 'nothing is claimed until one does' : `${trouble.ready} go on`
      this.#log('error', `children do not start: ${trouble.detail}; ${rest}`)
    }
    if (trouble?.ready === 0) execution.giveUp()
  }

  stuck(child: PoolChild<ClaimedJob>, job: ClaimedJob | null): void {
    const what = job === null ? '' : `: job ${job.id} (${job.task}) holds its event loop, or it is stopped`
    this.#log('warn', `child ${child.pid} does not answer${what}`)
  }

  /** A limit that a child is above from its start replaces each after one job, which is hardly what was meant. */
  #lookAtMemory(pid: number): void {
    const { maxMemoryPerChild } = this.#to.options
    if (maxMemoryPerChild === null || this.#toldOfMemory) return
    const bytes = residentBytes(pid) ?? 0
    if (bytes <= maxMemoryPerChild) return
    this.#toldOfMemory = true
    const [limit, held] = [formatSize(maxMemoryPerChild), formatSize(bytes)]
    this.#log(
      'warn',
      `a child holds ${held} before its first job, above the limit of ${limit}: each is replaced after one job`,
    )
  }

  #event(type: 'child.started' | 'child.exited', data: Record<string, unknown>): void {
    const { broker, options } = this.#to
    const at = options.clock.now().at
    broker.events
      .append([{ type, at, worker: options.name, data }])
      .catch((error: unknown) => this.#log('debug', `logging ${type}: ${error}`))
  }

  #log(level: LogLevel, message: string): void {
    const { options } = this.#to
    if (options.logs(level)) options.log({ level, at: options.clock.now().at, type: 'worker.notice', message })
  }
}
