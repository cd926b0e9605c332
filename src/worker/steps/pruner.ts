import { type WorkerStep, workerStep } from '../components.ts'
import type { ResolvedOptions } from '../options.ts'
import { outputFolderOf } from '../output-folder.ts'
import { Pruner } from '../pruner.ts'

/** Deletes what is past its retention. */
export const prunerStep = (options: ResolvedOptions): WorkerStep =>
  workerStep({
    name: 'pruner',
    requires: ['broker'],
    start: ({ broker }) => {
      const pruner = new Pruner(broker, options, outputFolderOf(broker, options))
      pruner.start()
      return pruner
    },
    stop: (pruner) => pruner.stop(),
  })
