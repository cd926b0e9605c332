import type { StepStatus } from '../boot/boot.ts'
import type { Broker } from '../broker/broker.ts'
import type { WorkerComponents } from './components.ts'
import type { JobHooks } from './job-hooks.ts'
import type { Meter } from './metrics/meter.ts'

/** What the worker itself wants to hear from its steps, and what it tells them. */
export interface WorkerHooks {
  readonly onIdle: (broker: Broker) => void
  readonly onBroken: (error: unknown) => void
  /** Aborted when the worker is to stop, be it while it starts. */
  readonly stopping: AbortSignal
  /** How long a stop waits for running jobs, read when it begins. */
  readonly graceMs: () => number
  /** True when a stop waits for nothing. */
  readonly cold: () => boolean
  /** Aborted when a stop waits for nothing. */
  readonly cut: AbortSignal
  /** Begins the worker's stop. */
  readonly stop: () => void
  /** What the steps give, once all of them have started; nothing before. */
  readonly components: () => Partial<WorkerComponents>
  /** What each step says of itself. */
  readonly info: () => Record<string, unknown>
  /** The state of each step. */
  readonly steps: () => readonly StepStatus[]
  /** Tells the user's steps of jobs; null where none wants to hear. */
  readonly jobHooks: JobHooks | null
  /** Counts what happens; null where nobody asks for figures. */
  readonly meter: Meter | null
  /** What the user's steps share with tasks, by component; complete when the pool starts. */
  readonly shared: Readonly<Record<string, unknown>>
}
