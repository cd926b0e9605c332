import { type WorkerStep, workerStep } from '../components.ts'
import { Control } from '../control.ts'
import type { WorkerHooks } from '../hooks.ts'
import type { LogLevel } from '../log-entry.ts'
import type { ResolvedOptions } from '../options.ts'

/** Takes commands through a socket while the worker is up, its stop included. */
export const controlStep = (options: ResolvedOptions, hooks: WorkerHooks): WorkerStep => {
  const say = (level: LogLevel, message: string): void => {
    const { clock, log, logs } = options
    if (logs(level)) log({ level, at: clock.now().at, type: 'worker.notice', message })
  }
  return workerStep({
    name: 'control',
    requires: ['broker', 'tasks', 'presence', 'execution', 'pool', 'dispatcher'],
    start: async (components) => {
      const { stopping, info, steps, stop, components: others } = hooks
      const note = (message: string): void => say('info', message)
      const control = new Control({ ...components, options, stopping, info, steps, stop, others, note })
      try {
        // Windows has no sockets in its file system.
        if (process.platform !== 'win32') await control.listen()
      } catch (error) {
        // Jobs are worked on without it, too.
        say('warn', `nobody can control this worker: ${error instanceof Error ? error.message : error}`)
      }
      return control
    },
    stop: (control) => control.close(),
    info: (control) => ({ socket: control.path }),
  })
}
