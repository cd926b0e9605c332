import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { CountedHistogram } from './counted-histogram.ts'
import { counters, type Family, gauges, histograms, type Sample } from './families.ts'
import { type Snapshot, type SnapshotParts, takeSnapshot } from './snapshot.ts'

/** How finely the delay of the event loop is measured, in milliseconds. */
const loopDelayMs = 20

/** The worker's figures as the text that Prometheus reads. */
export class Exposition {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE
  readonly #parts: SnapshotParts
  readonly #own = new Registry()
  readonly #process: Registry | null
  #snapshot: Snapshot | null = null
  #taking: Promise<string> | null = null

  /** With `ofProcess`, the figures of the process are told as well, and its event loop is watched from now on. */
  constructor(parts: SnapshotParts, { ofProcess }: { readonly ofProcess: boolean }) {
    this.#parts = parts
    this.#process = ofProcess ? new Registry() : null
    for (const family of gauges) this.#addGauge(family)
    for (const family of counters) this.#addCounter(family)
    for (const family of histograms) {
      this.#own.registerMetric(new CountedHistogram(family, () => this.#read(family)))
    }
    if (this.#process !== null) {
      collectDefaultMetrics({ register: this.#process, eventLoopMonitoringPrecision: loopDelayMs })
    }
  }

  /** The text as of now; callers at one time share one. */
  text(): Promise<string> {
    this.#taking ??= this.#take().finally(() => {
      this.#taking = null
    })
    return this.#taking
  }

  /** The worker's own figures alone. */
  async ownText(): Promise<string> {
    this.#snapshot = await takeSnapshot(this.#parts)
    return this.#own.metrics()
  }

  async #take(): Promise<string> {
    const own = await this.ownText()
    return this.#process === null ? own : `${own}\n${await this.#process.metrics()}`
  }

  #read<Value>(family: Family<Value>): readonly Sample<Value>[] {
    return this.#snapshot === null ? [] : family.read(this.#snapshot)
  }

  #addGauge(family: Family<number>): void {
    const read = (): readonly Sample<number>[] => this.#read(family)
    new Gauge({
      ...named(family),
      registers: [this.#own],
      collect() {
        this.reset()
        for (const { labels, value } of read()) this.set(labels, value)
      },
    })
  }

  #addCounter(family: Family<number>): void {
    const read = (): readonly Sample<number>[] => this.#read(family)
    new Counter({
      ...named(family),
      registers: [this.#own],
      collect() {
        this.reset()
        for (const { labels, value } of read()) this.inc(labels, value)
      },
    })
  }
}

const named = ({ name, help, labels }: Family<number>) => ({ name, help, labelNames: labels })
