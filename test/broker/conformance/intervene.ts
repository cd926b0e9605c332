import assert from 'node:assert/strict'
import { type Case, ends, lease, refused } from './scene.ts'

export const cancelCases: Case[] = [
  {
    name: 'cancelling what waits ends it at once',
    async run(scene) {
      const ids = (await scene.addAll([{}, { hold: true }, { dueAt: scene.at + 1000 }])).map((job) => job.id)
      scene.pass(5)
      assert.deepEqual(await scene.broker.cancel({ ids }, 'Cancelled', scene.now()), [
        'cancelled',
        'cancelled',
        'cancelled',
      ])
      for (const id of ids) {
        const { state, error, finishedAt, label, attempt } = await scene.get(id)
        assert.deepEqual(
          [state, error?.type, finishedAt, label, attempt],
          ['cancelled', 'Cancelled', scene.at, null, 0],
        )
        assert.deepEqual(await scene.types(id), ['job.queued', 'job.cancelled'])
      }
      scene.pass(1000)
      assert.deepEqual(await scene.claim(), [])
    },
  },
  {
    name: 'cancelling what a worker holds asks for its end',
    async run(scene) {
      const id = await scene.addId()
      const job = await scene.claimOne()
      assert.deepEqual(await scene.broker.cancel({ ids: [id] }, 'Cancelled', scene.now()), ['cancelling'])
      assert.deepEqual(await scene.broker.cancel({ ids: [id] }, 'Cancelled', scene.now()), ['cancelling'])
      assert.equal((await scene.get(id)).cancelling, true)
      assert.deepEqual(await scene.broker.extend([lease(job)], 1000, scene.now()), ['cancelling'])
      await scene.settle(scene.started(job))
      assert.deepEqual(await scene.states(id), ['running'])
      await scene.settle(scene.finished(job, ends.cancelled()))
      const { state, cancelling, error } = await scene.get(id)
      assert.deepEqual([state, cancelling, error?.type], ['cancelled', false, 'Cancelled'])
      assert.deepEqual(await scene.types(id), ['job.queued', 'job.started', 'job.cancelled'])
    },
  },
  {
    name: 'a job whose end was asked for may still succeed or fail',
    async run(scene) {
      for (const [end, state] of [
        [ends.succeeded(), 'succeeded'],
        [ends.failed(), 'failed'],
      ] as const) {
        const id = await scene.addId()
        const job = await scene.claimOne()
        await scene.broker.cancel({ ids: [id] }, 'Cancelled', scene.now())
        await scene.settle(scene.finished(job, end))
        assert.deepEqual([(await scene.get(id)).state, (await scene.get(id)).cancelling], [state, false])
      }
    },
  },
  {
    name: 'a job whose end was asked for never goes back to the queue',
    async run(scene) {
      for (const end of [
        ends.retried(scene.at),
        ends.snoozed(scene.at),
        ends.crashed(scene.at),
        ends.returned(scene.at),
      ]) {
        const id = await scene.addId()
        const job = await scene.claimOne()
        await scene.broker.cancel({ ids: [id] }, 'Cancelled', scene.now())
        await scene.settle(scene.finished(job, end))
        const { state, error } = await scene.get(id)
        assert.deepEqual([state, error?.type], ['cancelled', 'Cancelled'])
        const { type, data } = await scene.lastEvent(id)
        assert.deepEqual([type, data.interrupted === true], ['job.cancelled', end.event === 'job.recovered'])
      }
    },
  },
  {
    name: 'a job whose end was asked for is cancelled when its worker is gone',
    async run(scene) {
      const id = await scene.addId()
      const job = await scene.claimOne({ leaseMs: 1000 })
      await scene.settle(scene.started(job))
      await scene.broker.cancel({ ids: [id] }, 'Cancelled', scene.now())
      scene.pass(1000)
      assert.deepEqual(await scene.claim(), [])
      assert.deepEqual(await scene.states(id), ['cancelled'])
      assert.equal((await scene.lastEvent(id)).data.interrupted, true)
      assert.deepEqual(await scene.settle(scene.finished(job, ends.succeeded())), [lease(job)])
    },
  },
  {
    name: 'cancel answers for each id in its order',
    async run(scene) {
      const done = await scene.addId()
      await scene.runOne(ends.succeeded())
      const held = await scene.addId()
      await scene.claimOne()
      const waiting = await scene.addId()
      const ids = [waiting, 999_999, done, held]
      const answers = await scene.broker.cancel({ ids }, 'Cancelled', scene.now())
      assert.deepEqual(answers, ['cancelled', 'not-found', 'finished', 'cancelling'])
      assert.deepEqual(await scene.states(done), ['succeeded'])
    },
  },
  {
    name: 'cancelling a job and its dependent together cancels both by hand',
    async run(scene) {
      const first = await scene.addId()
      const second = await scene.addId({ after: [first] })
      const answers = await scene.broker.cancel({ ids: [first, second] }, 'Cancelled', scene.now())
      assert.deepEqual(answers, ['cancelled', 'cancelled'])
      assert.equal((await scene.get(second)).error?.type, 'Cancelled')
      assert.deepEqual(await scene.types(second), ['job.queued', 'job.cancelled'])
    },
  },
  {
    name: 'purging a queue cancels all of it that no worker holds',
    async run(scene) {
      const held = await scene.addId({ queue: 'q' })
      await scene.claimOne()
      const said = [{ queue: 'q' }, { queue: 'q', hold: true }, { queue: 'q', dueAt: scene.at + 5 }, { queue: 'other' }]
      const ids = (await scene.addAll(said)).map((job) => job.id)
      const answers = await scene.broker.cancel({ queue: 'q' }, 'Purged', scene.now())
      assert.deepEqual(answers, ['cancelled', 'cancelled', 'cancelled'])
      assert.deepEqual(await scene.states(held, ...ids), ['queued', 'cancelled', 'cancelled', 'cancelled', 'queued'])
      assert.equal((await scene.get(ids[0] ?? 0)).error?.type, 'Purged')
      assert.equal((await scene.get(held)).cancelling, false)
    },
  },
  {
    name: 'purging an unknown queue is not found, an empty one nothing',
    async run(scene) {
      await refused('not-found', scene.broker.cancel({ queue: 'never' }, 'Purged', scene.now()))
      await scene.broker.setPaused('empty', true, scene.now())
      assert.deepEqual(await scene.broker.cancel({ queue: 'empty' }, 'Purged', scene.now()), [])
    },
  },
]

export const requeueCases: Case[] = [
  {
    name: 'requeue runs a finished job again with a fresh budget, its attempts counting on',
    async run(scene) {
      const id = await scene.addId({ retries: 2 })
      await scene.runOne(ends.crashed(scene.at))
      await scene.runOne(ends.retried(scene.at))
      await scene.runOne({ ...ends.failed(), retries: 2 })
      assert.deepEqual([(await scene.get(id)).attempt, (await scene.get(id)).maxAttempts], [2, 3])
      const dueAt = scene.at + 100
      assert.deepEqual(await scene.broker.requeue([id], dueAt, scene.now()), ['requeued'])
      const job = await scene.get(id)
      assert.deepEqual(
        [job.state, job.label, job.attempt, job.maxAttempts, job.crashes],
        ['queued', 'scheduled', 2, 5, 0],
      )
      assert.deepEqual(
        [job.error, job.exitCode, job.result, job.startedAt, job.finishedAt],
        [null, null, null, null, null],
      )
      assert.deepEqual([job.dueAt, job.createdAt], [dueAt, scene.at])
      const { type, data } = await scene.lastEvent(id)
      assert.deepEqual([type, data], ['job.requeued', { dueAt }])
      assert.deepEqual(await scene.claim(), [])
      scene.pass(100)
      const claimed = await scene.claimOne()
      assert.deepEqual([claimed.attempt, claimed.base, claimed.crashes, claimed.recovered], [3, 2, 0, false])
    },
  },
  {
    name: 'requeue counts on from an attempt that was cancelled',
    async run(scene) {
      const id = await scene.addId()
      await scene.runOne(ends.cancelled())
      await scene.broker.requeue([id], scene.at, scene.now())
      const job = await scene.claimOne()
      assert.deepEqual([job.attempt, job.base, (await scene.get(id)).maxAttempts], [2, 1, 2])
    },
  },
  {
    name: 'requeue runs what succeeded or was cancelled as well',
    async run(scene) {
      const [done, gone] = [await scene.addId(), await scene.addId()]
      await scene.runOne(ends.succeeded('"r"'))
      await scene.broker.cancel({ ids: [gone] }, 'Cancelled', scene.now())
      assert.deepEqual(await scene.broker.requeue([done, gone], scene.at, scene.now()), ['requeued', 'requeued'])
      assert.equal((await scene.get(done)).result, null)
      assert.deepEqual(await scene.claimIds(), [done, gone])
    },
  },
  {
    name: 'requeue leaves unfinished and unknown jobs alone',
    async run(scene) {
      const id = await scene.addId()
      assert.deepEqual(await scene.broker.requeue([id, 99_999], scene.at, scene.now()), ['unfinished', 'not-found'])
      await scene.settle(scene.started(await scene.claimOne()))
      assert.deepEqual(await scene.broker.requeue([id], scene.at, scene.now()), ['unfinished'])
      assert.deepEqual(await scene.states(id), ['running'])
    },
  },
  {
    name: 'requeue refuses, as a whole, what would take a unique key twice',
    async run(scene) {
      const [old, other] = [await scene.addId({ uniqueKey: 'k' }), await scene.addId()]
      await scene.runOne(ends.failed())
      await scene.runOne(ends.failed())
      await scene.add({ uniqueKey: 'k' })
      await refused('conflict', scene.broker.requeue([other, old], scene.at, scene.now()))
      assert.deepEqual(await scene.states(old, other), ['failed', 'failed'])
    },
  },
  {
    name: 'requeue lets a held job run',
    async run(scene) {
      const id = await scene.addId({ hold: true })
      await scene.broker.cancel({ ids: [id] }, 'Cancelled', scene.now())
      await scene.broker.requeue([id], scene.at, scene.now())
      assert.deepEqual(await scene.claimIds(), [id])
    },
  },
  {
    name: 'release lets go of what was held by hand, once',
    async run(scene) {
      const held = await scene.addId({ hold: true })
      const free = await scene.addId({ dueAt: scene.at + 50 })
      scene.pass(10)
      assert.deepEqual(await scene.broker.release([held, free, 88_888], scene.now()), [true, false, false])
      assert.deepEqual(await scene.broker.release([held], scene.now()), [false])
      const { type, data } = await scene.lastEvent(held)
      assert.deepEqual([type, data], ['job.released', { dueAt: scene.at }])
      assert.deepEqual(await scene.claimIds(), [held])
    },
  },
  {
    name: 'hasten makes due what waits for its time, and nothing else',
    async run(scene) {
      const later = await scene.addId({ dueAt: scene.at + 60_000 })
      const due = await scene.addId()
      const held = await scene.addId({ hold: true, dueAt: scene.at + 60_000 })
      assert.deepEqual(await scene.claimIds(), [due])
      const all = [later, due, held, 88_888]
      assert.deepEqual(await scene.broker.hasten(all, scene.now()), [true, false, false, false])
      const event = await scene.lastEvent(later)
      assert.equal(event.type, 'job.replaced')
      assert.deepEqual(event.data, { dueAt: scene.at })
      assert.equal((await scene.get(later)).label, null)
      assert.deepEqual(await scene.claimIds(), [later])
    },
  },
]
