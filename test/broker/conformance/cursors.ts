import assert from 'node:assert/strict'
import type { Case, Scene } from './scene.ts'

const leaseMs = 30_000

const take = (scene: Scene, session: number, start = 0): Promise<number | null> =>
  scene.broker.cursors.take('mail', { session, leaseMs, start }, scene.now())

const move = (scene: Scene, session: number, to: number): Promise<boolean> =>
  scene.broker.cursors.move('mail', { session, leaseMs, to }, scene.now())

export const cursorCases: Case[] = [
  {
    name: 'a cursor begins where it is told, and goes on where it was',
    async run(scene) {
      const session = await scene.join('w1')
      assert.equal(await take(scene, session, 7), 7)
      assert.equal(await move(scene, session, 9), true)
      assert.equal(await take(scene, session, 7), 9)
      const other = { session, leaseMs, start: 3 }
      assert.equal(await scene.broker.cursors.take('other', other, scene.now()), 3)
    },
  },
  {
    name: 'a cursor never moves back',
    async run(scene) {
      const session = await scene.join('w1')
      await take(scene, session)
      assert.equal(await move(scene, session, 9), true)
      assert.equal(await move(scene, session, 4), true)
      assert.equal(await take(scene, session), 9)
    },
  },
  {
    name: 'one session at a time has a cursor',
    async run(scene) {
      const [one, two] = [await scene.join('w1'), await scene.join('w2')]
      assert.equal(await take(scene, one, 5), 5)
      assert.equal(await take(scene, two, 5), null)
      assert.equal(await move(scene, two, 6), false)
      await scene.broker.cursors.release('mail', two)
      assert.equal(await take(scene, two, 5), null)
      await move(scene, one, 8)
      await scene.broker.cursors.release('mail', one)
      assert.equal(await move(scene, one, 9), false)
      assert.equal(await take(scene, two, 5), 8)
    },
  },
  {
    name: 'the cursor of a session that leaves is to be had at once',
    async run(scene) {
      const [one, two] = [await scene.join('w1'), await scene.join('w2')]
      await take(scene, one)
      await scene.broker.workers.leave(one, scene.now())
      assert.equal(await take(scene, two), 0)
    },
  },
  {
    name: 'the cursor of a session that is not heard of is to be had after its lease, and not moved by it any more',
    async run(scene) {
      const [one, two] = [await scene.join('w1'), await scene.join('w2')]
      await take(scene, one)
      scene.pass(leaseMs - 1)
      await move(scene, one, 1)
      scene.pass(leaseMs - 1)
      assert.equal(await take(scene, two), null)
      scene.pass(1)
      assert.equal(await take(scene, two), 1)
      assert.equal(await move(scene, one, 2), false)
      assert.equal(await take(scene, one), null)
    },
  },
]
