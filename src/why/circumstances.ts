import type { Broker, QueueSummary, WorkerRecord } from '../broker/broker.ts'
import type { Moment } from '../clock.ts'
import { isFinished, type Job, type JobState } from '../job.ts'
import type { StartRate } from '../start-rate.ts'

/** A job that another one waits for; `state` is null when it was deleted, which only finished jobs can be. */
export interface Dependency {
  readonly id: number
  readonly state: JobState | null
}

/** Everything that `explain` looks at. */
export interface Circumstances {
  readonly job: Job
  /** The job's queue; null when nothing is known of it. */
  readonly queue: QueueSummary | null
  readonly workers: readonly WorkerRecord[]
  /** Names of the tasks that workers have ever published. */
  readonly tasks: ReadonlySet<string>
  readonly dependencies: readonly Dependency[]
  /** How often jobs of its task may start; null or absent where nobody limits that. */
  readonly startRate?: StartRate | null
  /** Epoch milliseconds. */
  readonly now: number
}

/** Reads what `explain` needs to know of a job. */
export const readCircumstances = async (broker: Broker, job: Job, now: Moment): Promise<Circumstances> => {
  const ids = isFinished(job.state) ? [] : [...new Set([...job.after, ...job.afterAny])]
  const [queues, workers, tasks, startRates, dependencies] = await Promise.all([
    broker.jobs.queues(now),
    broker.workers.list(),
    broker.tasks.list(),
    broker.tasks.startRates(),
    Promise.all(ids.map(async (id) => ({ id, state: (await broker.jobs.get(id, now))?.state ?? null }))),
  ])
  return {
    job,
    queue: queues.find((queue) => queue.name === job.queue) ?? null,
    workers,
    tasks: new Set(tasks.map((task) => task.task)),
    dependencies,
    startRate: startRates.find(({ task }) => task === job.task) ?? null,
    now: now.at,
  }
}
