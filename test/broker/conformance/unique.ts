import assert from 'node:assert/strict'
import { type Case, ends, refused } from './scene.ts'

const json = (text: string) => ({ payload: { serializer: 'json', text } })

export const uniqueCases: Case[] = [
  {
    name: 'a taken unique key answers its holder and adds nothing',
    async run(scene) {
      const holder = await scene.add({ uniqueKey: 'k', dueAt: scene.at + 50 })
      const second = await scene.add({ uniqueKey: 'k', ...json('2') })
      assert.deepEqual(second, { id: holder.id, duplicate: true, state: 'queued', dueAt: scene.at + 50 })
      assert.deepEqual(await scene.types(), ['job.queued'])
      assert.deepEqual((await scene.get(holder.id)).payload, {})
    },
  },
  {
    name: 'a unique key is taken while its job is blocked, queued, claimed or running',
    async run(scene) {
      const id = await scene.addId({ uniqueKey: 'k', hold: true })
      assert.equal((await scene.add({ uniqueKey: 'k' })).id, id)
      await scene.broker.release([id], scene.now())
      assert.equal((await scene.add({ uniqueKey: 'k' })).id, id)
      const job = await scene.claimOne()
      assert.equal((await scene.add({ uniqueKey: 'k' })).id, id)
      await scene.settle(scene.started(job))
      const running = await scene.add({ uniqueKey: 'k' })
      assert.deepEqual([running.id, running.state, running.duplicate], [id, 'running', true])
    },
  },
  {
    name: 'a unique key is free again once its job has finished',
    async run(scene) {
      for (const end of [ends.succeeded(), ends.failed(), ends.cancelled()]) {
        const id = await scene.addId({ uniqueKey: 'k' })
        await scene.runOne(end)
        const next = await scene.add({ uniqueKey: 'k' })
        assert.equal(next.duplicate, false)
        assert.notEqual(next.id, id)
        await scene.runOne(ends.succeeded())
      }
    },
  },
  {
    name: 'a unique key holds while its job is retried',
    async run(scene) {
      const id = await scene.addId({ uniqueKey: 'k' })
      await scene.runOne(ends.retried(scene.at + 1000))
      assert.equal((await scene.add({ uniqueKey: 'k' })).id, id)
    },
  },
  {
    name: 'two jobs of one batch with the same unique key are one',
    async run(scene) {
      const [first, second] = await scene.addAll([{ uniqueKey: 'k' }, { uniqueKey: 'k' }])
      assert.equal(second?.id, first?.id)
      assert.deepEqual([first?.duplicate, second?.duplicate], [false, true])
    },
  },
  {
    name: 'on conflict fail refuses the whole batch',
    async run(scene) {
      await scene.add({ uniqueKey: 'k' })
      await refused('duplicate', scene.addAll([{ task: 'other' }, { uniqueKey: 'k', onConflict: 'fail' }]))
      assert.equal((await scene.broker.jobs.list({}, scene.now())).length, 1)
      assert.deepEqual(await scene.types(), ['job.queued'])
    },
  },
  {
    name: 'on conflict replace changes a waiting holder in place',
    async run(scene) {
      const holder = await scene.add({ uniqueKey: 'k', ...json('1'), tags: ['old'] })
      scene.pass(10)
      const said = {
        task: 'other',
        queue: 'q2',
        priority: 1,
        dueAt: scene.at + 500,
        tags: ['new'],
        name: 'n',
        retries: 2,
      }
      const replaced = await scene.add({ uniqueKey: 'k', onConflict: 'replace', ...json('2'), ...said })
      assert.deepEqual(replaced, { id: holder.id, duplicate: true, state: 'queued', dueAt: scene.at + 500 })
      const { retries: _, ...shown } = said
      const job = await scene.get(holder.id)
      const wanted = { ...job, ...shown, payload: 2, maxAttempts: 3, createdAt: scene.at - 10 }
      assert.deepEqual(job, wanted)
      const event = await scene.lastEvent(holder.id)
      assert.deepEqual(
        [event.type, event.task, event.queue, event.data],
        ['job.replaced', 'other', 'q2', { dueAt: scene.at + 500 }],
      )
    },
  },
  {
    name: 'on conflict replace leaves a claimed or running holder alone',
    async run(scene) {
      const id = await scene.addId({ uniqueKey: 'k', ...json('1') })
      const job = await scene.claimOne()
      const claimed = await scene.add({ uniqueKey: 'k', onConflict: 'replace', ...json('2') })
      await scene.settle(scene.started(job))
      const running = await scene.add({ uniqueKey: 'k', onConflict: 'replace', ...json('2') })
      assert.deepEqual([claimed.id, claimed.duplicate, running.id, running.duplicate], [id, true, id, true])
      assert.equal((await scene.get(id)).payload, 1)
      assert.equal((await scene.types(id)).includes('job.replaced'), false)
    },
  },
  {
    name: 'what replaces a job brings its own hold and dependencies',
    async run(scene) {
      const need = await scene.addId({ dueAt: scene.at + 9999 })
      const id = await scene.addId({ uniqueKey: 'k', hold: true })
      const replace = { uniqueKey: 'k', onConflict: 'replace' } as const
      assert.equal((await scene.add({ ...replace })).state, 'queued')
      assert.equal((await scene.add({ ...replace, after: [need] })).state, 'blocked')
      assert.deepEqual((await scene.get(id)).after, [need])
      assert.deepEqual(await scene.broker.release([id], scene.now()), [false])
      assert.equal((await scene.add({ ...replace })).state, 'queued')
      assert.deepEqual((await scene.get(id)).after, [])
      assert.deepEqual(await scene.claimIds(), [id])
    },
  },
  {
    name: 'a job cannot be replaced by one that would wait for itself',
    async run(scene) {
      const id = await scene.addId({ uniqueKey: 'k' })
      const next = await scene.addId({ after: [id] })
      const replace = { uniqueKey: 'k', onConflict: 'replace' } as const
      await refused('usage', scene.add({ ...replace, after: [id] }))
      await refused('usage', scene.add({ ...replace, afterAny: [next] }))
      assert.deepEqual(await scene.claimIds(), [id])
    },
  },
  {
    name: 'what replaces a job that was being retried starts with a whole budget of retries',
    async run(scene) {
      const id = await scene.addId({ uniqueKey: 'k', retries: 3 })
      await scene.runOne(ends.retried(scene.at + 1000))
      await scene.add({ uniqueKey: 'k', onConflict: 'replace', retries: 1 })
      const { label, error, attempt, maxAttempts } = await scene.get(id)
      assert.deepEqual({ label, error, attempt, maxAttempts }, { label: null, error: null, attempt: 1, maxAttempts: 3 })
      const job = await scene.claimOne()
      assert.deepEqual([job.attempt, job.base], [2, 1])
    },
  },
]
