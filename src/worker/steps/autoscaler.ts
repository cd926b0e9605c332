import { Autoscaler } from '../autoscaler.ts'
import { type WorkerStep, workerStep } from '../components.ts'
import type { ResolvedOptions } from '../options.ts'

/** Sees to the size of the pool. */
export const autoscalerStep = (options: ResolvedOptions): WorkerStep =>
  workerStep({
    name: 'autoscaler',
    requires: ['broker', 'execution', 'pool', 'dispatcher'],
    start: ({ broker, execution, pool, dispatcher }) => {
      const autoscaler = new Autoscaler({ broker, execution, pool, options, claims: () => !dispatcher.held })
      dispatcher.onWork = autoscaler.lookSoon
      autoscaler.start()
      return autoscaler
    },
    drain: (autoscaler) => autoscaler.stop(),
    info: ({ size, bounds }) => ({ size, bounds }),
  })
