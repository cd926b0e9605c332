import { type WorkerStep, workerStep } from '../components.ts'
import { DiskSpace } from '../disk-space.ts'
import { Dispatcher } from '../dispatcher.ts'
import type { WorkerHooks } from '../hooks.ts'
import type { ResolvedOptions } from '../options.ts'
import { outputFolderOf } from '../output-folder.ts'
import { workerStatus } from '../status.ts'

/** How long a stop tries to report what is left, in milliseconds. */
const lastReportsMs = 10_000

/** Claims jobs, hands them out and settles what comes back. */
export const dispatcherStep = (options: ResolvedOptions, hooks: WorkerHooks): WorkerStep =>
  workerStep({
    name: 'dispatcher',
    requires: ['broker', 'execution', 'pool', 'presence', 'leases'],
    start: ({ broker, execution, pool, presence, leases }) => {
      const { session } = presence
      const { onBroken } = hooks
      const onIdle = () => hooks.onIdle(broker)
      const { clock, log, logs } = options
      const space = new DiskSpace(outputFolderOf(broker, options), (level, message) => {
        if (logs(level)) log({ level, at: clock.now().at, type: 'worker.notice', message })
      })
      const dispatcher = new Dispatcher({
        broker,
        execution,
        pool,
        session,
        options,
        onIdle,
        onBroken,
        meter: hooks.meter,
        space,
        beforeClaim: leases.catchUp,
        onRing: leases.checkSoon,
        onLost: leases.check,
      })
      presence.show(() => workerStatus({ pool, execution, dispatcher, stopping: hooks.stopping }))
      hooks.stopping.addEventListener('abort', () => void presence.beat(), { once: true })
      dispatcher.start()
      return dispatcher
    },
    drain: (dispatcher) => dispatcher.drain(),
    stop: (dispatcher) => dispatcher.stop(lastReportsMs),
  })
