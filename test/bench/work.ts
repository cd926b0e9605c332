import type { Figures, RowPlan } from './figures.ts'
import type { Peer } from './peers/peer.ts'
import type { Place } from './place.ts'
import type { Sizes } from './sizes.ts'

/** What a work is measured with. */
export interface Bench {
  /** A folder of the work's own, gone after it. */
  readonly place: Place
  readonly sizes: Sizes
  /** Other job queues to be measured beside jobq; often none. */
  readonly peers: readonly Peer[]
}

/** One thing that is measured, by its number in the table of goals. */
export interface Work {
  readonly id: string
  readonly title: string
  /** True where it reads what only Linux tells of processes. */
  readonly linuxOnly?: boolean
  /** Makes what the rounds share. */
  prepare(bench: Bench): Promise<PreparedWork>
}

/** A work that is ready to be measured. */
export interface PreparedWork {
  readonly rows: readonly RowPlan[]
  /** Measures jobq and what it is compared with once, one after the other. */
  round(): Promise<Figures>
  /** Lets go of what the rounds shared. */
  end?(): Promise<void>
}
