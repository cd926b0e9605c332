import type { WorkerStatus } from '../broker/broker.ts'
import type { ClaimedJob } from '../job.ts'
import type { Pool } from '../pool/pool.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { Execution } from './execution.ts'

/** What a worker's status is read from. */
export interface StatusParts {
  readonly pool: Pool<ClaimedJob>
  readonly execution: Execution
  readonly dispatcher: Dispatcher
  /** Aborted once the worker is to stop. */
  readonly stopping: AbortSignal
}

/** What a worker does at this moment. */
export const workerStatus = ({ pool, execution, dispatcher, stopping }: StatusParts): WorkerStatus => ({
  status: stopping.aborted ? 'stopping' : dispatcher.held ? 'draining' : 'online',
  size: pool.size,
  busy: pool.children.filter((child) => child.inFlight > 0).length,
  processed: execution.processed,
  children: pool.status(),
  trouble: pool.trouble?.detail ?? null,
})
