import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { defineTask, isTaskDefinition, type TaskDefinition } from '../../src/task.ts'

test('a schema types the payload that run gets and that may be enqueued', () => {
  const definition = defineTask({
    input: z.object({ path: z.string(), size: z.string().transform(Number) }),
    unique: (payload) => payload.path,
    run: (payload) => payload.size * 2,
  })
  const typed: TaskDefinition<{ path: string; size: string }, { path: string; size: number }, number> = definition
  assert.ok(isTaskDefinition(typed))
})

test('without a schema the annotation of run types the payload', async () => {
  const definition = defineTask({ retries: 2, run: async (payload: { to: string }, job) => `${job.id} ${payload.to}` })
  const typed: TaskDefinition<{ to: string }, { to: string }, string> = definition
  assert.equal(typed.retries, 2)
})

test('what is no definition is not taken for one', () => {
  for (const value of [null, undefined, 1, () => 1, { run: () => 1 }]) assert.equal(isTaskDefinition(value), false)
})
