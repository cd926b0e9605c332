import { type WorkerStep, workerStep } from '../components.ts'
import type { WorkerHooks } from '../hooks.ts'
import type { Textfile } from '../metrics/textfile.ts'
import type { ResolvedOptions } from '../options.ts'

const textfileEveryMs = 15_000

/** Tells the worker's figures, where anybody asks for them. */
export const metricsStep = (options: ResolvedOptions, hooks: WorkerHooks): WorkerStep => {
  const { meter, components } = hooks
  const { http, metrics } = options.config
  let textfile: Textfile | null = null
  return workerStep({
    name: 'metrics',
    requires: ['broker'],
    includeIf: () => meter !== null,
    start: async ({ broker }) => {
      if (meter === null) throw new Error('nothing is counted')
      // Loaded where they are used only, with the library that writes the text.
      const { Exposition } = await import('../metrics/exposition.ts')
      const { QueueCounts } = await import('../metrics/queue-counts.ts')
      const { clock, name, log, logs } = options
      const queueCounts = new QueueCounts(broker, clock)
      const exposition = new Exposition(
        { name, broker, meter, queueCounts, components },
        { ofProcess: http !== undefined },
      )
      if (metrics !== undefined) {
        const { Textfile } = await import('../metrics/textfile.ts')
        textfile = new Textfile({
          file: metrics.textfile,
          everyMs: metrics.every ?? textfileEveryMs,
          // The collector tells figures of its own process under the same names as ours.
          text: () => exposition.ownText(),
          onTrouble: (error) => {
            const message = `writing ${metrics.textfile}: ${error instanceof Error ? error.message : error}`
            if (logs('warn')) log({ level: 'warn', at: clock.now().at, type: 'worker.notice', message })
          },
        })
        textfile.start()
      }
      return exposition
    },
    stop: () => textfile?.stop(),
    info: () => ({ textfile: metrics?.textfile ?? null }),
  })
}
