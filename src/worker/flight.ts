import type { ClaimedJob, Progress } from '../job.ts'
import type { PoolChild } from '../pool/pool.ts'

/** A job in this worker's hands. */
export interface Flight {
  readonly job: ClaimedJob
  /** The child that has it; null while it waits here. */
  child: PoolChild<ClaimedJob> | null
  /** Expected milliseconds that it adds to its child's load. */
  load: number
  /** True once its start has been reported (or is on its way to be); then its return is on the log as well. */
  started: boolean
  /** True once its lease is known to be lost: it must not be handed out again. */
  lost: boolean
  progress: (Progress & { readonly at: number }) | null
  progressAt: number
}
