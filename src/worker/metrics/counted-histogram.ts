import { Histogram, type HistogramConfiguration } from 'prom-client'
import type { Durations } from './durations.ts'
import { bucketBounds } from './durations.ts'
import type { Family } from './families.ts'

type Told = Awaited<ReturnType<Histogram['get']>>

/**
 * A histogram of durations that have been counted already: to have the library count them takes ten times as long, which
 * a worker of short jobs would feel.
 */
export class CountedHistogram extends Histogram {
  readonly #read: () => ReturnType<Family<Durations>['read']>
  readonly #empty: Histogram
  readonly #name: string

  constructor(family: Family<Durations>, read: () => ReturnType<Family<Durations>['read']>) {
    const configuration: HistogramConfiguration<string> = {
      name: family.name,
      help: family.help,
      labelNames: family.labels,
      registers: [],
    }
    super(configuration)
    this.#name = family.name
    this.#read = read
    this.#empty = new Histogram(configuration)
  }

  override async get(): Promise<Told> {
    const values = this.#read().flatMap(({ labels, value: { counts, sumMs } }) => {
      let total = 0
      const buckets = counts.map((count, index) => {
        total += count
        return {
          metricName: `${this.#name}_bucket`,
          labels: { le: bucketBounds[index] ?? '+Inf', ...labels },
          value: total,
        }
      })
      return [
        ...buckets,
        { metricName: `${this.#name}_sum`, labels, value: sumMs / 1_000 },
        { metricName: `${this.#name}_count`, labels, value: total },
      ]
    })
    return { ...(await this.#empty.get()), values }
  }

  /** What a registry asks for where it is there. */
  getForPromString(): Promise<Told> {
    return this.get()
  }
}
