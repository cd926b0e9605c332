// A Graphile Worker, until nothing is left to do; answers when its last job was settled, in epoch milliseconds.
import { setTimeout as sleep } from 'node:timers/promises'
import { playActor } from '../actor.ts'
import { type GraphileTask, openGraphile } from './graphile-database.ts'

const lookEveryMs = 2

/** Jobs at once, jobs fetched ahead, and milliseconds that ends are collected for. */
const worker = { concurrentJobs: 24, localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 }

await playActor<GraphileTask & { readonly jobs: number }, number>(async (task) => {
  const { graphile, logger, connection } = await openGraphile(task)
  let ran = 0
  const noop = async (): Promise<void> => {
    ran += 1
  }
  return async () => {
    const running = await graphile.run({
      preset: { worker: { ...worker, connectionString: task.url, maxPoolSize: 26 } },
      taskList: { noop },
      logger,
      noHandleSignals: true,
    })
    while (ran < task.jobs) await sleep(lookEveryMs)
    for (;;) {
      const { rows } = await connection.query('SELECT 1 FROM graphile_worker._private_jobs LIMIT 1')
      if (rows.length === 0) break
      await sleep(lookEveryMs)
    }
    const at = performance.timeOrigin + performance.now()
    await running.stop()
    await connection.end()
    return at
  }
})
