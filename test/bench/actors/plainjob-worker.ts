// A worker of plainjob, until nothing is left to do; answers when its last job was settled, in epoch milliseconds.
import { playActor } from '../actor.ts'
import { openPlainjob, type PlainjobTask } from './plainjob-database.ts'

const pending = 0
const processing = 1
const lookEveryMs = 10

await playActor<PlainjobTask, number>(async (task) => {
  const { queue, worker } = await openPlainjob(task)
  return async () => {
    let lastAt = 0
    const running = worker('noop', () => {
      lastAt = performance.timeOrigin + performance.now()
    })
    // It lets a timer in only when it found nothing to do.
    const look = setInterval(() => {
      if (queue.countJobs({ status: pending }) + queue.countJobs({ status: processing }) === 0) void running.stop()
    }, lookEveryMs)
    await running.start()
    clearInterval(look)
    queue.close()
    return lastAt
  }
})
