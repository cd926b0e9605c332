/** What the built-in steps of a worker give to steps of the user: small views, so that what is inside may change. */
import type { Broker, ChildStatus } from '../broker/broker.ts'
import type { JobError } from '../job.ts'
import type { TaskProblem } from '../pool/task-summary.ts'

/** The child processes of a worker. */
export interface WorkerPool {
  /** How many children are wanted. */
  readonly size: number
  /** How many run a job. */
  readonly busy: number
  /** What each child does, and for how long. */
  status(): ChildStatus[]
  /**
   * Asks for so many children: grows at once, shrinks by idle children first, and lets busy ones finish.
   * @throws RangeError for anything but a whole number of at least 1
   */
  resize(size: number): void
}

/** The tasks that a worker has found. */
export interface WorkerTasks {
  readonly names: readonly string[]
  readonly problems: readonly TaskProblem[]
}

/** The jobs in a worker's hands. */
export interface WorkerExecution {
  /** Claimed and not reported. */
  readonly inHand: number
  /** Ended since the start, however they ended. */
  readonly processed: number
}

/** How a worker is known to others. */
export interface WorkerPresence {
  readonly name: string
}

/**
 * What a step of the user may require of the built-in ones, by name. Others (`leases`, `dispatcher`, `pruner`, …) can
 * be required too, to start after them; they give nothing.
 */
export interface StepDependencies {
  readonly broker: Broker
  readonly tasks: WorkerTasks
  readonly execution: WorkerExecution
  readonly pool: WorkerPool
  readonly presence: WorkerPresence
}

/** A run of a job that has begun. Instants are epoch milliseconds. */
export interface JobStart {
  readonly id: number
  readonly task: string
  readonly queue: string
  readonly attempt: number
  readonly startedAt: number
}

/** A run of a job that has ended, as its event will say. */
export interface JobEnd extends Omit<JobStart, 'startedAt'> {
  /** Null where it never ran: expired, cancelled or refused before. */
  readonly startedAt: number | null
  readonly endedAt: number
  /** How long it ran, with fractions of a millisecond; null where it never ran or nobody could tell. */
  readonly runMs: number | null
  readonly event:
    | 'job.succeeded'
    | 'job.failed'
    | 'job.retried'
    | 'job.snoozed'
    | 'job.cancelled'
    | 'job.rejected'
    | 'job.recovered'
  readonly error: JobError | null
  /** The command's, else null. */
  readonly exitCode: number | null
  /** When it runs again; null where it does not. */
  readonly dueAt: number | null
}
