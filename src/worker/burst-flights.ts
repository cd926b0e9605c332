import type { Burst } from '../burst.ts'
import type { Lease } from '../job.ts'
import type { RunBurst, RunJob } from '../pool/pool.ts'
import type { BurstFlight } from './flight.ts'

/** A burst, and between which ids all of its jobs are. */
interface Entry {
  readonly flight: BurstFlight
  readonly lowest: number
  readonly highest: number
}

/** The bursts in this worker's hands. */
export class BurstFlights {
  readonly #entries = new Map<RunBurst<RunJob>, Entry>()

  /** So many jobs. */
  get size(): number {
    let size = 0
    for (const { flight } of this.#entries.values()) size += flight.burst.size
    return size
  }

  get leases(): Lease[] {
    return [...this.#entries.values()].flatMap(({ flight: { burst } }) =>
      burst.ids.slice(burst.ended).map((id) => ({ id, token: burst.like.token })),
    )
  }

  add(burst: Burst): BurstFlight {
    const flight = { burst, child: null, load: 0 }
    this.#entries.set(burst, { flight, lowest: Math.min(...burst.ids), highest: Math.max(...burst.ids) })
    return flight
  }

  get(burst: RunBurst<RunJob>): BurstFlight | undefined {
    return this.#entries.get(burst)?.flight
  }

  /** True if one of them holds any of these jobs. */
  holdAny(ids: readonly number[]): boolean {
    const [lowest, highest] = [Math.min(...ids), Math.max(...ids)]
    for (const entry of this.#entries.values()) {
      if (entry.highest < lowest || entry.lowest > highest) continue
      const { burst } = entry.flight
      const held = new Set(burst.ids.slice(burst.ended))
      if (ids.some((id) => held.has(id))) return true
    }
    return false
  }

  /** The one that holds a job which has not ended. */
  holding(id: number): BurstFlight | undefined {
    for (const { flight, lowest, highest } of this.#entries.values()) {
      const { burst } = flight
      if (id >= lowest && id <= highest && burst.ids.indexOf(id) >= burst.ended) return flight
    }
    return undefined
  }

  delete(burst: RunBurst<RunJob>): void {
    this.#entries.delete(burst)
  }
}
