// A worker of plainjob, until nothing is left to do; answers when its last job was settled, in epoch milliseconds.
import { playActor } from '../actor.ts'
import { openPlainjob, type PlainjobTask, type PlainjobWorker } from './plainjob-database.ts'

const pending = 0
const lookEveryMs = 10

const endedWell = async (worker: PlainjobWorker): Promise<boolean> => {
  try {
    await worker.start()
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY') return false
    throw error
  }
}

await playActor<PlainjobTask, number>(async (task) => {
  const { queue, worker } = await openPlainjob(task)
  return async () => {
    let lastAt = 0
    const running = worker('noop', () => {
      lastAt = performance.timeOrigin + performance.now()
    })
    // It lets a timer in only when it found nothing to do.
    const look = setInterval(() => {
      if (queue.countJobs({ status: pending }) === 0) void running.stop()
    }, lookEveryMs)
    // Two of them on one file come to grief over its lock now and then; a supervisor would start them again.
    while (!(await endedWell(running)));
    clearInterval(look)
    queue.close()
    return lastAt
  }
})
