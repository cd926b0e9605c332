// Which jobs the SQLite broker puts together, and what that leaves in its tables.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SqliteDatabase } from '../../src/broker/sqlite/native.ts'
import { Burst, oneByOne } from '../../src/burst.ts'
import type { NewJob } from '../../src/job.ts'
import { lease, type Scene } from './conformance/scene.ts'
import { openSqliteScene } from './sqlite-scene.ts'

const many = (count: number, said: Partial<NewJob> = {}): Partial<NewJob>[] => Array.from({ length: count }, () => said)

/** The sizes of what is claimed; 1 for a job by itself. */
const sizes = async (scene: Scene, said: Parameters<Scene['claimInBursts']>[0] = {}): Promise<number[]> =>
  (await scene.claimInBursts({ limit: 500, ...said })).map((item) => (item instanceof Burst ? item.size : 1))

const rows = (database: SqliteDatabase, table: string): unknown[] =>
  database.prepare(`SELECT job, last FROM ${table} ORDER BY job`).raw().all()

test('alike jobs come in bursts of at most so many, too few of them each by itself', async (context) => {
  const { scene } = openSqliteScene(context)
  await scene.addAll(many(100))
  assert.deepEqual(await sizes(scene), [32, 32, 32, 1, 1, 1, 1])
  await scene.addAll(many(16))
  assert.deepEqual(await sizes(scene), [16])
  await scene.addAll(many(15))
  assert.deepEqual(await sizes(scene), Array(15).fill(1))
  await scene.addAll(many(20))
  assert.deepEqual(await sizes(scene, { burst: 300, limit: 18 }), [18])
})

test('a claim that does not ask for bursts gets none', async (context) => {
  const { scene } = openSqliteScene(context)
  await scene.addAll(many(40))
  const { claimed } = await scene.broker.settle([], scene.now(), {
    queues: null,
    order: 'weighted',
    limit: 20,
    worker: await scene.join('w1'),
    leaseMs: 1_000,
  })
  assert.ok(claimed.length === 20 && claimed.every((item) => !(item instanceof Burst)))
  assert.ok((await scene.claim({ burst: 32 })).every((item) => !(item instanceof Burst)))
})

const odd: Readonly<Record<string, Partial<NewJob>>> = {
  'another task': { task: 'other' },
  'other retries': { retries: 7 },
  options: { options: { maxCrashes: 1 } },
  'a unique key': { uniqueKey: 'k' },
  'an expiry': { expiresAt: 1_900_000_000_000 },
  'a payload that is no JSON': { payload: { serializer: 'application/msgpack', text: 'gA==', binary: true } },
  'a large payload': { payload: { serializer: 'json', text: JSON.stringify('x'.repeat(4_095)) } },
  'a payload of several lines': { payload: { serializer: 'json', text: '{\n}' } },
  'a trace': { meta: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' } },
}
for (const [what, said] of Object.entries(odd)) {
  test(`a job with ${what} is in no burst with others`, async (context) => {
    const { scene } = openSqliteScene(context)
    await scene.addAll([...many(20), said, ...many(20)])
    assert.deepEqual(await sizes(scene, { burst: 64 }), [20, 1, 20])
  })
}

test('what a worker does not see of a job does not keep it from the others', async (context) => {
  const { scene } = openSqliteScene(context)
  const payload = { serializer: 'json', text: JSON.stringify('x'.repeat(4_094)) }
  await scene.addAll([...many(8, { tags: ['a'] }), ...many(8, { name: 'n' }), ...many(8, { payload })])
  await scene.addAll(many(8, { ref: null, dueAt: scene.at - 1 }))
  assert.deepEqual(await sizes(scene), [32])
})

test('jobs of another priority or queue are in a burst of their own', async (context) => {
  const { scene } = openSqliteScene(context)
  await scene.addAll([...many(20, { priority: 3 }), ...many(20, { priority: 4 }), ...many(20, { queue: 'q' })])
  const bursts = (await scene.claimInBursts({ limit: 500 })).map((item) =>
    item instanceof Burst ? `${item.size} of priority ${item.like.priority} in ${item.like.queue}` : 'one',
  )
  assert.deepEqual(bursts.toSorted(), [
    '20 of priority 3 in default',
    '20 of priority 4 in default',
    '20 of priority 5 in q',
  ])
})

test('jobs that ran before, or came back, are in no burst', async (context) => {
  const { scene } = openSqliteScene(context)
  const ids = (await scene.addAll(many(20))).map(({ id }) => id)
  await scene.settle(...scene.succeeded(oneByOne(await scene.claimInBursts())))
  await scene.broker.requeue(ids, scene.at, scene.now())
  assert.deepEqual(await sizes(scene, { leaseMs: 1_000 }), Array(20).fill(1))
  await scene.addAll(many(20))
  assert.deepEqual(await sizes(scene, { leaseMs: 1_000 }), [20])
  scene.pass(1_000)
  assert.deepEqual(await sizes(scene), Array(40).fill(1))
})

test('jobs that other programs have added are alike as well', async (context) => {
  const { scene, database } = openSqliteScene(context)
  const add = database.prepare(`INSERT INTO enqueue(task, payload, due_at) VALUES ('work', '{}', ?)`)
  for (let n = 0; n < 20; n += 1) add.run(scene.at)
  await scene.addAll(many(12))
  assert.deepEqual(await sizes(scene), [32])
})

test('a stretch of jobs is one row of its table, cut where one of them fares otherwise', async (context) => {
  const { scene, database } = openSqliteScene(context)
  const [from = 0] = (await scene.addAll(many(30))).map(({ id }) => id)
  const at = (...places: [number, number][]) => places.map(([first, last]) => [from + first, from + last])
  const jobs = oneByOne(await scene.claimInBursts())
  assert.deepEqual(rows(database, 'jobq_leases'), at([0, 29]))
  const of = (first: number, last: number) => jobs.slice(first, last + 1)
  await scene.settle(...scene.succeeded(of(10, 19)))
  assert.deepEqual(rows(database, 'jobq_leases'), at([0, 9], [20, 29]))
  assert.deepEqual(rows(database, 'jobq_ends'), at([10, 19]))
  await scene.broker.extend(of(3, 22).map(lease), 2_000, scene.now())
  assert.deepEqual(rows(database, 'jobq_leases'), at([0, 2], [3, 9], [20, 22], [23, 29]))
  await scene.broker.cancel({ ids: [from + 5] }, 'Cancelled', scene.now())
  assert.deepEqual(rows(database, 'jobq_leases'), at([0, 2], [3, 4], [5, 5], [6, 9], [20, 22], [23, 29]))
  await scene.settle(...scene.succeeded(of(0, 9)))
  await scene.settle(...scene.succeeded(of(20, 29)))
  assert.deepEqual(rows(database, 'jobq_leases'), [])
  await scene.broker.requeue([from + 15], scene.at, scene.now())
  await scene.broker.jobs.remove([from + 10, from + 19])
  const middle = database.prepare('SELECT job, last FROM jobq_ends WHERE job BETWEEN ? AND ? ORDER BY job')
  assert.deepEqual(middle.raw().all(from + 10, from + 19), at([11, 14], [16, 18]))
})
