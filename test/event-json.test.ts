import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JobqEvent } from '../src/event.ts'
import { eventJson } from '../src/event-json.ts'

const event: JobqEvent = {
  id: 9,
  at: Date.UTC(2030, 0, 31, 12, 0, 0, 5),
  type: 'job.retried',
  job: 4,
  task: 'mail/send',
  queue: 'mail',
  worker: 'web-1:42',
  attempt: 1,
  data: { dueAt: Date.UTC(2030, 0, 31, 13), runtimeMs: 12 },
}

test('an event has its fields in order, what its type adds behind them, and instants as text', () => {
  assert.equal(
    JSON.stringify(eventJson(event)),
    '{"id":9,"at":"2030-01-31T12:00:00.005Z","type":"job.retried","job":4,"task":"mail/send","queue":"mail",' +
      '"worker":"web-1:42","attempt":1,"dueAt":"2030-01-31T13:00:00.000Z","runtimeMs":12}',
  )
})

test('what a type adds cannot hide what an event is', () => {
  assert.equal(eventJson({ ...event, data: { type: 'else', id: 0 } }).type, 'job.retried')
  assert.equal(eventJson({ ...event, data: { type: 'else', id: 0 } }).id, 9)
})

test('a gap is told by its ends', () => {
  assert.deepEqual(eventJson({ type: 'events.pruned', from: 1, to: 7 }), { type: 'events.pruned', from: 1, to: 7 })
})
