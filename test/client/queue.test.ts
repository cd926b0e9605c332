// What a Queue does beside enqueueing: look, wait, follow, and change.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import Database from 'better-sqlite3'
import { connect, JobqError, type JobqEvent, type Queue, systemClock } from '../../src/index.ts'
import type { Outcome } from '../../src/outcome.ts'
import { decide, defaultPolicy } from '../../src/policy.ts'
import { newFile, onEachBroker } from './brokers.ts'

/** Does what a worker does with the next job. */
const runNext = async (queue: Queue, outcome: Outcome = { type: 'succeeded', result: '"done"' }): Promise<number> => {
  const { broker } = queue
  const process = { host: 'here', pid: 1, boot: 'b', startTime: null }
  const worker = await broker.workers.join({ name: 'w', process, queues: null }, systemClock.now())
  const request = { queues: null, order: 'weighted', limit: 1, worker, leaseMs: 30_000 } as const
  const [job] = await broker.claim(request, systemClock.now())
  assert.ok(job)
  const { at } = systemClock.now()
  const transition = decide(job, defaultPolicy, { outcome, now: at, random: () => 0 })
  const { id, token, attempt } = job
  await broker.settle(
    [{ kind: 'finished', id, token, attempt, at, startedAt: at, pid: 1, transition }],
    systemClock.now(),
  )
  await broker.workers.leave(worker, systemClock.now())
  return id
}

const collect = async <T>(events: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = []
  for await (const event of events) all.push(event)
  return all
}

const types = (events: readonly { readonly type: string }[]) => events.map((event) => event.type)

onEachBroker((broker, withQueue) => {
  describe(`a queue on ${broker}`, () => {
    it('shows one job, and null where there is none', () =>
      withQueue(async (queue) => {
        const id = await queue.enqueue('t', { a: 1 })
        assert.equal((await queue.get(id))?.id, id)
        assert.equal(await queue.get(id + 1), null)
      }))

    it('lists jobs by what they are', () =>
      withQueue(async (queue) => {
        const [a, b, c] = await queue.enqueueMany([
          { task: 'a', queue: 'q' },
          { task: 'b', tags: ['x'] },
          { task: 'a', hold: true },
        ])
        const ids = async (options: Parameters<Queue['list']>[0]) => (await queue.list(options)).map((job) => job.id)
        assert.deepEqual(await ids({}), [c, b, a])
        assert.deepEqual(await ids({ state: 'blocked' }), [c])
        assert.deepEqual(await ids({ state: ['queued', 'blocked'], task: 'a' }), [c, a])
        assert.deepEqual(await ids({ queue: 'q' }), [a])
        assert.deepEqual(await ids({ tag: 'x' }), [b])
        assert.deepEqual(await ids({ limit: 1 }), [c])
        assert.deepEqual(await ids({ cursor: b ?? 0 }), [a])
        assert.deepEqual(await ids({ since: '1h' }), [c, b, a])
        assert.deepEqual(await ids({ since: new Date(Date.now() + 60_000) }), [])
        const sleeping: Promise<unknown> = Reflect.apply(queue.list, queue, [{ state: 'sleeping' }])
        await assert.rejects(sleeping, { code: 'usage' })
        await assert.rejects(queue.list({ since: 'once upon a time' }), { code: 'usage' })
      }))

    it('counts jobs by state over all queues', () =>
      withQueue(async (queue) => {
        await queue.enqueueMany([{ task: 'a', queue: 'q' }, { task: 'b' }, { task: 'c', hold: true }])
        await runNext(queue)
        assert.deepEqual(await queue.counts(), {
          blocked: 1,
          queued: 1,
          running: 0,
          succeeded: 1,
          failed: 0,
          cancelled: 0,
        })
      }))

    it('waits for the end of a job', () =>
      withQueue(async (queue) => {
        const id = await queue.enqueue('t')
        const waiting = queue.wait(id)
        await runNext(queue)
        const job = await waiting
        assert.deepEqual([job.state, job.result], ['succeeded', 'done'])
        assert.equal((await queue.wait(id, { timeout: 0 })).state, 'succeeded')
      }))

    it('waits no longer than it is told', () =>
      withQueue(async (queue) => {
        const id = await queue.enqueue('t')
        await assert.rejects(queue.wait(id, { timeout: '20ms' }), { code: 'timeout', message: /job \d+ is queued/ })
        await assert.rejects(queue.wait(id + 1), { code: 'not-found' })
        await assert.rejects(queue.wait(id, { timeout: 'long' }), { code: 'usage' })
        const controller = new AbortController()
        const waiting = queue.wait(id, { signal: controller.signal })
        controller.abort(new Error('enough'))
        await assert.rejects(waiting, /enough/)
      }))

    it('cancels', () =>
      withQueue(async (queue) => {
        const id = await queue.enqueue('t')
        assert.equal(await queue.cancel(id), 'cancelled')
        assert.equal(await queue.cancel(id), 'finished')
        assert.equal((await queue.get(id))?.error?.type, 'Cancelled')
        await assert.rejects(queue.cancel(99), { code: 'not-found' })
      }))

    it('retries what has finished', () =>
      withQueue(async (queue) => {
        const id = await queue.enqueue('t')
        await assert.rejects(queue.retry(id), { code: 'conflict' })
        await runNext(queue, { type: 'failed', error: { type: 'Error', message: 'x' }, final: false })
        assert.equal((await queue.get(id))?.state, 'failed')
        await queue.retry(id)
        assert.equal((await queue.get(id))?.state, 'queued')
        await assert.rejects(queue.retry(99), { code: 'not-found' })
      }))

    it('removes what has finished', () =>
      withQueue(async (queue) => {
        const id = await queue.enqueue('t')
        await assert.rejects(queue.remove(id), { code: 'conflict' })
        await runNext(queue)
        await queue.remove(id)
        assert.equal(await queue.get(id), null)
        await assert.rejects(queue.remove(id), { code: 'not-found' })
      }))

    it('releases what is held', () =>
      withQueue(async (queue) => {
        const id = await queue.enqueue('t', 1, { hold: true })
        await queue.release(id)
        assert.equal((await queue.get(id))?.state, 'queued')
        await assert.rejects(queue.release(id), { code: 'conflict' })
        await assert.rejects(queue.release(99), { code: 'not-found' })
      }))

    it('pauses and resumes a queue', () =>
      withQueue(async (queue) => {
        const paused = async () =>
          (await queue.broker.jobs.queues(systemClock.now())).find(({ name }) => name === 'q')?.paused
        await queue.pause('q')
        assert.equal(await paused(), true)
        await queue.resume('q')
        assert.equal(await paused(), false)
        await assert.rejects(queue.pause('no name'), { code: 'usage' })
      }))

    it('reads the event log, filtered', () =>
      withQueue(async (queue) => {
        const [a, b] = await queue.enqueueMany([{ task: 'a' }, { task: 'b' }])
        await runNext(queue)
        const all = await collect(queue.events())
        assert.deepEqual(types(all), [
          'job.queued',
          'job.queued',
          'worker.online',
          'job.started',
          'job.succeeded',
          'worker.offline',
        ])
        assert.deepEqual(types(await collect(queue.events({ types: ['worker.*', 'job.started'] }))), [
          'worker.online',
          'job.started',
          'worker.offline',
        ])
        assert.deepEqual(types(await collect(queue.events({ job: b ?? 0 }))), ['job.queued'])
        assert.deepEqual(types(await collect(queue.events({ job: a ?? 0, types: ['job.succeeded'] }))), [
          'job.succeeded',
        ])
        const second = all[1] as JobqEvent
        assert.deepEqual(await collect(queue.events({ after: second.id })), all.slice(2))
        assert.throws(() => queue.events({ types: ['job.exploded'] }), { code: 'usage', message: /job\.exploded/ })
      }))

    it('reads a log of many pages', () =>
      withQueue(async (queue) => {
        await queue.enqueueMany(Array.from({ length: 2500 }, () => ({ task: 't' })))
        const ids = (await collect(queue.events({ types: ['job.queued'] }))).map((event) =>
          'job' in event ? event.job : null,
        )
        assert.equal(new Set(ids).size, 2500)
      }))

    it('follows the event log until its signal aborts', () =>
      withQueue(async (queue) => {
        await queue.enqueue('before')
        const controller = new AbortController()
        const seen: JobqEvent[] = []
        const following = (async () => {
          for await (const event of queue.events({ follow: true, after: 1, signal: controller.signal })) {
            if (event.type === 'events.pruned') continue
            seen.push(event)
            if (seen.length === 2) controller.abort()
          }
        })()
        await queue.enqueue('one')
        await queue.enqueue('two')
        await queue.enqueue('three')
        await following
        assert.deepEqual(
          seen.map((event) => event.task),
          ['one', 'two'],
        )
      }))

    it('follows from now on where no place is given', () =>
      withQueue(async (queue) => {
        await queue.enqueue('before')
        const events = queue.events({ follow: true })
        const first = events.next()
        // The generator has to have found its place before anything is added behind it.
        await queue.broker.events.last()
        const id = await queue.enqueue('after')
        const { value } = await first
        assert.ok(value && value.type === 'job.queued')
        assert.equal(value.job, id)
        await events.return()
      }))

    it('tells what was pruned before it was read', () =>
      withQueue(async (queue) => {
        await queue.enqueueMany([{ task: 'a' }, { task: 'b' }, { task: 'c' }])
        await queue.broker.events.prune({ before: 0, keep: 1, limit: 100 })
        const [pruned, ...rest] = await collect(queue.events())
        assert.deepEqual(pruned, { type: 'events.pruned', from: 1, to: 2 })
        assert.deepEqual(types(rest), ['job.queued'])
      }))

    it('does nothing after close, which may be repeated', () =>
      withQueue(async (queue) => {
        await queue.close()
        await queue.close()
        await assert.rejects(queue.enqueue('t'), { code: 'usage', message: /closed/ })
        await assert.rejects(queue.get(1), { code: 'usage' })
        assert.throws(() => queue.events(), { code: 'usage' })
      }))
  })
})

describe('connect', () => {
  it('refuses what is no broker', async () => {
    await assert.rejects(connect('carrot://x'), { code: 'usage', message: /carrot/ })
    await assert.rejects(connect('sqlite:'), { code: 'usage' })
    await assert.rejects(connect([]), { code: 'usage' })
    for (const target of [undefined, null, 7, {}]) {
      const connecting: Promise<Queue> = Reflect.apply(connect, null, [target])
      await assert.rejects(connecting, { code: 'usage' })
    }
  })

  it('makes the file unless told not to', async () => {
    const file = newFile()
    await assert.rejects(connect(file, { create: false }), { code: 'not-found' })
    const queue = await connect(file)
    const id = await queue.enqueue('t')
    await queue.close()
    const again = await connect(`sqlite:${file}`, { create: false })
    assert.equal((await again.get(id))?.task, 't')
    await again.close()
  })

  it('tries several in turn', async () => {
    const [missing, present] = [newFile(), newFile()]
    await (await connect(present)).close()
    const queue = await connect(`${missing}; ${present}`, { create: false })
    assert.equal(queue.broker.url, `sqlite:${present}`)
    await queue.close()
    await assert.rejects(connect([missing, newFile()], { create: false }), { code: 'not-found' })
  })

  it('waits for another writer, and says unavailable when that takes too long', async () => {
    const file = newFile()
    const patient = await connect(file)
    const hasty = await connect(file, { busyTimeoutMs: 5 })
    const other = new Database(file)
    other.exec('BEGIN IMMEDIATE')
    await assert.rejects(hasty.enqueue('t'), { code: 'unavailable' })
    assert.throws(() => hasty.enqueueSync('t'), { code: 'unavailable' })
    const waiting = patient.enqueue('t')
    assert.deepEqual(await hasty.list(), [])
    other.exec('COMMIT')
    assert.equal((await patient.get(await waiting))?.state, 'queued')
    other.close()
    await Promise.all([patient.close(), hasty.close()])
  })

  it('looks at a file without writing to it', async () => {
    const file = newFile()
    const writer = await connect(file)
    const id = await writer.enqueue('t')
    const reader = await connect(file, { readonly: true })
    assert.equal((await reader.get(id))?.state, 'queued')
    await assert.rejects(reader.enqueue('t'), JobqError)
    await reader.close()
    await writer.close()
  })
})
