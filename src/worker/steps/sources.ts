import { type WorkerStep, workerStep } from '../components.ts'
import type { ResolvedOptions } from '../options.ts'
import { Sources } from '../sources.ts'

/** Knows the files behind the tasks. */
export const sourcesStep = ({ tasks, watch }: ResolvedOptions): WorkerStep =>
  workerStep({
    name: 'sources',
    requires: [],
    start: () => new Sources(tasks, watch),
    info: (sources) => ({ imported: sources.imported.length }),
  })
