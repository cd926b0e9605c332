// An application that runs a worker through the library, until it is told to end.
import { createWorker, type WorkerOptions } from '../../../src/worker/worker.ts'
import { playActor } from '../actor.ts'

await playActor<WorkerOptions, null>(async (options) => {
  const worker = createWorker({ ...options, env: process.env })
  await worker.start()
  return async () => {
    await worker.stop()
    return null
  }
})
