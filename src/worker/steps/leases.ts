import { type WorkerStep, workerStep } from '../components.ts'
import { Leases } from '../leases.ts'
import type { ResolvedOptions } from '../options.ts'

/** Keeps the leases of the jobs in hand. */
export const leasesStep = (options: ResolvedOptions): WorkerStep =>
  workerStep({
    name: 'leases',
    requires: ['broker', 'execution'],
    start: async ({ broker, execution }) => {
      const leases = new Leases(broker, execution, options)
      await leases.start()
      return leases
    },
    stop: (leases) => leases.stop(),
  })
