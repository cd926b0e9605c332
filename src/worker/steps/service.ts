import { type WorkerStep, workerStep } from '../components.ts'
import type { ResolvedOptions } from '../options.ts'
import { Service } from '../service.ts'

/** Tells a service manager how the worker is, where there is one. */
export const serviceStep = ({ serviceManager }: ResolvedOptions): WorkerStep =>
  workerStep({
    name: 'service',
    requires: ['dispatcher', 'execution', 'pool'],
    includeIf: () => serviceManager !== null,
    start: (parts) => {
      if (serviceManager === null) throw new Error('there is no service manager')
      const service = new Service({ ...parts, manager: serviceManager })
      void service.start()
      return service
    },
    drain: (service) => service.drain(),
    stop: (service) => service.stop(),
  })
