import { once } from 'node:events'
import type { CheckedTaskSettings } from '../../config.ts'
import { JobqError } from '../../errors.ts'
import { defaultMaxPayloadBytes } from '../../new-job.ts'
import type { CodecPlan } from '../../pool/codec-plan.ts'
import { createPool } from '../../pool/forked-pool.ts'
import { processPlan } from '../../process-options.ts'
import type { Coding } from '../../sealing.ts'
import { type WorkerStep, workerStep } from '../components.ts'
import type { WorkerHooks } from '../hooks.ts'
import type { ResolvedOptions } from '../options.ts'
import { outputFolderOf } from '../output-folder.ts'
import { PoolReports } from '../pool-reports.ts'

const aborted = async (signal: AbortSignal): Promise<void> => {
  if (!signal.aborted) await once(signal, 'abort')
}

/** What children need to read payloads and write results. */
const codecPlan = ({ config, configFile }: ResolvedOptions): CodecPlan => {
  const own = config.serializers !== undefined || config.compressors !== undefined
  if (own && configFile === null) {
    throw new JobqError(
      'usage',
      'serializers and compressors of your own are loaded by children from a file: name it as configFile',
    )
  }
  const tasks = Object.entries(config.taskOptions ?? {}).map(([name, options]) => [name, coding(options)])
  return {
    configFile: own ? configFile : null,
    accept: config.accept ?? null,
    maxPayloadBytes: config.maxPayload ?? defaultMaxPayloadBytes,
    defaults: coding(config.defaults ?? {}),
    tasks: Object.fromEntries(tasks),
  }
}

const coding = ({ serializer, compress }: CheckedTaskSettings): Coding => ({
  ...(serializer === undefined ? {} : { serializer }),
  ...(compress === undefined ? {} : { compress }),
})

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
        codecs: codecPlan(options),
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
