import type { Burst } from '../burst.ts'
import type { Lease } from '../job.ts'
import type { RunBurst, RunJob } from '../pool/pool.ts'
import type { BurstFlight } from './flight.ts'

/** The bursts in this worker's hands. */
export class BurstFlights {
  readonly #flights = new Map<RunBurst<RunJob>, BurstFlight>()

  /** So many jobs. */
  get size(): number {
    let size = 0
    for (const { burst } of this.#flights.values()) size += burst.size
    return size
  }

  get leases(): Lease[] {
    return [...this.#flights.values()].flatMap(({ burst }) =>
      burst.ids.slice(burst.ended).map((id) => ({ id, token: burst.like.token })),
    )
  }

  add(burst: Burst): BurstFlight {
    const flight = { burst, child: null, load: 0 }
    this.#flights.set(burst, flight)
    return flight
  }

  get(burst: RunBurst<RunJob>): BurstFlight | undefined {
    return this.#flights.get(burst)
  }

  /** The one that holds a job which has not ended. */
  holding(id: number): BurstFlight | undefined {
    for (const flight of this.#flights.values()) {
      if (flight.burst.ids.indexOf(id) >= flight.burst.ended) return flight
    }
    return undefined
  }

  delete(burst: RunBurst<RunJob>): void {
    this.#flights.delete(burst)
  }
}
