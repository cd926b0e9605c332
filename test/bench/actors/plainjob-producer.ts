// An application that enqueues with plainjob.
import { playActor } from '../actor.ts'
import { payloads } from '../payload.ts'
import { timeBatches, type Writing, type Written } from './batches.ts'
import { openPlainjob, type PlainjobTask } from './plainjob-database.ts'

await playActor<PlainjobTask & Writing, Written>(async (task) => {
  const { queue } = await openPlainjob(task)
  const all = payloads(task.batch)
  return async () => {
    const written = await timeBatches(task, () => {
      if (task.batch === 1) queue.add('noop', all[0])
      else queue.addMany('noop', all)
      return true
    })
    queue.close()
    return written
  }
})
