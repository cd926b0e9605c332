// What is shown of stored values: nothing that printing would never come to the end of.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import v8 from 'node:v8'
import { Messages } from '../../src/envelope/messages.ts'
import { systemClock } from '../../src/index.ts'

const limits = { maxPayloadBytes: 1 << 20, maxResultBytes: 1 << 20, clock: systemClock }
const messages = new Messages({ ...limits, accept: ['v8'] })
const read = (value: unknown) =>
  messages.read(
    { serializer: 'application/x-v8', text: v8.serialize(value).toString('base64'), binary: true },
    { part: 'payload', job: 1, task: 't', queue: 'q' },
  )

it('a value that holds another in very many places is hidden, a cycle is not', () => {
  let value: unknown = null
  for (let level = 0; level < 60; level++) value = [value, value]
  assert.deepEqual(read(value), { hidden: 'it prints as more than the allowed 1M' })
  const cycle: unknown[] = []
  cycle.push(cycle, new Map([['a', 1]]), new Set([1]))
  assert.ok('value' in read(cycle))
})
