import { openBroker } from '../../broker/open.ts'
import { type WorkerStep, workerStep } from '../components.ts'
import type { ResolvedOptions } from '../options.ts'

/** Opens the broker, unless the worker was given an open one. */
export const brokerStep = (options: ResolvedOptions): WorkerStep =>
  workerStep({
    name: 'broker',
    requires: [],
    start: () => (typeof options.broker === 'string' ? openBroker(options.broker) : options.broker),
    stop: (broker) => (typeof options.broker === 'string' ? broker.close() : undefined),
    info: (broker) => ({ url: broker.url }),
  })
