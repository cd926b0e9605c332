import assert from 'node:assert/strict'
import { type Case, one } from './scene.ts'

export const workerCases: Case[] = [
  {
    name: 'a worker that joins is listed until it leaves',
    async run(scene) {
      const session = await scene.join('host:1', ['a', 'b'])
      const process = { host: 'here', pid: 100, boot: 'b1', startTime: '7' }
      const status = { status: 'online', size: 0, busy: 0, processed: 0, children: [] }
      const times = { startedAt: scene.at, heartbeatAt: scene.at }
      assert.deepEqual(await scene.broker.workers.list(), [
        { name: 'host:1', process, queues: ['a', 'b'], session, ...times, ...status },
      ])
      scene.pass(10)
      await scene.broker.workers.leave(session, scene.now())
      assert.deepEqual(await scene.broker.workers.list(), [])
      const events = await scene.events()
      assert.deepEqual(
        events.map(({ type, worker, at }) => [type, worker, at]),
        [
          ['worker.online', 'host:1', scene.at - 10],
          ['worker.offline', 'host:1', scene.at],
        ],
      )
    },
  },
  {
    name: 'a heartbeat keeps what the worker says of itself',
    async run(scene) {
      const session = await scene.join('w')
      scene.pass(500)
      const child = {
        pid: 9,
        state: 'busy',
        job: 3,
        task: 't',
        sinceMs: 20,
        stuckMs: null,
        rss: 1000,
        processed: 2,
        inFlight: 1,
      } as const
      const status = { status: 'draining', size: 2, busy: 1, processed: 7, children: [child] } as const
      await scene.broker.workers.beat(session, status, scene.now())
      const { startedAt, heartbeatAt, ...said } = one(await scene.broker.workers.list())
      assert.deepEqual([startedAt, heartbeatAt], [scene.at - 500, scene.at])
      assert.deepEqual(
        { ...status },
        { status: said.status, size: said.size, busy: said.busy, processed: said.processed, children: said.children },
      )
      await scene.broker.workers.beat(session, { ...status, control: '/a', trouble: 'none starts' }, scene.now())
      await scene.broker.workers.beat(session, { ...status, control: '/b' }, scene.now())
      const { control, trouble } = one(await scene.broker.workers.list())
      assert.deepEqual([control, trouble ?? null], ['/b', null])
    },
  },
  {
    name: 'sessions differ, also of one name',
    async run(scene) {
      const [one, two] = [await scene.join('same'), await scene.join('same')]
      assert.notEqual(one, two)
      await scene.broker.workers.leave(one, scene.now())
      assert.deepEqual(
        (await scene.broker.workers.list()).map((worker) => worker.session),
        [two],
      )
    },
  },
  {
    name: 'leaving twice is logged once',
    async run(scene) {
      const session = await scene.join('w')
      await scene.broker.workers.leave(session, scene.now())
      await scene.broker.workers.leave(session, scene.now())
      assert.deepEqual(await scene.types(), ['worker.online', 'worker.offline'])
    },
  },
]

export const taskCases: Case[] = [
  {
    name: 'published tasks are listed by name, the last word counting',
    async run(scene) {
      await scene.broker.tasks.publish([
        { task: 'b', queue: 'q' },
        { task: 'a', retries: 2, priority: 1, expiresMs: 5 },
      ])
      await scene.broker.tasks.publish([{ task: 'b', priority: 3 }])
      assert.deepEqual(await scene.broker.tasks.list(), [
        { task: 'a', retries: 2, priority: 1, expiresMs: 5 },
        { task: 'b', priority: 3 },
      ])
    },
  },
  {
    name: 'a task that was only enqueued is not a published one',
    async run(scene) {
      await scene.add({ task: 'somewhere' })
      assert.deepEqual(await scene.broker.tasks.list(), [])
    },
  },
]

const never = new AbortController().signal
const forever = { signal: never, timeoutMs: 600_000 }

/** Fails for a wait that is not woken at all. */
const woken = async (waiting: Promise<void>): Promise<void> => {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error('was not woken')), 20_000)
  await Promise.race([waiting, promise])
  clearTimeout(timer)
}

export const waitCases: Case[] = [
  {
    name: 'pausing and resuming are logged when they change something',
    async run(scene) {
      for (const paused of [true, true, false, false]) await scene.broker.setPaused('new', paused, scene.now())
      assert.deepEqual(
        (await scene.events()).map(({ type, queue }) => [type, queue]),
        [
          ['queue.paused', 'new'],
          ['queue.resumed', 'new'],
        ],
      )
      assert.equal((await scene.queue('new')).paused, false)
    },
  },
  {
    name: 'wait is woken by a new job',
    async run(scene) {
      const waiting = scene.broker.wait(forever)
      await scene.add()
      await woken(waiting)
    },
  },
  {
    name: 'wait is woken by what sets a job free',
    async run(scene) {
      const id = await scene.addId({ hold: true })
      const released = scene.broker.wait(forever)
      await scene.broker.release([id], scene.now())
      await woken(released)
      await scene.broker.cancel({ ids: [id] }, 'Cancelled', scene.now())
      const requeued = scene.broker.wait(forever)
      await scene.broker.requeue([id], scene.at, scene.now())
      await woken(requeued)
    },
  },
  {
    name: 'wait ends with its timeout and its signal',
    async run(scene) {
      await scene.broker.wait({ signal: never, timeoutMs: 1 })
      await woken(scene.broker.wait({ signal: AbortSignal.abort(), timeoutMs: 600_000 }))
      const controller = new AbortController()
      const waiting = scene.broker.wait({ signal: controller.signal, timeoutMs: 600_000 })
      controller.abort()
      await woken(waiting)
    },
  },
  {
    name: 'close ends a wait, refuses what comes after, and may be repeated',
    async run(scene) {
      const waiting = scene.broker.wait(forever)
      await scene.broker.close()
      await woken(waiting)
      await scene.broker.close()
      await assert.rejects(async () => scene.add())
    },
  },
]
