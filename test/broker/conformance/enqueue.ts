import assert from 'node:assert/strict'
import type { PayloadOwner } from '../../../src/job.ts'
import { type Case, ends, one, refused } from './scene.ts'

export const enqueueCases: Case[] = [
  {
    name: 'enqueue answers ids that rise in the order given',
    async run(scene) {
      const added = await scene.addAll([{ task: 'a' }, { task: 'b' }, { task: 'c' }])
      const ids = added.map((job) => job.id)
      assert.deepEqual(
        ids,
        ids.toSorted((a, b) => a - b),
      )
      assert.equal(new Set(ids).size, 3)
      assert.deepEqual(await Promise.all(ids.map(async (id) => (await scene.get(id)).task)), ['a', 'b', 'c'])
    },
  },
  {
    name: 'enqueue answers state and due time',
    async run(scene) {
      const due = await scene.add()
      assert.deepEqual(due, { id: due.id, duplicate: false, state: 'queued', dueAt: scene.at })
      const later = await scene.add({ dueAt: scene.at + 1000 })
      assert.deepEqual(later, { id: later.id, duplicate: false, state: 'queued', dueAt: scene.at + 1000 })
      assert.equal((await scene.add({ hold: true })).state, 'blocked')
    },
  },
  {
    name: 'an empty enqueue adds nothing',
    async run(scene) {
      assert.deepEqual(await scene.addAll([]), [])
      assert.deepEqual(await scene.events(), [])
    },
  },
  {
    name: 'enqueue logs one job.queued for each job',
    async run(scene) {
      const [first, second] = await scene.addAll([{ queue: 'q' }, { hold: true }])
      const queued = one(await scene.events(first?.id))
      const { type, at, job, task, queue, worker, data } = queued
      assert.deepEqual(
        { type, at, job, task, queue, worker, data },
        {
          type: 'job.queued',
          at: scene.at,
          job: first?.id,
          task: 'work',
          queue: 'q',
          worker: null,
          data: { dueAt: scene.at },
        },
      )
      assert.deepEqual(one(await scene.events(second?.id)).data, { dueAt: scene.at, blocked: true })
    },
  },
  {
    name: 'a job keeps everything it was given',
    async run(scene) {
      const options = {
        backoff: { kind: 'fixed', baseMs: 5, jitter: false },
        timeLimitMs: 9,
        softTimeLimitMs: 8,
        maxCrashes: 2,
      } as const
      const said = { queue: 'media', priority: 9, retries: 4, expiresAt: scene.at + 60_000, options, uniqueKey: 'key' }
      const told = { tags: ['x', 'y'], name: 'a label', meta: { k: 'v' }, ref: 'r-1' }
      const payload = { serializer: 'json', text: '{"a":[1,"ü",null]}' }
      const id = await scene.addId({ ...said, ...told, payload })
      const job = await scene.get(id)
      assert.deepEqual(
        { ...job },
        {
          ...{
            id,
            task: 'work',
            queue: 'media',
            state: 'queued',
            label: null,
            priority: 9,
            attempt: 0,
            maxAttempts: 5,
          },
          ...{
            payload: { a: [1, 'ü', null] },
            result: null,
            error: null,
            exitCode: null,
            signal: null,
            progress: null,
          },
          ...{ createdAt: scene.at, dueAt: scene.at, startedAt: null, finishedAt: null, expiresAt: scene.at + 60_000 },
          ...{
            worker: null,
            pid: null,
            unique: 'key',
            after: [],
            afterAny: [],
            serializer: 'json',
            compression: null,
            hidden: {},
          },
          ...{ ...told, signedBy: null, options, crashes: 0, cancelling: false, claimed: false },
        },
      )
      const claimed = await scene.claimOne()
      assert.deepEqual(
        { payload: claimed.payload, options: claimed.options, retries: claimed.retries },
        { payload, options, retries: 4 },
      )
    },
  },
  {
    name: 'a payload and a result that are stored as bytes come back as they went in, unread',
    async run(scene) {
      const coding = { serializer: 'application/vnd.msgpack', compression: 'zstd', encryption: 'aes-256-gcm' } as const
      const payload = { ...coding, text: Buffer.of(0, 255, 128, 10).toString('base64'), binary: true } as const
      const plain = await scene.addAll([{}, { payload }, {}])
      const id = plain[1]?.id as number
      const jobs = await scene.claim()
      assert.deepEqual(
        jobs.map((job) => job.payload),
        [{ serializer: 'json', text: '{}' }, payload, { serializer: 'json', text: '{}' }],
      )
      const claimed = jobs[1] as (typeof jobs)[number]
      const result = { ...payload, text: Buffer.of(1, 2, 3).toString('base64') }
      await scene.settle(scene.finished(claimed, { ...ends.succeeded(), result }))
      const job = await scene.get(id)
      assert.deepEqual([job.payload, job.result, Object.keys(job.hidden)], [null, null, ['payload', 'result']])
      assert.deepEqual([job.serializer, job.compression, job.signedBy], ['msgpack', 'zstd', null])
    },
  },
  {
    name: 'a payload is signed for the job that it is stored with',
    async run(scene) {
      const sign = (owner: PayloadOwner): string => `1 test key ${JSON.stringify(owner)}`
      const id = await scene.addId({ queue: 'q', uniqueKey: 'key', sign })
      const owner = { part: 'payload', job: id, task: 'work', queue: 'q' }
      assert.equal((await scene.get(id)).signedBy, 'key')
      await scene.addId({ queue: 'p', uniqueKey: 'key', onConflict: 'replace', sign })
      const moved = { ...owner, queue: 'p' }
      const { payload } = await scene.runOne(ends.succeeded())
      assert.deepEqual(payload, { serializer: 'json', text: '{}', signature: `1 test key ${JSON.stringify(moved)}` })
      await scene.broker.requeue([id], scene.at, scene.now())
      assert.deepEqual((await scene.claimOne()).payload, payload)
      await scene.addAll([{ sign }, { sign }])
      assert.equal(new Set((await scene.claim()).map((job) => job.payload.signature)).size, 2)
    },
  },
  {
    name: 'a bulk of like jobs gets each its own payload',
    async run(scene) {
      const added = await scene.addAll(
        Array.from({ length: 250 }, (_, n) => ({ payload: { serializer: 'json', text: `${n}` } })),
      )
      const jobs = await scene.broker.jobs.list({ order: 'oldest' }, scene.now())
      assert.deepEqual(
        jobs.map((job) => job.payload),
        Array.from({ length: 250 }, (_, n) => n),
      )
      assert.deepEqual(
        jobs.map((job) => job.id),
        added.map((job) => job.id),
      )
      assert.equal((await scene.types()).filter((type) => type === 'job.queued').length, 250)
    },
  },
  {
    name: 'what a job leaves unsaid comes from its task, then from the defaults',
    async run(scene) {
      await scene.broker.tasks.publish([{ task: 'known', queue: 'slow', priority: 2, retries: 7, expiresMs: 500 }])
      const [fromTask, own, unknown] = await scene.addAll([
        { task: 'known' },
        { task: 'known', queue: 'fast', priority: 8, retries: 1, expiresAt: scene.at + 9 },
        { task: 'unknown' },
      ])
      const pick = async (id = 0) => {
        const { queue, priority, maxAttempts, expiresAt } = await scene.get(id)
        return [queue, priority, maxAttempts, expiresAt]
      }
      assert.deepEqual(await pick(fromTask?.id), ['slow', 2, 8, scene.at + 500])
      assert.deepEqual(await pick(own?.id), ['fast', 8, 2, scene.at + 9])
      assert.deepEqual(await pick(unknown?.id), ['default', 5, 1, null])
    },
  },
  {
    name: 'a ref belongs to one job only',
    async run(scene) {
      const id = await scene.addId({ ref: 'mine' })
      await refused('duplicate', scene.add({ ref: 'mine' }))
      await scene.runOne(ends.succeeded())
      await refused('duplicate', scene.addAll([{}, { ref: 'mine' }]))
      assert.deepEqual(await scene.states(id), ['succeeded'])
      assert.equal((await scene.broker.jobs.list({}, scene.now())).length, 1)
    },
  },
  {
    name: 'a batch with one impossible job adds none',
    async run(scene) {
      await refused('not-found', scene.addAll([{ task: 'a', queue: 'new' }, { after: [999] }]))
      assert.deepEqual(await scene.broker.jobs.list({}, scene.now()), [])
      assert.deepEqual(await scene.events(), [])
      assert.equal(
        (await scene.broker.jobs.queues(scene.now())).some((queue) => queue.name === 'new'),
        false,
      )
      const id = await scene.addId()
      assert.deepEqual(await scene.claimIds(), [id])
    },
  },
]
