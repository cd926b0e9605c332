import { type WorkerStep, workerStep } from '../components.ts'
import type { WorkerHooks } from '../hooks.ts'
import type { ResolvedOptions } from '../options.ts'

/** Tells the configured consumers what happens. It drains after the dispatcher, so that they hear how the last jobs have ended. */
export const consumersStep = (options: ResolvedOptions, hooks: WorkerHooks): WorkerStep =>
  workerStep({
    name: 'consumers',
    requires: ['broker', 'presence'],
    before: ['dispatcher'],
    includeIf: () => (options.config.consumers ?? []).length > 0,
    start: async ({ broker, presence }) => {
      // Loaded where it is used only.
      const { Consumers } = await import('../consumers.ts')
      return Consumers.start(broker, presence.session, options)
    },
    drain: (consumers) => consumers.drain(hooks.cut),
    stop: (consumers) => consumers.stop(),
    info: (consumers) => consumers.info,
  })
