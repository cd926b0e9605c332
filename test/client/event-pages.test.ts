import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventLog } from '../../src/broker/broker.ts'
import { MemoryBroker } from '../../src/broker/memory/memory-broker.ts'
import { eventPages } from '../../src/client/event-pages.ts'
import { JobqError } from '../../src/errors.ts'

const filter = { limit: 3 }

/** A log whose reads fail as long as `reason` gives one. */
const failing = (log: EventLog, reason: () => string | null): EventLog => {
  const check = (): void => {
    const message = reason()
    if (message !== null) throw new JobqError('unavailable', message)
  }
  return {
    append: (events) => log.append(events),
    cursorAt: (at) => log.cursorAt(at),
    prune: (options) => log.prune(options),
    last: async () => {
      check()
      return log.last()
    },
    read: async (filter) => {
      check()
      return log.read(filter)
    },
  }
}

const append = (log: EventLog, count: number): Promise<void> =>
  log.append(Array.from({ length: count }, () => ({ type: 'queue.paused', at: 1, queue: 'q' })))

test('a reader that does not follow ends with what was there when it began', async () => {
  const { events } = new MemoryBroker()
  await append(events, 7)
  const seen: number[] = []
  for await (const stretch of eventPages(events, filter, { after: 2, follow: false })) {
    await append(events, 5)
    seen.push(stretch.cursor)
  }
  assert.deepEqual(seen, [5, 8])
})

test('a follower that is told to finish still reads what is there', async () => {
  const { events } = new MemoryBroker()
  await append(events, 5)
  const finish = new AbortController()
  const seen: number[] = []
  for await (const { cursor } of eventPages(events, filter, { after: 0, follow: true, finish: finish.signal })) {
    finish.abort()
    seen.push(cursor)
  }
  assert.deepEqual(seen, [3, 5])
})

test('a follower goes on when a broker that was away is back, and says both once', async () => {
  const { events } = new MemoryBroker()
  await append(events, 2)
  const said: (string | null)[] = []
  const seen: number[] = []
  let away = 0
  const log = failing(events, () => (away > 0 && away-- > 0 ? 'locked' : null))
  const finish = new AbortController()
  const onAway = (reason: string | null): void => void said.push(reason)
  const reading = { after: 0, follow: true, finish: finish.signal, pollMs: 1, onAway }
  for await (const stretch of eventPages(log, filter, reading)) {
    seen.push(...stretch.events.map((event) => ('id' in event ? event.id : Number.NaN)))
    if (stretch.cursor === 2) {
      away = 4
      await append(events, 4)
    } else if (stretch.cursor === 6) finish.abort()
  }
  assert.deepEqual(seen, [1, 2, 3, 4, 5, 6])
  assert.deepEqual(said, ['locked', null])
})

test('what is away when nobody follows is an error', async () => {
  const log = failing(new MemoryBroker().events, () => 'locked')
  const pages = eventPages(log, filter, { after: 0, follow: false })
  await assert.rejects(pages.next(), { code: 'unavailable', message: 'locked' })
})

test('a reader of a long log keeps nobody else from the thread', async () => {
  const { events } = new MemoryBroker()
  await append(events, 9)
  const seen: number[] = []
  let seenByOthers: readonly number[] = []
  for await (const { cursor } of eventPages(events, filter, { after: 0, follow: false })) {
    if (seen.length === 0) setImmediate(() => (seenByOthers = [...seen]))
    seen.push(cursor)
  }
  assert.deepEqual([seen, seenByOthers], [[3, 6, 9], [3]])
})
