// Rows that stand for the start and the success of a run are two events to whoever reads, wherever a page begins or ends.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { SqliteDatabase } from '../../src/broker/sqlite/native.ts'
import type { EventType, JobqEvent } from '../../src/event.ts'
import { ends, type Scene } from './conformance/scene.ts'
import { openSqliteScene } from './sqlite-scene.ts'

/** A log of 5 jobs added, 3 that ended together after 20 ms, one that failed, and one that ended by itself. */
const openLog = async (context: TestContext): Promise<{ scene: Scene; database: SqliteDatabase }> => {
  const { scene, database } = openSqliteScene(context)
  await scene.addAll(Array(5).fill({}))
  const [a, b, c, failing, alone] = await scene.claim({ limit: 5 })
  assert.ok(a && b && c && failing && alone)
  const { at } = scene.now()
  const { token, task, queue } = a
  const ids = [a, b, c].map(({ id }) => id)
  await scene.settle({ kind: 'succeeded', ids, token, task, queue, startedAt: at, at: at + 20, pid: 7 })
  await scene.settle(scene.finished(failing, ends.failed()))
  await scene.settle({
    kind: 'succeeded',
    ids: [alone.id],
    token,
    task,
    queue,
    startedAt: at + 30,
    at: at + 30,
    pid: 7,
  })
  assert.equal(database.prepare('SELECT count(*) FROM jobq_events WHERE type < 0').pluck().get(), 4)
  return { scene, database }
}

const readAll = async (
  { broker }: Scene,
  how: { readonly limit: number; readonly after?: number; readonly types?: ReadonlySet<EventType> },
): Promise<JobqEvent[]> => {
  const events: JobqEvent[] = []
  for (let after = how.after ?? 0; ; ) {
    const page = await broker.events.read({ ...how, after })
    assert.ok(page.events.length <= how.limit)
    events.push(...page.events)
    if (page.cursor === after) return events
    after = page.cursor
  }
}

const viewed = (database: SqliteDatabase): unknown[] =>
  database.prepare('SELECT id, at, type, job FROM event_view ORDER BY id').raw().all()

test('pages of any size, from anywhere, have each event once', async (context) => {
  const { scene, database } = await openLog(context)
  const whole = await readAll(scene, { limit: 1_000 })
  assert.deepEqual(
    whole.map(({ id }) => id),
    Array.from({ length: whole.length }, (_, index) => index + 1),
  )
  assert.deepEqual(
    viewed(database),
    whole.map(({ id, at, type, job }) => [id, at, type, job]),
  )
  const filters = [
    undefined,
    ['job.started'],
    ['job.succeeded'],
    ['job.started', 'job.failed'],
    ['job.queued'],
  ] as const
  for (const filter of filters) {
    const types = filter && new Set<EventType>(filter)
    for (let after = 0; after <= whole.length; after += 1) {
      const wanted = whole.filter(({ id, type }) => id > after && (types?.has(type) ?? true))
      for (let limit = 1; limit <= 6; limit += 1) {
        assert.deepEqual(await readAll(scene, { limit, after, ...(types && { types }) }), wanted)
      }
    }
  }
})

test('an instant within a run has its success behind it, and its start before', async (context) => {
  const { scene } = await openLog(context)
  const whole = await readAll(scene, { limit: 1_000 })
  for (const at of [...new Set(whole.map((event) => event.at))].flatMap((each) => [each - 1, each, each + 1])) {
    const cursor = await scene.broker.events.cursorAt(at)
    const missed = whole.filter((event) => event.at >= at && event.id <= cursor)
    assert.deepEqual(missed, [], `at ${at}`)
  }
})

test('a log that is pruned within a run keeps its success', async (context) => {
  const { scene, database } = await openLog(context)
  const whole = await readAll(scene, { limit: 1_000 })
  const first = whole.find(({ type }) => type === 'job.started')?.id ?? 0
  let left = whole
  for (let upTo = first - 1; upTo <= whole.length - 1; upTo += 1) {
    await scene.broker.events.prune({ before: 0, keep: whole.length - upTo, limit: 1_000 })
    left = whole.filter(({ id }) => id > upTo)
    const { events, pruned } = await scene.broker.events.read({ after: 0, limit: 1_000 })
    assert.deepEqual(events, left)
    assert.deepEqual(pruned, { type: 'events.pruned', from: 1, to: upTo })
  }
  assert.equal(database.pragma('integrity_check', { simple: true }), 'ok')
})
