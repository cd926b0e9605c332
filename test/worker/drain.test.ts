import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SqliteBroker } from '../../src/broker/sqlite/sqlite-broker.ts'
import { JobqError } from '../../src/errors.ts'
import { until } from '../support/until.ts'
import { openSite, type Site } from './site.ts'

const flaky = {
  'flaky.js': `export const options = { retries: 2, backoff: 'fixed:20ms' }
    export default (payload, job) => { if (job.attempt < 3) throw new Error('not yet') }`,
  'later.js': `import { Snooze } from ${JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)}
    let often = 0
    export default () => { if (often++ < 2) throw new Snooze(20) }`,
}

const states = async (site: Site, ids: readonly number[]): Promise<string[]> =>
  (await Promise.all(ids.map(site.job))).map(({ state }) => state)

describe('a drain of what is due', () => {
  it('ends at once where there is nothing', async (context) => {
    const site = await openSite(context)
    assert.deepEqual(await (await site.start({ drain: 'due' })).done, { returned: 0, error: null })
  })

  it('runs what is due, with what that lets go, and leaves what is delayed, backing off, held or paused', async (context) => {
    const site = await openSite(context)
    const first = await site.queue.enqueue('note')
    const after = await site.queue.enqueue('note', null, { after: [first] })
    const delayed = await site.queue.enqueue('note', null, { delay: '1h' })
    const failing = await site.queue.enqueue(['false'], { retries: 1, backoff: 'fixed:1h' })
    const paused = await site.queue.enqueue('note', null, { queue: 'still' })
    await site.queue.pause('still')
    await (await site.start({ drain: 'due', concurrency: 2 })).done
    const ids = [first, after, delayed, failing, paused]
    assert.deepEqual(await states(site, ids), ['succeeded', 'succeeded', 'queued', 'queued', 'queued'])
    assert.deepEqual(
      (await Promise.all(ids.map(site.job))).map(({ label }) => label),
      [null, null, 'scheduled', 'retrying', null],
    )
  })

  it('shares the work with another worker on the same file, each job once', async (context) => {
    const site = await openSite(context)
    const ids = await site.queue.enqueueMany(Array(400).fill({ task: 'note' }))
    const workers = await Promise.all(['one', 'two'].map((name) => site.start({ drain: 'due', name, prefetch: 1 })))
    await Promise.all(workers.map((worker) => worker.done))
    assert.deepEqual(site.effects().toSorted(), ids.map((id) => `${id} 1 ran`).toSorted())
    const names = new Set((await Promise.all(ids.map(site.job))).map(({ worker }) => worker))
    assert.deepEqual(names, new Set(['one', 'two']))
  })
})

describe('a drain of all', () => {
  it('waits for what is delayed, retried, snoozed and blocked, not for what is paused or of other queues', async (context) => {
    const site = await openSite(context, flaky)
    const delayed = await site.queue.enqueue('note', null, { delay: 300 })
    const retried = await site.queue.enqueue('flaky')
    const snoozed = await site.queue.enqueue('later')
    const blocked = await site.queue.enqueue('note', null, { after: [delayed, retried, snoozed] })
    const paused = await site.queue.enqueue('note', null, { queue: 'still' })
    const other = await site.queue.enqueue('note', null, { queue: 'other' })
    await site.queue.pause('still')
    await (await site.start({ drain: 'all', queues: ['default', 'still'] })).done
    assert.deepEqual(await states(site, [delayed, retried, snoozed, blocked, paused, other]), [
      ...['succeeded', 'succeeded', 'succeeded', 'succeeded'],
      ...['queued', 'queued'],
    ])
    assert.deepEqual([(await site.job(retried)).attempt, (await site.job(snoozed)).attempt], [3, 1])
  })

  it('waits for what another worker runs', async (context) => {
    const site = await openSite(context)
    const id = await site.queue.enqueue('hold')
    const other = await site.start({ name: 'other' })
    await site.noted(id, 'began')
    const draining = await site.start({ name: 'draining', drain: 'all' })
    const free = await site.queue.enqueue('note')
    await site.reached(free, 'succeeded')
    assert.equal((await site.broker.workers.list()).length, 2)
    site.open(id)
    await draining.done
    assert.equal((await site.job(id)).state, 'succeeded')
    await other.stop()
  })

  it('goes on where the broker is away as it asks what is left', async (context) => {
    const site = await openSite(context)
    const broker = SqliteBroker.open(site.database)
    context.after(() => broker.close())
    let refusals = 0
    const real = broker.jobs.queues.bind(broker.jobs)
    broker.jobs.queues = async (now) => {
      if (refusals++ === 0) throw new JobqError('unavailable', 'away for a moment')
      return real(now)
    }
    const worker = await site.start({ broker, drain: 'all' })
    await until('it to ask', () => refusals === 1)
    await site.queue.enqueue('note')
    assert.deepEqual(await worker.done, { returned: 0, error: null })
    assert.equal(site.effects().length, 1)
  })
})
