import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { openSite, type Site } from './site.ts'

const tasks = {
  'quick.js': 'export default () => {}',
}

const add = (site: Site, count: number): Promise<number[]> =>
  site.queue.enqueueMany(Array(count).fill({ task: 'quick' }))

/** How many jobs of the queue `default` are in which state. */
const counts = async (site: Site) => {
  const queue = (await site.broker.jobs.queues(systemClock.now())).find(({ name }) => name === 'default')
  assert.ok(queue)
  const { queued, running, succeeded, failed, cancelled } = queue
  return { queued, running, succeeded, failed, cancelled }
}

const none = { queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0 }

describe('small jobs that travel together', () => {
  it('go to children that may not run as many any more', { timeout: 60_000 }, async (context) => {
    const site = await openSite(context, tasks)
    const ids = await add(site, 3_000)
    await (await site.start({ maxTasksPerChild: 200, concurrency: 2, drain: 'due' })).done
    assert.deepEqual(await counts(site), { ...none, succeeded: ids.length })
  })
})
