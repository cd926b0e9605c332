import { type WorkerStep, workerStep } from '../components.ts'
import type { ResolvedOptions } from '../options.ts'
import { Watcher } from '../watcher.ts'

/** Has the tasks reloaded when a file behind them changes. */
export const watcherStep = (options: ResolvedOptions): WorkerStep =>
  workerStep({
    name: 'watcher',
    requires: ['sources', 'reloader'],
    includeIf: () => options.watch !== null,
    start: ({ sources, reloader }) => new Watcher({ sources, reloader, options }),
    drain: (watcher) => watcher.close(),
    info: (watcher) => ({ folders: watcher.folders }),
  })
