/** How long a child lasts that is replaced after so many jobs, or above so much memory. */

/** When children are replaced; null: never. */
export interface ChildLimits {
  readonly maxJobs: number | null
  /** Resident memory after a job, in bytes. */
  readonly maxBytes: number | null
}

/** What a child has gone through. */
export interface Wear {
  /** For how long it had jobs in its hands, in milliseconds. */
  readonly busyMs: number
  readonly jobs: number
  /** Resident memory in bytes when it began, and now. */
  readonly baseBytes: number
  readonly bytes: number
}

/** Memory says nothing before this share of what a child may grow by is used up. */
const tellingShare = 1 / 4

/** How many more milliseconds of work a child can do before it is to be replaced, if it goes on as it did; endless for one that never is. */
export const lastsMs = (wear: Wear, { maxJobs, maxBytes }: ChildLimits): number => {
  const byJobs = maxJobs === null ? Number.POSITIVE_INFINITY : leftMs(wear.busyMs, wear.jobs, maxJobs)
  if (maxBytes === null) return byJobs
  const grown = wear.bytes - wear.baseBytes
  const room = maxBytes - wear.baseBytes
  if (grown < room * tellingShare) return byJobs
  return Math.min(byJobs, leftMs(wear.busyMs, grown, room))
}

/** The last job is as good as over, whatever was seen before it. */
const leftMs = (busyMs: number, used: number, most: number): number => {
  if (used + 1 >= most) return 0
  return used <= 0 ? Number.POSITIVE_INFINITY : ((most - used) * busyMs) / used
}
