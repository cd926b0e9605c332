import { connect } from '../../src/client.ts'
import type { JobItem } from '../../src/new-job.ts'
import { untilSucceeded } from './settled.ts'
import type { WorkerProcess } from './worker-process.ts'

const batchSize = 1_000

/** Adds so many jobs, in bulk. `itemOf` gives the job of each number. */
export const fill = async (file: string, count: number, itemOf: (n: number) => JobItem): Promise<void> => {
  const queue = await connect(file)
  try {
    for (let from = 0; from < count; from += batchSize) {
      const size = Math.min(batchSize, count - from)
      await queue.enqueueMany(Array.from({ length: size }, (_, index) => itemOf(from + index)))
    }
  } finally {
    await queue.close()
  }
}

/** As `fill`, with the queue of the jobs paused, so that a worker can get ready before any of them is to be had. */
export const fillPaused = async (file: string, count: number, itemOf: (n: number) => JobItem): Promise<void> => {
  const queue = await connect(file)
  await queue.pause('default')
  await queue.close()
  await fill(file, count, itemOf)
}

/** Lets workers that are ready have the jobs of a paused queue, and gives the milliseconds until `count` have succeeded. */
export const drainMs = async (file: string, count: number, workers: readonly WorkerProcess[]): Promise<number> => {
  const queue = await connect(file)
  try {
    const begun = performance.now()
    await queue.resume('default')
    return (await untilSucceeded(file, count)).at - begun
  } finally {
    await queue.close()
    await Promise.all(workers.map((worker) => worker.stop()))
  }
}
