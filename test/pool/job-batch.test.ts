import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { packJobs, unpackJobs } from '../../src/pool/job-batch.ts'
import type { JobTuple } from '../../src/pool/protocol.ts'

const few = <T>(...values: T[]) => fc.constantFrom(...values)
const unnumbered = fc.record({
  id: fc.nat(),
  token: few(1, 2),
  attempt: few(1, 2),
  task: few('a', 'b'),
  queue: few('x', 'y'),
  createdAt: fc.nat(),
  serializer: few<JobTuple[7]>('json', { serializer: 'application/msgpack', binary: true, compression: 'zstd' }),
  payload: fc.string(),
  announce: fc.boolean(),
  limited: fc.boolean(),
})

test('jobs come out of their batches as they went in', () => {
  fc.assert(
    fc.property(fc.array(unnumbered, { maxLength: 30 }), fc.nat(), (jobs, from) => {
      const tuples = jobs.map((job, index): JobTuple => {
        const { id, token, attempt, task, queue, createdAt, serializer, payload, announce } = job
        const tuple = [from + index, id, token, attempt, task, queue, createdAt, serializer, payload, announce] as const
        return job.limited ? [...tuple, true] : tuple
      })
      assert.deepEqual(unpackJobs(JSON.parse(JSON.stringify(packJobs(tuples)))), tuples)
    }),
  )
})

test('what jobs share is said once', () => {
  const alike = [1, 2, 3].map((seq): JobTuple => [seq, seq * 10, 5, 1, 'a', 'x', 7, 'json', '{}', false])
  assert.equal(packJobs(alike).length, 1)
})
