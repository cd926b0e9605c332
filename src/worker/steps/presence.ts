import { type WorkerStep, workerStep } from '../components.ts'
import type { ResolvedOptions } from '../options.ts'
import { Presence } from '../presence.ts'

/** Lets others know that this worker lives. */
export const presenceStep = (options: ResolvedOptions): WorkerStep =>
  workerStep({
    name: 'presence',
    requires: ['broker'],
    start: async ({ broker }) => {
      const presence = new Presence(broker, options)
      await presence.join()
      return presence
    },
    stop: (presence) => presence.leave(),
    info: (presence) => ({ session: presence.session }),
  })
