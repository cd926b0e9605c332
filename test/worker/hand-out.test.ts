import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { NewWorker } from '../../src/broker/broker.ts'
import { ownIdentity } from '../../src/broker/process-identity.ts'
import { systemClock } from '../../src/clock.ts'
import { createWorker } from '../../src/worker/worker.ts'
import { until } from '../support/until.ts'
import { openSite, type Site } from './site.ts'

const rival: NewWorker = { name: 'rival', process: ownIdentity(), queues: null }
const claimOf = (worker: number, limit: number) => ({
  queues: null,
  order: 'strict' as const,
  limit,
  worker,
  leaseMs: 3_600_000,
})

/** Short like `note`, or as long as `hold`, so that nobody can know beforehand how long a job of it takes. */
const either = {
  'either.js': `import fs from 'node:fs'
    import path from 'node:path'
    const place = path.join(import.meta.dirname, '..')
    const note = (job, what) => fs.appendFileSync(path.join(place, 'effects'), job.id + ' ' + job.attempt + ' ' + what + '\\n')
    export default async (payload, job) => {
      note(job, 'began')
      if (payload !== 'hold') return
      while (!fs.existsSync(path.join(place, 'open.' + job.id))) {
        job.signal.throwIfAborted()
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    }`,
  'spin.js': `export default () => { const end = performance.now() + 0.3; while (performance.now() < end); }`,
}

const add = (site: Site, task: string, payloads: readonly unknown[]): Promise<number[]> =>
  site.queue.enqueueMany(payloads.map((payload) => ({ task, payload })))

/** Lets the worker learn that jobs of a task are short. */
const teach = async (site: Site, task: string): Promise<void> => {
  const ids = await add(site, task, Array(300).fill(null))
  for (const id of ids) await site.reached(id, 'succeeded')
}

/** The jobs of which a task noted that it began. */
const begun = (site: Site): Set<number> => new Set(site.effects().map((line) => Number(line.split(' ')[0])))

describe('what is handed out', () => {
  it('does not wait in one child behind a job that turns out to be long while another child is free', async (context) => {
    const site = await openSite(context, either)
    await site.start({ concurrency: 2 })
    await teach(site, 'either')
    const [long = 0, ...short] = await add(site, 'either', ['hold', ...Array(100).fill(null)])
    for (const id of short) await site.reached(id, 'succeeded')
    assert.equal((await site.job(long)).state, 'running')
    const more = await add(site, 'either', Array(100).fill(null))
    for (const id of more) await site.reached(id, 'succeeded')
    site.open(long)
    await site.reached(long, 'succeeded')
  })

  it('is a recovered job as well, alone, however many others there are', async (context) => {
    const site = await openSite(context, either)
    const session = await site.broker.workers.join(rival, systemClock.now())
    const id = await site.queue.enqueue('note')
    await site.broker.claim(claimOf(session, 1), systemClock.now())
    const others = await add(site, 'spin', Array(6_000).fill(null))
    await site.start()
    await site.reached(others[500] ?? 0, 'succeeded')
    await site.broker.workers.leave(session, systemClock.now())
    await site.reached(id, 'succeeded')
    assert.equal((await site.job(others.at(-1) ?? 0)).state, 'queued')
  })

  it('is not run once its lease is lost, though a child has it already', async (context) => {
    const site = await openSite(context, either)
    await site.start({ killAfter: '1h' })
    await teach(site, 'either')
    const ids = await add(site, 'either', ['hold', ...Array(20).fill(null)])
    const [long = 0, ...waiting] = ids
    await site.noted(long, 'began')
    const [worker] = await site.broker.workers.list()
    const session = await site.broker.workers.join(rival, systemClock.now())
    await site.broker.workers.leave(worker?.session ?? 0, systemClock.now())
    const stolen = await site.broker.claim(claimOf(session, 100), systemClock.now())
    assert.deepEqual(
      stolen.map(({ id }) => id).sort((a, b) => a - b),
      ids,
    )
    const later = await site.queue.enqueue('note')
    await site.reached(later, 'succeeded')
    assert.deepEqual(
      waiting.filter((id) => begun(site).has(id)),
      [],
    )
  })

  it('a second time is ended the first time', async (context) => {
    const site = await openSite(context)
    await site.start({ concurrency: 2 })
    const id = await site.queue.enqueue('hold')
    await site.noted(id, 'began')
    await site.reached(id, 'running')
    const [worker] = await site.broker.workers.list()
    await site.broker.workers.leave(worker?.session ?? 0, systemClock.now())
    await until('the second run', () => site.effects().filter((line) => line.endsWith('began')).length === 2)
    const free = await site.queue.enqueue('note')
    await site.reached(free, 'succeeded')
    site.open(id)
    await site.reached(id, 'succeeded')
    const next = await add(site, 'note', [null, null])
    for (const each of next) await site.reached(each, 'succeeded')
    assert.equal(site.effects().filter((line) => line.endsWith('ended')).length, 1)
  })

  it('is no job that expires while it waits here', async (context) => {
    const site = await openSite(context)
    await site.start({ prefetch: 5 })
    const long = await site.queue.enqueue('hold')
    await site.noted(long, 'began')
    const id = await site.queue.enqueue('note', null, { expires: 100 })
    await until('it to be claimed ahead', async () => (await site.job(id)).claimed)
    const { expiresAt } = await site.job(id)
    await until('its term to be over', () => Date.now() > (expiresAt ?? 0))
    await site.queue.enqueue('note')
    const { error } = await site.reached(id, 'cancelled')
    assert.equal(error?.type, 'Expired')
    site.open(long)
    await site.reached(long, 'succeeded')
    assert.equal(begun(site).has(id), false)
  })

  it('is a job past its term that had begun in time', async (context) => {
    const site = await openSite(context)
    const worker = await site.start()
    const id = await site.queue.enqueue('hold', null, { expires: '2s' })
    await site.noted(id, 'began')
    await worker.stop({ grace: 0 })
    const { expiresAt } = await site.job(id)
    await until('its term to be over', () => Date.now() > (expiresAt ?? 0))
    site.open(id)
    await (await site.start({ drain: 'due' })).done
    const { state, attempt } = await site.job(id)
    assert.deepEqual([state, attempt], ['succeeded', 1])
  })

  it('runs by priority, then by age', async (context) => {
    const site = await openSite(context)
    const ids: number[] = []
    for (const priority of [1, 9, 5, 9, 0]) ids.push(await site.queue.enqueue('note', null, { priority }))
    await (await site.start({ drain: 'due' })).done
    const [low, high, middle, alsoHigh, lowest] = ids
    assert.deepEqual(
      site.effects().map((line) => Number(line.split(' ')[0])),
      [high, alsoHigh, middle, low, lowest],
    )
  })
})

describe('a cancel', () => {
  it('ends what runs, what is claimed ahead and what waits, at once', async (context) => {
    const site = await openSite(context)
    await site.start({ prefetch: 1, leaseMs: 3_600_000 })
    const running = await site.queue.enqueue('hold')
    await site.noted(running, 'began')
    const ahead = await site.queue.enqueue('note')
    await until('it to be claimed ahead', async () => (await site.job(ahead)).claimed)
    const waiting = await site.queue.enqueue('note')
    assert.equal(await site.queue.cancel(waiting), 'cancelled')
    assert.equal(await site.queue.cancel(ahead), 'cancelling')
    assert.equal(await site.queue.cancel(running), 'cancelling')
    for (const id of [running, ahead, waiting]) {
      assert.equal((await site.reached(id, 'cancelled')).error?.type, 'Cancelled')
    }
    assert.deepEqual(site.effects(), [`${running} 1 began`])
  })

  it('reaches what runs in a worker that has hundreds of jobs in hand', async (context) => {
    const site = await openSite(context)
    await site.start({ prefetch: 1_000, leaseMs: 3_600_000 })
    const running = await site.queue.enqueue('hold')
    await site.noted(running, 'began')
    const [first = 0] = await add(site, 'note', Array(600).fill(null))
    await until('them to be claimed ahead', async () => (await site.job(first)).claimed)
    await site.queue.cancel(running)
    await site.reached(running, 'cancelled')
  })
})

describe('queues', () => {
  it('are served strictly in their order', async (context) => {
    const site = await openSite(context)
    const low = await site.queue.enqueue('note', null, { queue: 'low', priority: 9 })
    const high = await site.queue.enqueue('note', null, { queue: 'high', priority: 0 })
    const other = await site.queue.enqueue('note', null, { queue: 'other' })
    await (await site.start({ drain: 'due', queues: ['high', 'low'] })).done
    assert.deepEqual(
      site.effects().map((line) => Number(line.split(' ')[0])),
      [high, low],
    )
    assert.equal((await site.job(other)).state, 'queued')
  })

  it('are served by weight', async (context) => {
    const site = await openSite(context)
    for (const queue of ['a', 'b']) {
      await site.queue.enqueueMany(Array(40).fill({ task: 'note', queue }))
    }
    const queues = [
      { name: 'a', weight: 3 },
      { name: 'b', weight: 1 },
    ]
    await (await site.start({ drain: 'due', queues, order: 'weighted', prefetch: 0 })).done
    const first = site.effects().slice(0, 40)
    assert.equal(first.filter((line) => Number(line.split(' ')[0]) <= 40).length, 30)
  })

  for (const [what, queues] of [
    ['named twice', ['a', 'a']],
    ['without a weight', [{ name: 'a', weight: 0 }]],
    ['with a weight that is no number', [{ name: 'a', weight: Number.NaN }]],
  ] as const) {
    it(`${what} are refused`, () => {
      assert.throws(() => createWorker({ broker: 'x.db', queues }), { code: 'usage', message: /queue/ })
    })
  }
})
