/**
 * How much work each child has in its hands, in expected milliseconds: who gets the next job, and who has enough.
 */
import type { Burst } from '../burst.ts'
import type { ClaimedJob } from '../job.ts'
import type { PoolChild } from '../pool/pool.ts'
import { type BurstFlight, type Flight, jobsIn } from './flight.ts'
import type { Pace } from './pace.ts'

/** The load of a job that nothing is known of: it fills its child. */
const unknownMs = 1e9

/** Between two children of the same load, the one with fewer jobs. */
const perJobMs = 1e-6

/** A child gets short jobs one behind the other until it is ahead of the others by so many milliseconds or jobs: those that were enqueued together stay together. */
const grainMs = 1
const grainJobs = 64

/** What is on its way to one child. */
export interface Consignment {
  readonly pieces: (ClaimedJob | Burst)[]
  jobs: number
}

/** What is on its way to children. */
export type Consignments = Map<PoolChild<ClaimedJob>, Consignment>

/** The loads of a pool's children. */
export class ChildLoads {
  readonly #pace: Pace
  readonly #loads = new Map<PoolChild<ClaimedJob>, number>()
  #latest: PoolChild<ClaimedJob> | null = null

  constructor(pace: Pace) {
    this.#pace = pace
  }

  /** Consigns a job or a burst to the least loaded child that has room; false when none has. */
  place(flight: Flight | BurstFlight, able: readonly PoolChild<ClaimedJob>[], consignments: Consignments): boolean {
    const child = this.#choose(flight, able, consignments)
    if (child === null) return false
    this.#latest = child
    flight.child = child
    flight.load = this.#expected(flight)
    this.#loads.set(child, this.#of(child) + flight.load)
    const piece = 'burst' in flight ? flight.burst : flight.job
    const consignment = consignments.get(child)
    if (consignment === undefined) consignments.set(child, { pieces: [piece], jobs: jobsIn(flight) })
    else {
      consignment.pieces.push(piece)
      consignment.jobs += jobsIn(flight)
    }
    return true
  }

  /** From now on a job fills its child. */
  fill(flight: Flight): void {
    if (flight.child === null) return
    this.#loads.set(flight.child, this.#of(flight.child) - flight.load + unknownMs)
    flight.load = unknownMs
  }

  /** Takes a job off its child. */
  unload(flight: Flight): void {
    this.lighten(flight, flight.load)
    flight.child = null
  }

  /** Takes part of its load off the child that has it. */
  lighten(flight: Flight | BurstFlight, load: number): void {
    const { child } = flight
    if (child === null) return
    flight.load -= load
    if (child.inFlight === 0) this.#loads.delete(child)
    else this.#loads.set(child, Math.max(0, this.#of(child) - load))
  }

  /** Forgets a child that is gone. */
  forget(child: PoolChild<ClaimedJob>): void {
    this.#loads.delete(child)
  }

  #choose(
    flight: Flight | BurstFlight,
    able: readonly PoolChild<ClaimedJob>[],
    consignments: Consignments,
  ): PoolChild<ClaimedJob> | null {
    let best: PoolChild<ClaimedJob> | null = null
    let bestLoad = Number.POSITIVE_INFINITY
    let latestLoad = Number.POSITIVE_INFINITY
    let bestIsIdle = false
    for (const child of able) {
      const coming = consignments.get(child)?.jobs ?? 0
      const [jobs, load] = [child.inFlight + coming, this.#of(child)]
      if (child.remaining < coming + jobsIn(flight) || !this.#hasRoom(flight, load, jobs)) continue
      const total = load + jobs * perJobMs
      if (child === this.#latest) latestLoad = total
      if (total >= bestLoad) continue
      best = child
      bestLoad = total
      bestIsIdle = jobs === 0
    }
    if (bestIsIdle) return best
    return latestLoad - bestLoad < Math.min(grainMs, grainJobs * (this.#expected(flight) + perJobMs))
      ? this.#latest
      : best
  }

  #hasRoom(flight: Flight | BurstFlight, load: number, jobs: number): boolean {
    if ('burst' in flight) return this.#pace.hasRoom(load, jobs)
    return flight.job.recovered ? jobs === 0 && flight.started : this.#pace.hasRoom(load, jobs)
  }

  #expected(flight: Flight | BurstFlight): number {
    if ('burst' in flight) return this.#pace.expected(flight.burst.like.task) * flight.burst.size
    return flight.job.recovered ? unknownMs : Math.min(unknownMs, this.#pace.expected(flight.job.task))
  }

  #of(child: PoolChild<ClaimedJob>): number {
    return this.#loads.get(child) ?? 0
  }
}
