/**
 * How much work each child has in its hands, in expected milliseconds: who gets the next job, and who has enough.
 */
import type { ClaimedJob } from '../job.ts'
import type { PoolChild } from '../pool/pool.ts'
import type { Flight } from './flight.ts'
import type { Pace } from './pace.ts'

/** The load of a job that nothing is known of: it fills its child. */
const unknownMs = 1e9

/** Between two children of the same load, the one with fewer jobs. */
const perJobMs = 1e-6

/** The loads of a pool's children. */
export class ChildLoads {
  readonly #pace: Pace
  readonly #loads = new Map<PoolChild<ClaimedJob>, number>()

  constructor(pace: Pace) {
    this.#pace = pace
  }

  /** Gives a job to the least loaded child that has room; `batches` are jobs on their way there. Null when none has. */
  place(
    flight: Flight,
    able: readonly PoolChild<ClaimedJob>[],
    batches: ReadonlyMap<PoolChild<ClaimedJob>, readonly ClaimedJob[]>,
  ): PoolChild<ClaimedJob> | null {
    let best: PoolChild<ClaimedJob> | null = null
    let bestLoad = Number.POSITIVE_INFINITY
    for (const child of able) {
      const jobs = child.inFlight + (batches.get(child)?.length ?? 0)
      const load = this.#of(child)
      if (child.remaining <= (batches.get(child)?.length ?? 0)) continue
      const room = flight.job.recovered ? jobs === 0 && flight.started : this.#pace.hasRoom(load, jobs)
      if (!room || load + jobs * perJobMs >= bestLoad) continue
      best = child
      bestLoad = load + jobs * perJobMs
    }
    if (best === null) return null
    flight.child = best
    flight.load = flight.job.recovered ? unknownMs : Math.min(unknownMs, this.#pace.expected(flight.job.task))
    this.#loads.set(best, this.#of(best) + flight.load)
    return best
  }

  /** From now on a job fills its child. */
  fill(flight: Flight): void {
    if (flight.child === null) return
    this.#loads.set(flight.child, this.#of(flight.child) - flight.load + unknownMs)
    flight.load = unknownMs
  }

  /** Takes a job off its child. */
  unload(flight: Flight): void {
    const { child } = flight
    if (child === null) return
    if (child.inFlight === 0) this.#loads.delete(child)
    else this.#loads.set(child, Math.max(0, this.#of(child) - flight.load))
    flight.child = null
  }

  /** Forgets a child that is gone. */
  forget(child: PoolChild<ClaimedJob>): void {
    this.#loads.delete(child)
  }

  #of(child: PoolChild<ClaimedJob>): number {
    return this.#loads.get(child) ?? 0
  }
}
