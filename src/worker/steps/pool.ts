import { once } from 'node:events'
import { createPool } from '../../pool/forked-pool.ts'
import { processPlan } from '../../process-options.ts'
import { codecPlan } from '../codings.ts'
import { type WorkerStep, workerStep } from '../components.ts'
import type { WorkerHooks } from '../hooks.ts'
import type { ResolvedOptions } from '../options.ts'
import { outputFolderOf } from '../output-folder.ts'
import { PoolReports } from '../pool-reports.ts'

const aborted = async (signal: AbortSignal): Promise<void> => {
  if (!signal.aborted) await once(signal, 'abort')
}

/** Forks the children. */
export const poolStep = (options: ResolvedOptions, hooks: WorkerHooks): WorkerStep =>
  workerStep({
    name: 'pool',
    requires: ['broker', 'tasks', 'execution', 'sources'],
    start: async ({ broker, tasks, execution, sources }) => {
      const { maxOutput, maxResult } = options.config
      const pool = createPool({
        program: options.program,
        listener: new PoolReports({ meter: hooks.meter, broker, tasks, execution, sources, options }),
        tasks: options.tasks,
        env: options.env,
        outputFolder: outputFolderOf(broker, options),
        ...(maxOutput === undefined ? {} : { maxOutputBytes: maxOutput }),
        ...(maxResult === undefined ? {} : { maxResultBytes: maxResult }),
        killAfterMs: options.killAfterMs,
        childLimits: { maxJobs: options.maxTasksPerChild, maxBytes: options.maxMemoryPerChild },
        reportImports: options.watch !== null,
        brokerUrl: broker.url,
        limitsOf: (job) => tasks.limitsFor(job),
        shared: hooks.shared,
        codecs: codecPlan(options.config, options.configFile),
        processes: processPlan(options.config),
      })
      // What has not started is handed out again, with its new limits.
      tasks.onLimits = () => {
        for (const child of pool.children) child.recall()
      }
      // Tasks may take their time to load; a stop does not wait for them.
      await Promise.race([pool.start(options.concurrency), aborted(hooks.stopping)])
      return pool
    },
    drain: (pool) => {
      if (hooks.cold()) pool.kill()
      return pool.stop({ graceMs: hooks.graceMs() })
    },
    stop: (pool) => pool.kill(),
    info: (pool) => ({ size: pool.size, children: pool.status() }),
  })
