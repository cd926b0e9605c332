import type { Burst } from '../burst.ts'
import type { ClaimedJob, Progress } from '../job.ts'
import type { PoolChild } from '../pool/pool.ts'

/** What is handed to a child in one piece. */
interface Piece {
  /** The child that has it; null while it waits here. */
  child: PoolChild<ClaimedJob> | null
  /** Expected milliseconds that it adds to its child's load. */
  load: number
}

/** A job in this worker's hands. */
export interface Flight extends Piece {
  readonly job: ClaimedJob
  /** True once its start has been reported (or is on its way to be); then its return is on the log as well. */
  started: boolean
  /** True once its lease is known to be lost: it must not be handed out again. */
  lost: boolean
  progress: (Progress & { readonly at: number }) | null
  progressAt: number
}

/** A burst in this worker's hands. */
export interface BurstFlight extends Piece {
  readonly burst: Burst
}

/** A job that has just been claimed, or was taken out of a burst. */
export const newFlight = (job: ClaimedJob): Flight => ({
  job,
  child: null,
  load: 0,
  started: false,
  lost: false,
  progress: null,
  progressAt: 0,
})

/** How many jobs it is. */
export const jobsIn = (flight: Flight | BurstFlight): number => ('burst' in flight ? flight.burst.size : 1)
