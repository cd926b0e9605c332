import { type WorkerStep, workerStep } from '../components.ts'
import type { ResolvedOptions } from '../options.ts'

/** Has the tasks reloaded when a file behind them changes. */
export const watcherStep = (options: ResolvedOptions): WorkerStep =>
  workerStep({
    name: 'watcher',
    requires: ['sources', 'reloader'],
    includeIf: () => options.watch !== null,
    start: async ({ sources, reloader }) => {
      // Loaded where it is used only, with the library that does the watching.
      const { Watcher } = await import('../watcher.ts')
      return new Watcher({ sources, reloader, options })
    },
    drain: (watcher) => watcher.close(),
    info: (watcher) => ({ folders: watcher.folders }),
  })
