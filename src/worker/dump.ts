import type { StepStatus } from '../boot/boot.ts'
import type { Broker } from '../broker/broker.ts'
import type { WorkerDump } from '../control/result.ts'
import type { LoopDelay } from './loop-delay.ts'
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

/** All that a worker knows of itself now. */
export const dumpWorker = (parts: DumpParts, loopDelay: LoopDelay): WorkerDump => {
  const { broker, dispatcher, execution, options } = parts
  const { status, size, children, processed } = workerStatus(parts)
  const info = parts.info()
  return {
    worker: options.name,
    pid: process.pid,
    at: options.clock.now().at,
    uptimeMs: Math.round(process.uptime() * 1_000),
    status,
    rss: process.memoryUsage.rss(),
    eventLoop: loopDelay.take(),
    broker: { url: broker.url, state: dispatcher.away ? 'away' : 'ok' },
    jobs: { inHand: execution.size, toReport: execution.toReport, processed },
    pool: { size, children },
    steps: parts.steps().map((step) => ({ ...step, info: info[step.name] ?? null })),
  }
}
