import { type WorkerStep, workerStep } from '../components.ts'
import { Execution } from '../execution.ts'
import type { WorkerHooks } from '../hooks.ts'
import type { ResolvedOptions } from '../options.ts'

/** The jobs in hand, from claim to report. */
export const executionStep = (options: ResolvedOptions, { jobHooks, meter }: WorkerHooks): WorkerStep =>
  workerStep({
    name: 'execution',
    requires: ['tasks'],
    start: ({ tasks }) => {
      options.messages.loadKeys()
      return new Execution({
        tasks,
        messages: options.messages,
        clock: options.clock,
        log: options.log,
        logs: options.logs,
        jobHooks,
        meter,
      })
    },
    info: (execution) => ({ inHand: execution.size, processed: execution.processed }),
  })
