import type { Place } from '../place.ts'

/** Another job queue, in one configuration. Each measurement starts from nothing and leaves nothing. */
export interface Peer {
  readonly name: string
  /** What of its own survives a power cut. */
  readonly durability: string
  /** More jobs than this would take it too long. */
  readonly atMostJobs: number
  /** How many times as fast jobq shall drain. */
  readonly drainGoal: number
  /** Jobs a second that a worker with two slots settles. */
  drain(place: Place, jobs: number): Promise<number>
  /** Jobs a second that one process adds one by one. */
  enqueueSingly(place: Place, forMs: number): Promise<number>
  /** Jobs a second that one process adds a thousand at a time. */
  enqueueInBulk(place: Place, jobs: number): Promise<number>
}
