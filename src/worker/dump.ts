import { type EventLoopUtilization, performance } from 'node:perf_hooks'
import type { StepStatus } from '../boot/boot.ts'
import type { Broker } from '../broker/broker.ts'
import type { WorkerDump } from '../control/result.ts'
import type { ResolvedOptions } from './options.ts'
import { type StatusParts, workerStatus } from './status.ts'

/** What a dump is read from. */
export interface DumpParts extends StatusParts {
  readonly broker: Broker
  readonly options: ResolvedOptions
  /** What each step says of itself. */
  readonly info: () => Record<string, unknown>
  readonly steps: () => readonly StepStatus[]
}

/** Tells all that a worker knows of itself; nothing is measured between two dumps. */
export class Dumper {
  readonly #parts: DumpParts
  readonly #startedAt = performance.now()
  #utilization: EventLoopUtilization = performance.eventLoopUtilization()

  constructor(parts: DumpParts) {
    this.#parts = parts
  }

  /** Looks at the worker now; takes as long as one turn of its event loop. */
  async dump(): Promise<WorkerDump> {
    const { broker, dispatcher, execution, options } = this.#parts
    const info = this.#parts.info()
    const delayMs = await timerDelay()
    const since = this.#utilization
    this.#utilization = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(this.#utilization, since)
    const { status, size, children, processed } = workerStatus(this.#parts)
    return {
      worker: options.name,
      pid: process.pid,
      at: options.clock.now().at,
      uptimeMs: Math.round(performance.now() - this.#startedAt),
      status,
      rss: process.memoryUsage.rss(),
      eventLoop: { delayMs, utilization: rounded(utilization) },
      broker: { url: broker.url, state: dispatcher.away ? 'away' : 'ok' },
      jobs: { inHand: execution.size, toReport: execution.toReport, processed },
      pool: { size, children },
      steps: this.#parts.steps().map((step) => ({ ...step, info: info[step.name] ?? null })),
    }
  }
}

/** How late a timer of one millisecond comes. */
const timerDelay = async (): Promise<number> => {
  const begun = performance.now()
  await new Promise((resolve) => setTimeout(resolve, 1))
  return rounded(Math.max(0, performance.now() - begun - 1))
}

const rounded = (value: number): number => Math.round(value * 1_000) / 1_000
