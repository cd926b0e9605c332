import assert from 'node:assert/strict'
import type { Case, Scene } from './scene.ts'

const ids = (jobs: readonly { readonly id: number }[]) => jobs.map(({ id }) => id)
const limit = (scene: Scene, count: number, perMs: number) => scene.broker.tasks.limitStarts('rated', { count, perMs })
const addRated = (scene: Scene, count: number) =>
  scene.addAll(Array.from({ length: count }, () => ({ task: 'rated', dueAt: 0 })))

export const rateCases: Case[] = [
  {
    name: 'a start rate holds one start back for the next, however many wait',
    async run(scene) {
      await limit(scene, 6, 60_000)
      await addRated(scene, 5)
      const started: number[] = []
      for (let second = 0; second <= 30; second += 1) {
        if ((await scene.claim()).length > 0) started.push(second)
        scene.at += 1_000
      }
      assert.deepEqual(started, [0, 10, 20, 30])
    },
  },
  {
    name: 'a start rate gives at once what a second gives',
    async run(scene) {
      await limit(scene, 20, 1_000)
      await addRated(scene, 100)
      assert.equal((await scene.claim({ limit: 100 })).length, 20)
      assert.equal((await scene.claim({ limit: 100 })).length, 0)
      scene.at += 500
      assert.equal((await scene.claim({ limit: 100 })).length, 10)
      scene.at += 3_600_000
      assert.equal((await scene.claim({ limit: 100 })).length, 20)
    },
  },
  {
    name: 'a start rate holds for all workers together',
    async run(scene) {
      await limit(scene, 3, 1_000)
      await addRated(scene, 10)
      const other = await scene.join('other')
      assert.equal((await scene.claim({ limit: 2 })).length, 2)
      assert.equal((await scene.claim({ limit: 9, worker: other })).length, 1)
    },
  },
  {
    name: 'other jobs pass those that a start rate holds back, and none of these is lost',
    async run(scene) {
      await limit(scene, 1, 3_600_000)
      const rated = await addRated(scene, 30)
      const free = await scene.addAll([{}, { queue: 'q' }])
      assert.deepEqual(
        ids(await scene.claim({ limit: 3 })).toSorted((a, b) => a - b),
        [rated[0]?.id, ...ids(free)],
      )
      assert.equal((await scene.claim()).length, 0)
      assert.equal((await scene.queue('default')).queued, 31)
      await scene.broker.tasks.limitStarts('rated', null)
      assert.deepEqual(ids(await scene.claim({ limit: 50 })), ids(rated.slice(1)))
    },
  },
  {
    name: 'of the jobs that a start rate holds back the most urgent starts first, also a later one',
    async run(scene) {
      await limit(scene, 1, 1_000)
      await scene.addAll([
        { task: 'rated', priority: 2 },
        { task: 'rated', priority: 5 },
      ])
      assert.equal((await scene.claim())[0]?.priority, 5)
      await scene.add({ task: 'rated', priority: 9 })
      scene.at += 1_000
      assert.equal((await scene.claim())[0]?.priority, 9)
      scene.at += 1_000
      assert.equal((await scene.claim())[0]?.priority, 2)
    },
  },
  {
    name: 'a job that a start rate holds back can be cancelled, run again and paused with its queue',
    async run(scene) {
      await limit(scene, 1, 1_000)
      const [first, second] = ids(await addRated(scene, 2)) as [number, number]
      assert.deepEqual(ids(await scene.claim()), [first])
      await scene.broker.cancel({ ids: [second] }, 'Cancelled', scene.now())
      scene.at += 1_000
      assert.deepEqual(await scene.claim(), [])
      await scene.broker.requeue([second], scene.at, scene.now())
      await scene.broker.setPaused('default', true, scene.now())
      assert.deepEqual(await scene.claim(), [])
      await scene.broker.setPaused('default', false, scene.now())
      assert.deepEqual(ids(await scene.claim()), [second])
    },
  },
  {
    name: 'a clock that is set back does not stop a task with a start rate',
    async run(scene) {
      await limit(scene, 1, 1_000)
      await addRated(scene, 3)
      assert.equal((await scene.claim()).length, 1)
      scene.at -= 86_400_000
      assert.equal((await scene.claim()).length, 1)
      assert.equal((await scene.claim()).length, 0)
      scene.at += 1_000
      assert.equal((await scene.claim()).length, 1)
    },
  },
  {
    name: 'start rates are listed by task',
    async run(scene) {
      await scene.broker.tasks.limitStarts('b', { count: 2, perMs: 1_000 })
      await scene.broker.tasks.limitStarts('a', { count: 1, perMs: 60_000 })
      await scene.broker.tasks.limitStarts('b', { count: 3, perMs: 1_000 })
      await scene.broker.tasks.limitStarts('c', null)
      const rates = await scene.broker.tasks.startRates()
      assert.deepEqual(
        rates.map(({ task, rate }) => [task, rate]),
        [
          ['a', { count: 1, perMs: 60_000 }],
          ['b', { count: 3, perMs: 1_000 }],
        ],
      )
    },
  },
]
