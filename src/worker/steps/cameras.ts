import { type WorkerStep, workerStep } from '../components.ts'
import type { ResolvedOptions } from '../options.ts'

/** Has pictures taken of how the broker stands. */
export const camerasStep = (options: ResolvedOptions): WorkerStep =>
  workerStep({
    name: 'cameras',
    requires: ['broker', 'presence'],
    includeIf: () => (options.config.cameras ?? []).length > 0,
    start: async ({ broker }) => {
      // Loaded where it is used only.
      const { Cameras } = await import('../cameras.ts')
      return new Cameras(broker, options)
    },
    drain: (cameras) => cameras.stop(),
    stop: (cameras) => cameras.stop(),
  })
