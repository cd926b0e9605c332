// An application that enqueues through the library, one by one or in bulk.
import { connect } from '../../../src/client.ts'
import { JobqError } from '../../../src/errors.ts'
import { playActor } from '../actor.ts'
import { payloads } from '../payload.ts'
import { timeBatches, type Writing, type Written } from './batches.ts'

await playActor<Writing, Written>(async (writing) => {
  const queue = await connect(writing.file)
  const items = payloads(writing.batch).map((payload) => ({ task: 'noop', payload }))
  const write = async (): Promise<boolean> => {
    try {
      if (writing.batch === 1) await queue.enqueue('noop', items[0]?.payload)
      else await queue.enqueueMany(items)
      return true
    } catch (error) {
      if (error instanceof JobqError && error.code === 'unavailable') return false
      throw error
    }
  }
  return async () => {
    const written = await timeBatches(writing, write)
    await queue.close()
    return written
  }
})
