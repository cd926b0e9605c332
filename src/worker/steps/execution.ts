import { type WorkerStep, workerStep } from '../components.ts'
import { Execution } from '../execution.ts'
import type { ResolvedOptions } from '../options.ts'

/** The jobs in hand, from claim to report. */
export const executionStep = (options: ResolvedOptions): WorkerStep =>
  workerStep({
    name: 'execution',
    requires: ['tasks'],
    start: ({ tasks }) => new Execution({ tasks, clock: options.clock, log: options.log, logs: options.logs }),
    info: (execution) => ({ inHand: execution.size, processed: execution.processed }),
  })
