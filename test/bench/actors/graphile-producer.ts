// An application that enqueues with Graphile Worker, into an empty table.
import { playActor } from '../actor.ts'
import { payloads } from '../payload.ts'
import { timeBatches, type Writing, type Written } from './batches.ts'
import { type GraphileTask, openGraphile } from './graphile-database.ts'

await playActor<GraphileTask & Writing, Written>(async (task) => {
  const { graphile, logger, connection } = await openGraphile(task)
  const utils = await graphile.makeWorkerUtils({ connectionString: task.url, logger })
  await utils.addJob('noop', {})
  await connection.query('TRUNCATE graphile_worker._private_jobs')
  await connection.end()
  const jobs = payloads(task.batch).map((payload) => ({ identifier: 'noop', payload }))
  return async () => {
    const written = await timeBatches(task, async () => {
      if (task.batch === 1) await utils.addJob('noop', jobs[0]?.payload)
      else await utils.addJobs(jobs)
      return true
    })
    await utils.release()
    return written
  }
})
