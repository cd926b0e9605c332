import assert from 'node:assert/strict'
import { type Case, ends, refused, type Scene } from './scene.ts'

/** A job, one that runs after it, and one that runs after that. */
const chain = async (scene: Scene): Promise<[number, number, number]> => {
  const first = await scene.addId({ queue: 'first' })
  const second = await scene.addId({ after: [first] })
  return [first, second, await scene.addId({ after: [second] })]
}

const one = { queues: [{ name: 'first', weight: 1 }], order: 'strict' } as const

export const dependencyCases: Case[] = [
  {
    name: 'a job is blocked until what it runs after has succeeded',
    async run(scene) {
      const [first, second, third] = await chain(scene)
      assert.deepEqual(await scene.states(first, second, third), ['queued', 'blocked', 'blocked'])
      assert.deepEqual((await scene.get(second)).after, [first])
      assert.deepEqual(await scene.claimIds({ limit: 1 }), [first])
    },
  },
  {
    name: 'a success lets its dependents go, one by one',
    async run(scene) {
      const [, second, third] = await chain(scene)
      scene.pass(10)
      await scene.runOne(ends.succeeded())
      assert.deepEqual(await scene.states(second, third), ['queued', 'blocked'])
      const { type, data } = await scene.lastEvent(second)
      assert.deepEqual({ type, data }, { type: 'job.released', data: { dueAt: scene.at } })
      assert.equal((await scene.runOne(ends.succeeded())).id, second)
      assert.equal((await scene.runOne(ends.succeeded())).id, third)
    },
  },
  {
    name: 'a dependency that is met already does not block',
    async run(scene) {
      const [done, broken] = [await scene.addId(), await scene.addId()]
      await scene.runOne(ends.succeeded())
      await scene.runOne(ends.failed())
      const added = await scene.add({ after: [done], afterAny: [broken] })
      assert.equal(added.state, 'queued')
      assert.deepEqual(await scene.types(added.id), ['job.queued'])
      assert.deepEqual(await scene.claimIds(), [added.id])
    },
  },
  {
    name: 'a dependency that has failed already cancels',
    async run(scene) {
      const need = await scene.addId()
      await scene.runOne(ends.failed())
      const added = await scene.add({ after: [need] })
      assert.equal(added.state, 'cancelled')
      assert.deepEqual(await scene.types(added.id), ['job.queued', 'job.cancelled'])
      assert.equal((await scene.get(added.id)).error?.type, 'DependencyFailed')
    },
  },
  {
    name: 'a failure cancels its dependents, and theirs, naming the job',
    async run(scene) {
      const [first, second, third] = await chain(scene)
      await scene.runOne(ends.failed())
      const [two, three] = [await scene.get(second), await scene.get(third)]
      assert.deepEqual([two.state, three.state], ['cancelled', 'cancelled'])
      assert.equal(two.error?.type, 'DependencyFailed')
      assert.match(two.error?.message ?? '', new RegExp(`\\bjob ${first}\\b`))
      assert.match(three.error?.message ?? '', new RegExp(`\\bjob ${second}\\b`))
      assert.deepEqual([two.finishedAt, three.finishedAt], [scene.at, scene.at])
      assert.deepEqual(await scene.types(third), ['job.queued', 'job.cancelled'])
      assert.deepEqual((await scene.lastEvent(third)).data, { error: three.error })
    },
  },
  {
    name: 'a cancelled, purged or expired job cancels its dependents as a failed one does',
    async run(scene) {
      const expiring = await scene.addId({ queue: 'other', expiresAt: scene.at + 5 })
      const [cancelled, purged] = [await scene.addId({ queue: 'other' }), await scene.addId({ queue: 'doomed' })]
      const dependents = await scene.addAll([{ after: [expiring] }, { after: [cancelled] }, { after: [purged] }])
      scene.pass(5)
      await scene.broker.cancel({ ids: [cancelled] }, 'Cancelled', scene.now())
      await scene.broker.cancel({ queue: 'doomed' }, 'Purged', scene.now())
      assert.deepEqual(await scene.claimIds(), [])
      assert.deepEqual(await scene.states(...dependents.map((job) => job.id)), ['cancelled', 'cancelled', 'cancelled'])
    },
  },
  {
    name: 'a retried attempt decides nothing for the dependents',
    async run(scene) {
      const [, second] = await chain(scene)
      await scene.runOne(ends.retried(scene.at))
      assert.deepEqual(await scene.states(second), ['blocked'])
      await scene.runOne(ends.succeeded())
      assert.deepEqual(await scene.states(second), ['queued'])
    },
  },
  {
    name: 'afterAny waits for the end, however it is',
    async run(scene) {
      const needs = (await scene.addAll([{}, {}, { dueAt: scene.at + 99 }])).map((job) => job.id)
      const id = await scene.addId({ afterAny: needs })
      assert.deepEqual((await scene.get(id)).afterAny, needs)
      await scene.runOne(ends.failed())
      await scene.runOne(ends.succeeded())
      assert.deepEqual(await scene.states(id), ['blocked'])
      await scene.broker.cancel({ ids: needs.slice(2) }, 'Cancelled', scene.now())
      assert.deepEqual(await scene.states(id), ['queued'])
    },
  },
  {
    name: 'all of several dependencies must be met',
    async run(scene) {
      const needs = (await scene.addAll([{}, {}])).map((job) => job.id)
      const id = await scene.addId({ after: needs })
      await scene.runOne(ends.succeeded())
      assert.deepEqual(await scene.states(id), ['blocked'])
      await scene.runOne(ends.succeeded())
      assert.deepEqual(await scene.states(id), ['queued'])
    },
  },
  {
    name: 'dependencies that end in one settle let go of their dependent once',
    async run(scene) {
      const needs = (await scene.addAll([{}, {}])).map((job) => job.id)
      const id = await scene.addId({ after: needs })
      const claimed = await scene.claim()
      await scene.settle(...claimed.map((job) => scene.finished(job, ends.succeeded())))
      assert.deepEqual(await scene.types(id), ['job.queued', 'job.released'])
    },
  },
  {
    name: 'a dependent that is let go waits for its own due time',
    async run(scene) {
      const need = await scene.addId()
      const id = await scene.addId({ after: [need], dueAt: scene.at + 100 })
      await scene.runOne(ends.succeeded())
      assert.deepEqual(await scene.claimIds(), [])
      scene.pass(100)
      assert.deepEqual(await scene.claimIds(), [id])
    },
  },
  {
    name: 'a held dependent waits for its release as well',
    async run(scene) {
      const need = await scene.addId()
      const [early, late] = (
        await scene.addAll([
          { after: [need], hold: true },
          { after: [need], hold: true },
        ])
      ).map((job) => job.id)
      assert.deepEqual(await scene.broker.release([early ?? 0], scene.now()), [true])
      assert.deepEqual(await scene.states(early ?? 0), ['blocked'])
      await scene.runOne(ends.succeeded())
      assert.deepEqual(await scene.states(early ?? 0, late ?? 0), ['queued', 'blocked'])
      assert.deepEqual(await scene.broker.release([late ?? 0], scene.now()), [true])
      assert.deepEqual(await scene.states(late ?? 0), ['queued'])
    },
  },
  {
    name: 'an unknown dependency is not found',
    async run(scene) {
      await refused('not-found', scene.add({ after: [12345] }))
      await refused('not-found', scene.add({ afterAny: [12345] }))
      assert.deepEqual(await scene.events(), [])
    },
  },
  {
    name: 'requeueing a failed job blocks again what was cancelled for its sake, transitively',
    async run(scene) {
      const [first, second, third] = await chain(scene)
      await scene.runOne(ends.failed())
      await scene.broker.requeue([first], scene.at, scene.now())
      assert.deepEqual(await scene.states(first, second, third), ['queued', 'blocked', 'blocked'])
      const { error, finishedAt } = await scene.get(second)
      assert.deepEqual({ error, finishedAt }, { error: null, finishedAt: null })
      assert.deepEqual(await scene.types(third), ['job.queued', 'job.cancelled', 'job.requeued'])
      assert.equal((await scene.lastEvent(third)).data.blocked, true)
      for (const id of [first, second, third]) assert.equal((await scene.runOne(ends.succeeded())).id, id)
    },
  },
  {
    name: 'a job that needs another one and what runs after that is cancelled and revived once',
    async run(scene) {
      const first = await scene.addId()
      const second = await scene.addId({ after: [first] })
      const third = await scene.addId({ after: [first, second] })
      await scene.runOne(ends.failed())
      assert.deepEqual(await scene.types(third), ['job.queued', 'job.cancelled'])
      await scene.broker.requeue([first], scene.at, scene.now())
      assert.deepEqual(await scene.types(third), ['job.queued', 'job.cancelled', 'job.requeued'])
      assert.deepEqual(await scene.states(first, second, third), ['queued', 'blocked', 'blocked'])
      assert.equal((await scene.queue('default')).cancelled, 0)
    },
  },
  {
    name: 'what was cancelled by hand stays so when its dependency is requeued',
    async run(scene) {
      const [first, second, third] = await chain(scene)
      await scene.broker.cancel({ ids: [second] }, 'Cancelled', scene.now())
      await scene.runOne(ends.failed())
      await scene.broker.requeue([first], scene.at, scene.now())
      assert.deepEqual(await scene.states(second, third), ['cancelled', 'cancelled'])
    },
  },
  {
    name: 'a dependent that is requeued while its dependency has failed is cancelled again',
    async run(scene) {
      const [first, second] = await chain(scene)
      await scene.runOne(ends.failed())
      assert.deepEqual(await scene.broker.requeue([second], scene.at, scene.now()), ['requeued'])
      assert.deepEqual(await scene.states(second), ['cancelled'])
      assert.equal((await scene.get(second)).error?.type, 'DependencyFailed')
      await scene.broker.requeue([second, first], scene.at, scene.now())
      assert.deepEqual(await scene.states(first, second), ['queued', 'blocked'])
    },
  },
  {
    name: 'what is revived while another of its needs has failed is cancelled at the next end',
    async run(scene) {
      const needs = (await scene.addAll([{}, {}])).map((job) => job.id)
      const id = await scene.addId({ after: needs })
      await scene.runOne(ends.failed())
      await scene.runOne(ends.failed())
      await scene.broker.requeue(needs.slice(0, 1), scene.at, scene.now())
      await scene.runOne(ends.succeeded())
      assert.deepEqual(await scene.states(id), ['cancelled'])
      await scene.broker.requeue(needs.slice(1), scene.at, scene.now())
      await scene.runOne(ends.succeeded())
      assert.deepEqual(await scene.states(id), ['queued'])
    },
  },
  {
    name: 'a dependent whose unique key was taken meanwhile stays cancelled',
    async run(scene) {
      const need = await scene.addId({ queue: 'first' })
      const id = await scene.addId({ after: [need], uniqueKey: 'k' })
      await scene.runOne(ends.failed(), one)
      await scene.add({ uniqueKey: 'k' })
      await scene.broker.requeue([need], scene.at, scene.now())
      assert.deepEqual(await scene.states(need, id), ['queued', 'cancelled'])
    },
  },
  {
    name: 'a dependency that was deleted after its success does not block a requeued dependent',
    async run(scene) {
      const need = await scene.addId()
      await scene.runOne(ends.succeeded())
      const id = await scene.addId({ after: [need] })
      await scene.runOne(ends.failed())
      assert.deepEqual(await scene.broker.jobs.remove([need]), [true])
      await scene.broker.requeue([id], scene.at, scene.now())
      assert.deepEqual(await scene.states(id), ['queued'])
    },
  },
  {
    name: 'jobs that are run again together, one after the other and all after one that failed, are cancelled once each',
    async run(scene) {
      const need = await scene.addId()
      await scene.broker.cancel({ ids: [need] }, 'Cancelled', scene.now())
      const first = await scene.addId({ after: [need] })
      const second = await scene.addId({ after: [need], afterAny: [first] })
      await scene.broker.requeue([first, second], scene.at, scene.now())
      assert.deepEqual(await scene.states(need, first, second), ['cancelled', 'cancelled', 'cancelled'])
      assert.equal((await scene.queue('default')).cancelled, 3)
      const types = (await scene.events(second)).map(({ type }) => type)
      assert.deepEqual(types, ['job.queued', 'job.cancelled', 'job.requeued', 'job.cancelled'])
    },
  },
]
