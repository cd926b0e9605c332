import assert from 'node:assert/strict'
import type { EventType } from '../../../src/event.ts'
import { type Case, ends } from './scene.ts'

export const jobIndexCases: Case[] = [
  {
    name: 'an unknown job is null',
    async run(scene) {
      assert.equal(await scene.broker.jobs.get(1, scene.now()), null)
    },
  },
  {
    name: 'list filters by state, queue, task, tag and age',
    async run(scene) {
      const old = await scene.addId({ queue: 'a', task: 't1', tags: ['x'] })
      scene.pass(1000)
      const [done, blocked] = (
        await scene.addAll([
          { queue: 'a', task: 't2', priority: 9 },
          { queue: 'b', task: 't1', tags: ['x', 'y'], hold: true },
        ])
      ).map((job) => job.id)
      await scene.runOne(ends.succeeded(), { queues: [{ name: 'a', weight: 1 }] })
      const list = async (filter: Parameters<typeof scene.broker.jobs.list>[0]) =>
        (await scene.broker.jobs.list(filter, scene.now())).map((job) => job.id)
      assert.deepEqual(await list({}), [blocked, done, old])
      assert.deepEqual(await list({ states: ['succeeded'] }), [done])
      assert.deepEqual(await list({ states: ['queued', 'blocked'] }), [blocked, old])
      assert.deepEqual(await list({ states: [] }), [])
      assert.deepEqual(await list({ queue: 'a', order: 'oldest' }), [old, done])
      assert.deepEqual(await list({ task: 't1' }), [blocked, old])
      assert.deepEqual(await list({ tag: 'x' }), [blocked, old])
      assert.deepEqual(await list({ tag: 'y', queue: 'a' }), [])
      assert.deepEqual(await list({ since: scene.at }), [blocked, done])
    },
  },
  {
    name: 'list goes on behind a cursor in either direction',
    async run(scene) {
      const ids = (await scene.addAll(Array.from({ length: 7 }, () => ({})))).map((job) => job.id)
      for (const order of ['newest', 'oldest'] as const) {
        const seen: number[] = []
        for (let cursor: number | undefined; ; cursor = seen.at(-1)) {
          const page = await scene.broker.jobs.list(
            { order, limit: 3, ...(cursor === undefined ? {} : { cursor }) },
            scene.now(),
          )
          if (page.length === 0) break
          assert.ok(page.length <= 3)
          seen.push(...page.map((job) => job.id))
        }
        assert.deepEqual(seen, order === 'newest' ? ids.toReversed() : ids)
      }
    },
  },
  {
    name: 'list looks no further from its cursor than it may reach',
    async run(scene) {
      const ids = (await scene.addAll(Array.from({ length: 7 }, () => ({})))).map((job) => job.id)
      const [first = 0, second, third] = ids
      const [seventh = 0, sixth, fifth] = ids.toReversed()
      const list = async (order: 'newest' | 'oldest', cursor: number) =>
        (await scene.broker.jobs.list({ order, cursor, reach: 2 }, scene.now())).map((job) => job.id)
      assert.deepEqual(await list('newest', seventh), [sixth, fifth])
      assert.deepEqual(await list('oldest', first), [second, third])
    },
  },
  {
    name: 'counts say up to which event they hold',
    async run(scene) {
      assert.deepEqual((await scene.broker.jobs.counts(scene.now())).cursor, await scene.broker.events.last())
      await scene.addAll([{ queue: 'q' }, { queue: 'q' }])
      await scene.runOne(ends.succeeded())
      const { cursor, queues } = await scene.broker.jobs.counts(scene.now())
      assert.equal(cursor, (await scene.events()).at(-1)?.id)
      assert.deepEqual(queues, await scene.broker.jobs.queues(scene.now()))
    },
  },
  {
    name: 'queues are counted by state',
    async run(scene) {
      await scene.addAll([
        { queue: 'q', priority: 9 },
        { queue: 'q', priority: 8 },
        { queue: 'q', priority: 7 },
        { queue: 'q', priority: 6 },
      ])
      await scene.runOne(ends.succeeded())
      await scene.runOne(ends.failed())
      await scene.settle(scene.started(await scene.claimOne({ limit: 1 })))
      await scene.claimOne({ limit: 1 })
      await scene.addAll([{ queue: 'q', hold: true }, { queue: 'q', dueAt: scene.at + 99 }, { queue: 'q' }])
      const gone = await scene.addId({ queue: 'q' })
      await scene.broker.cancel({ ids: [gone] }, 'Cancelled', scene.now())
      await scene.broker.setPaused('q', true, scene.now())
      scene.pass(40)
      assert.deepEqual(await scene.queue('q'), {
        ...{ name: 'q', paused: true, blocked: 1, queued: 3, scheduled: 1, running: 1 },
        ...{ succeeded: 1, failed: 1, cancelled: 1, oldestWaitingMs: 40, limits: {} },
      })
    },
  },
  {
    name: 'queues are counted to the job, also where very many wait or are scheduled',
    async run(scene) {
      // Of changing priority, `together` of one behind the other: a broker may keep books of jobs that stand together.
      const many = (queue: string, jobs: number, dueAt: number, together = jobs) =>
        Array.from({ length: jobs }, (_, place) => ({ queue, dueAt, priority: Math.floor(place / together) % 2 }))
      await scene.addAll(many('few', 3, 0))
      await scene.addAll(many('most', 22_000, 0, 1))
      await scene.addAll(many('more', 42_000, 0, 2))
      for (const dueAt of [scene.at + 50, scene.at + 1_000]) {
        await scene.addAll(many('few', 3, dueAt))
        await scene.addAll(many('most', 22_000, dueAt))
        await scene.addAll(many('more', 21_000, dueAt))
      }
      scene.pass(50)
      const told = async (queue: string) => {
        const { queued, scheduled, oldestWaitingMs } = await scene.queue(queue)
        return { queued, scheduled, oldestWaitingMs }
      }
      assert.deepEqual(await told('few'), { queued: 9, scheduled: 3, oldestWaitingMs: scene.at })
      assert.deepEqual(await told('most'), { queued: 66_000, scheduled: 22_000, oldestWaitingMs: scene.at })
      assert.deepEqual(await told('more'), { queued: 84_000, scheduled: 21_000, oldestWaitingMs: scene.at })
    },
  },
  {
    name: 'due jobs are counted by what a worker could claim, up to a limit',
    async run(scene) {
      const count = (queues: readonly string[] | null, limit = 100) =>
        scene.broker.jobs.countDue(queues, limit, scene.now())
      assert.equal(await count(null), 0)
      await scene.addAll([...Array(3).fill({ queue: 'a' }), ...Array(2).fill({ queue: 'b' }), { queue: 'p' }])
      await scene.addAll([
        { queue: 'a', hold: true },
        { queue: 'a', dueAt: scene.at + 50 },
        { queue: 'b', dueAt: scene.at + 51 },
      ])
      await scene.broker.setPaused('p', true, scene.now())
      assert.deepEqual([await count(null), await count(['a']), await count(['b', 'p', 'none'])], [5, 3, 2])
      assert.deepEqual([await count(null, 4), await count(null, 0), await count(['a'], 1)], [4, 0, 1])
      scene.pass(50)
      assert.deepEqual([await count(null), await count(['a']), await count(null, 5)], [6, 4, 5])
      await scene.claim({ queues: [{ name: 'a', weight: 1 }], limit: 2 })
      assert.deepEqual([await count(null), await count(['a'])], [4, 2])
      assert.deepEqual([await count([]), await count(['p'])], [0, 0])
    },
  },
  {
    name: 'a queue without due jobs has waited for nothing',
    async run(scene) {
      await scene.add({ queue: 'q', dueAt: scene.at + 1000 })
      assert.equal((await scene.queue('q')).oldestWaitingMs, null)
    },
  },
  {
    name: 'counts go down with what is requeued and deleted',
    async run(scene) {
      const [one, two] = [await scene.addId({ queue: 'q' }), await scene.addId({ queue: 'q' })]
      await scene.runOne(ends.failed())
      await scene.runOne(ends.failed())
      await scene.broker.requeue([one], scene.at, scene.now())
      assert.deepEqual([(await scene.queue('q')).failed, (await scene.queue('q')).queued], [1, 1])
      await scene.broker.jobs.remove([two])
      assert.equal((await scene.queue('q')).failed, 0)
    },
  },
  {
    name: 'queues are listed by name',
    async run(scene) {
      await scene.addAll([{ queue: 'zoo' }, { queue: 'ape' }])
      const names = (await scene.broker.jobs.queues(scene.now())).map((queue) => queue.name)
      assert.deepEqual(names, names.toSorted())
      assert.ok(names.includes('ape') && names.includes('zoo'))
    },
  },
  {
    name: 'remove deletes finished jobs only, and keeps their events',
    async run(scene) {
      const [done, waiting] = [await scene.addId(), await scene.addId()]
      await scene.runOne(ends.succeeded())
      assert.deepEqual(await scene.broker.jobs.remove([waiting, done, 55_555]), [false, true, false])
      assert.equal(await scene.broker.jobs.get(done, scene.now()), null)
      assert.equal((await scene.types(done)).at(-1), 'job.succeeded')
      assert.deepEqual(await scene.states(waiting), ['queued'])
    },
  },
  {
    name: 'the id of a deleted job is not given again',
    async run(scene) {
      const id = await scene.addId()
      await scene.runOne(ends.succeeded())
      await scene.broker.jobs.remove([id])
      assert.ok((await scene.addId()) > id)
    },
  },
  {
    name: 'prune deletes finished jobs by age, state and queue, oldest first',
    async run(scene) {
      const ids = (await scene.addAll([{}, {}, { queue: 'other' }, {}])).map((job) => job.id)
      const jobs = await scene.claim()
      const job = (index: number) => jobs.find((claimed) => claimed.id === ids[index]) ?? assert.fail()
      await scene.settle(scene.finished(job(0), ends.succeeded()))
      scene.pass(100)
      await scene.settle(scene.finished(job(1), ends.failed()), scene.finished(job(2), ends.succeeded()))
      const before = scene.at
      scene.pass(100)
      await scene.settle(scene.finished(job(3), ends.succeeded()))
      const { prune } = scene.broker.jobs
      const pruned = (filter: Parameters<typeof prune>[0]) => scene.broker.jobs.prune(filter)
      assert.deepEqual(await pruned({ dryRun: true }), ids)
      assert.deepEqual(await pruned({ dryRun: true, limit: 2 }), ids.slice(0, 2))
      assert.deepEqual(await pruned({ dryRun: true, states: ['failed'] }), [ids[1]])
      assert.deepEqual(await pruned({ dryRun: true, queue: 'other' }), [ids[2]])
      assert.deepEqual(await pruned({ dryRun: true, finishedBefore: before }), [ids[0]])
      assert.deepEqual(await pruned({ dryRun: true, keep: 1 }), ids.slice(0, 3))
      assert.deepEqual(await pruned({ dryRun: true, keep: 9 }), [])
      assert.deepEqual(await pruned({ states: ['succeeded'], keep: 1 }), [ids[0], ids[2]])
      assert.equal((await scene.broker.jobs.list({}, scene.now())).length, 2)
    },
  },
  {
    name: 'prune never deletes an unfinished job',
    async run(scene) {
      await scene.addAll([{}, { hold: true }, { dueAt: scene.at + 5 }])
      await scene.settle(scene.started(await scene.claimOne()))
      assert.deepEqual(await scene.broker.jobs.prune({}), [])
      assert.equal((await scene.broker.jobs.list({}, scene.now())).length, 3)
    },
  },
]

export const eventLogCases: Case[] = [
  {
    name: 'event ids rise strictly, and last tells the newest',
    async run(scene) {
      assert.equal(await scene.broker.events.last(), 0)
      await scene.addAll([{}, {}, {}])
      await scene.runOne(ends.succeeded())
      const ids = (await scene.events()).map((event) => event.id)
      assert.ok(ids.every((id, index) => index === 0 || id > (ids[index - 1] ?? 0)))
      assert.equal(await scene.broker.events.last(), ids.at(-1))
    },
  },
  {
    name: 'read goes on behind its cursor, page by page, and says where it came to',
    async run(scene) {
      await scene.addAll(Array.from({ length: 10 }, () => ({})))
      const all = await scene.events()
      const seen = []
      let cursor = 0
      for (;;) {
        const page = await scene.broker.events.read({ after: cursor, limit: 3 })
        if (page.events.length === 0) break
        assert.equal(page.pruned, null)
        assert.equal(page.cursor, page.events.at(-1)?.id)
        seen.push(...page.events)
        cursor = page.cursor
      }
      assert.deepEqual(seen, all)
      assert.equal((await scene.broker.events.read({ after: cursor, limit: 3 })).cursor, cursor)
    },
  },
  {
    name: 'read filters by type and job, and its cursor passes what does not match',
    async run(scene) {
      const [one, two] = [await scene.addId(), await scene.addId()]
      await scene.runOne(ends.succeeded())
      const types = new Set<EventType>(['job.succeeded', 'job.failed'])
      const page = await scene.broker.events.read({ after: 0, types, limit: 100 })
      assert.deepEqual(
        page.events.map((event) => [event.type, event.job]),
        [['job.succeeded', one]],
      )
      assert.equal(page.cursor, await scene.broker.events.last())
      const ofTwo = await scene.broker.events.read({ after: 0, job: two, limit: 100 })
      assert.deepEqual(
        ofTwo.events.map((event) => event.type),
        ['job.queued'],
      )
      const both = await scene.broker.events.read({ after: 0, types, job: two, limit: 100 })
      assert.deepEqual(both.events, [])
    },
  },
  {
    name: 'appended events are read like any other',
    async run(scene) {
      await scene.join('w1')
      await scene.broker.events.append([
        { type: 'pool.grown', at: scene.at + 1, worker: 'w1', data: { from: 1, to: 4 } },
        { type: 'worker.heartbeat', at: scene.at + 2, worker: 'w1' },
      ])
      const [, grown, beat] = await scene.events()
      assert.deepEqual(
        [grown?.type, grown?.at, grown?.worker, grown?.job, grown?.data],
        ['pool.grown', scene.at + 1, 'w1', null, { from: 1, to: 4 }],
      )
      assert.deepEqual([beat?.type, beat?.data], ['worker.heartbeat', {}])
    },
  },
  {
    name: 'pruning takes the oldest, and readers behind it are told',
    async run(scene) {
      await scene.addAll(Array.from({ length: 5 }, () => ({})))
      scene.pass(1000)
      await scene.addAll(Array.from({ length: 5 }, () => ({})))
      const all = await scene.events()
      const first = all[0]?.id ?? 0
      assert.equal(await scene.broker.events.prune({ before: scene.at, keep: 1000, limit: 3 }), 3)
      assert.equal(await scene.broker.events.prune({ before: scene.at, keep: 1000, limit: 1000 }), 2)
      const page = await scene.broker.events.read({ after: 0, limit: 100 })
      assert.deepEqual(page.pruned, { type: 'events.pruned', from: 1, to: first + 4 })
      assert.deepEqual(page.events, all.slice(5))
      const behind = await scene.broker.events.read({ after: first + 1, limit: 100 })
      assert.deepEqual(behind.pruned, { type: 'events.pruned', from: first + 2, to: first + 4 })
      assert.equal((await scene.broker.events.read({ after: first + 4, limit: 100 })).pruned, null)
    },
  },
  {
    name: 'pruning by count keeps the newest',
    async run(scene) {
      await scene.addAll(Array.from({ length: 8 }, () => ({})))
      assert.equal(await scene.broker.events.prune({ before: 0, keep: 3, limit: 1000 }), 5)
      assert.equal(await scene.broker.events.prune({ before: 0, keep: 3, limit: 1000 }), 0)
      assert.equal((await scene.broker.events.read({ after: 0, limit: 100 })).events.length, 3)
    },
  },
  {
    name: 'a wholly pruned log goes on from where it was',
    async run(scene) {
      await scene.addAll([{}, {}])
      const last = await scene.broker.events.last()
      assert.equal(await scene.broker.events.prune({ before: scene.at + 1, keep: 1000, limit: 1000 }), 2)
      const page = await scene.broker.events.read({ after: 0, limit: 10 })
      assert.deepEqual(page, { events: [], pruned: { type: 'events.pruned', from: 1, to: last }, cursor: last })
      assert.equal(await scene.broker.events.last(), last)
      await scene.add()
      assert.ok((await scene.broker.events.last()) > last)
    },
  },
  {
    name: 'cursorAt finds the place before the first event of an instant',
    async run(scene) {
      const start = scene.at
      const ids = []
      for (let n = 0; n < 4; n++) {
        await scene.add()
        ids.push(await scene.broker.events.last())
        scene.pass(1000)
      }
      const [first = 0, second = 0, , last = 0] = ids
      assert.equal(await scene.broker.events.cursorAt(start), first - 1)
      assert.equal(await scene.broker.events.cursorAt(start - 5000), first - 1)
      assert.equal(await scene.broker.events.cursorAt(start + 1000), second - 1)
      assert.equal(await scene.broker.events.cursorAt(start + 1), second - 1)
      assert.equal(await scene.broker.events.cursorAt(start + 999_999), last)
    },
  },
]
