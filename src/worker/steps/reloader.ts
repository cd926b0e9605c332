import { type WorkerStep, workerStep } from '../components.ts'
import type { ResolvedOptions } from '../options.ts'
import { Reloader } from '../reloader.ts'

/** Exchanges the code of the tasks when it is told to. */
export const reloaderStep = (options: ResolvedOptions): WorkerStep =>
  workerStep({
    name: 'reloader',
    requires: ['broker', 'tasks', 'sources', 'pool'],
    start: (components) => new Reloader({ ...components, options }),
    info: (reloader) => ({ last: reloader.last }),
  })
