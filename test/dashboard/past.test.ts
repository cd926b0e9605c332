import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, test } from 'node:test'
import { Past } from '../../cli/dashboard/past.ts'
import type { Picture } from '../../cli/dashboard/picture.ts'
import type { Broker } from '../../src/broker/broker.ts'
import { MemoryBroker } from '../../src/broker/memory/memory-broker.ts'
import { SqliteBroker } from '../../src/broker/sqlite/sqlite-broker.ts'
import type { JobState } from '../../src/job.ts'
import { ends, Scene } from '../broker/conformance/scene.ts'

/** What was at one instant, as the broker itself said it then. */
interface Seen {
  readonly at: number
  readonly queues: readonly (readonly unknown[])[]
  readonly states: Readonly<Record<number, JobState>>
  readonly running: readonly number[]
}

const signal = new AbortController().signal
const states = ['blocked', 'queued', 'running', 'succeeded', 'failed', 'cancelled'] as const

const seen = async ({ broker, at, tick }: Scene): Promise<Seen> => {
  const jobs = await broker.jobs.list({}, { at, tick })
  const queues = await broker.jobs.queues({ at, tick })
  return {
    at,
    queues: figuresOf(queues),
    states: Object.fromEntries(jobs.map(({ id, state }) => [id, state])),
    running: jobs
      .filter(({ state }) => state === 'running')
      .map(({ id }) => id)
      .sort((one, other) => one - other),
  }
}

const figuresOf = (queues: Picture['queues']) =>
  queues
    .map((queue) => [queue.name, queue.paused, ...states.map((state) => queue[state])] as const)
    .filter(([, paused, ...counts]) => paused || counts.some((count) => count !== 0))

/** All that can happen to jobs, an instant for each. */
const live = async (scene: Scene): Promise<Seen[]> => {
  const { broker } = scene
  const ids: Record<string, number> = {}
  const steps: (() => Promise<unknown>)[] = [
    async () => (ids.first = await scene.addId({ queue: 'a' })),
    async () => (ids.second = await scene.addId({ queue: 'a', after: [ids.first ?? 0] })),
    async () => (ids.third = await scene.addId({ queue: 'b', after: [ids.second ?? 0] })),
    async () => (ids.held = await scene.addId({ queue: 'b', hold: true })),
    async () => scene.addAll(Array.from({ length: 30 }, (_, n) => ({ queue: n % 2 === 0 ? 'c' : 'a', priority: 1 }))),
    async () => {
      ids.claimed = (await scene.claimOne({ limit: 1 })).id
    },
    async () => broker.setPaused('c', true, scene.now()),
    async () => {
      // The claim before runs out, and the job is handed out again.
      scene.pass(31_000)
      const job = await scene.claimOne({ limit: 1 })
      await scene.settle(scene.started(job), scene.progress(job, 0.5))
      return scene.settle(scene.finished(job, ends.failed()))
    },
    async () => broker.requeue([ids.claimed ?? 0], scene.at, scene.now()),
    async () => scene.runOne(ends.succeeded('1')),
    async () => scene.runOne(ends.retried(scene.at + 500)),
    async () => scene.runOne(ends.snoozed(scene.at + 100_000)),
    async () => {
      const job = await scene.claimOne({ limit: 1 })
      await scene.settle(scene.started(job))
      ids.running = job.id
    },
    async () => broker.release([ids.held ?? 0], scene.now()),
    async () => broker.cancel({ ids: [ids.held ?? 0, ids.running ?? 0] }, 'Cancelled', scene.now()),
    async () => scene.addId({ queue: 'd', uniqueKey: 'k', dueAt: scene.at + 60_000 }),
    async () => scene.addId({ queue: 'e', uniqueKey: 'k', onConflict: 'replace', hold: true }),
    async () => broker.setPaused('c', false, scene.now()),
    async () => {
      const job = await scene.claimOne({ limit: 1 })
      // A lease that runs out while the job is running.
      await scene.settle(scene.started(job))
      scene.pass(31_000)
      await scene.claim({ limit: 1 })
    },
    async () => scene.runOne(ends.rejected()),
    async () => broker.cancel({ queue: 'c' }, 'Purged', scene.now()),
    async () => scene.addAll([{ queue: 'f' }, { queue: 'f' }]),
  ]
  const history: Seen[] = []
  for (const step of steps) {
    await step()
    scene.pass(400)
    history.push(await seen(scene))
    scene.pass(600)
  }
  return history
}

const brokers: Readonly<Record<string, (folder: string) => Broker>> = {
  memory: () => new MemoryBroker(),
  SQLite: (folder) => SqliteBroker.open(path.join(folder, 'jobs.db')),
}

describe('the past', () => {
  for (const [name, open] of Object.entries(brokers)) {
    test(`is what was, back and forth, in ${name}`, async (context) => {
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jobq-past-'))
      const scene = new Scene(open(folder))
      context.after(async () => {
        await scene.broker.close()
        fs.rmSync(folder, { recursive: true, force: true })
      })
      const history = await live(scene)
      const jobs = await scene.broker.jobs.list({}, scene.now())
      const past = await Past.begin(scene.broker, { now: () => scene.now() })
      const check = async (then: Seen | undefined): Promise<void> => {
        assert.ok(then)
        const picture = await past.travel(then.at, () => undefined, signal)
        assert.ok(picture)
        assert.deepEqual(figuresOf(picture.queues), then.queues)
        const standing = jobs.flatMap((job) => {
          const state = past.standing(job, then.at)
          return state === null ? [] : [[job.id, state]]
        })
        assert.deepEqual(Object.fromEntries(standing), then.states)
        assert.deepEqual(
          picture.running.map(({ job }) => job.id),
          then.running,
        )
      }
      for (const then of history.toReversed()) await check(then)
      for (const then of history) await check(then)
      // By leaps: each of these reads another stretch of the log at once.
      for (const index of [10, 3, 17, 0, 21, 8, 9, 1, 20]) await check(history[index])
    })
  }

  test('stays what it was while things go on', async () => {
    const scene = new Scene(new MemoryBroker())
    const ids = (await scene.addAll([{}, {}])).map(({ id }) => id)
    const job = await scene.claimOne({ limit: 1 })
    await scene.settle(scene.started(job))
    scene.pass(500)
    const then = await seen(scene)
    scene.pass(500)
    const past = await Past.begin(scene.broker, { now: () => scene.now() })
    const running = async () =>
      (await past.travel(then.at, () => undefined, signal))?.running.map(({ job: { id } }) => id)
    assert.deepEqual(await running(), then.running)
    // What ran then ends, what waited then starts, and another one comes.
    await scene.settle(scene.finished(job, ends.succeeded(), scene.at - 1_000))
    const other = await scene.claimOne({ limit: 1 })
    await scene.settle(scene.started(other))
    ids.push(await scene.addId())
    scene.pass(1_000)
    assert.deepEqual(await running(), then.running)
    const jobs = await scene.broker.jobs.list({ order: 'oldest' }, scene.now())
    assert.deepEqual(
      jobs.map((each) => past.standing(each, then.at)),
      ['running', 'queued', null],
    )
    const picture = await past.travel(then.at, () => undefined, signal)
    assert.deepEqual(figuresOf(picture?.queues ?? []), then.queues)
    assert.equal(ids.length, 3)
  })

  test('knows which workers were online', async () => {
    const scene = new Scene(new MemoryBroker())
    const first = await scene.join('first')
    scene.pass(1_000)
    await scene.join('second')
    scene.pass(1_000)
    await scene.broker.workers.leave(first, scene.now())
    scene.pass(1_000)
    const past = await Past.begin(scene.broker, { now: () => scene.now() })
    const namesAt = async (ago: number): Promise<string[]> =>
      (await past.travel(scene.at - ago, () => undefined, signal))?.workers.map(({ name }) => name).sort() ?? []
    assert.deepEqual(await namesAt(500), ['second'])
    assert.deepEqual(await namesAt(1_500), ['first', 'second'])
    assert.deepEqual(await namesAt(2_500), ['first'])
    assert.deepEqual(await namesAt(1_500), ['first', 'second'])
    assert.deepEqual(await namesAt(4_000), [])
  })
})
