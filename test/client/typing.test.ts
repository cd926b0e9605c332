// What the compiler knows of payloads. The lines marked as errors are checked by `npm run check`: should one of them
// stop being an error, its mark becomes one.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { connect, defineTask, type Queue } from '../../src/index.ts'

const mail = defineTask({
  name: 'mail/send',
  input: z.object({ to: z.string(), copies: z.coerce.number().default(1) }),
  run: async (payload) => {
    const copies: number = payload.copies
    return { sent: copies }
  },
})
const resize = defineTask({ name: 'resize', run: async (payload: { path: string }) => payload.path })
const tidy = defineTask({ name: 'tidy', run: async () => null })

interface Tasks {
  'mail/send': typeof mail
  resize: { path: string }
  tidy: undefined
}

/** Never called: it is here for the compiler. */
export const typed = async (queue: Queue<Tasks>, untyped: Queue): Promise<void> => {
  await queue.enqueue(mail, { to: 'ann' })
  await queue.enqueue(mail, { to: 'ann', copies: 2 }, { delay: '5m' })
  await queue.enqueue('mail/send', { to: 'ann' })
  await queue.enqueue(resize, { path: 'a' })
  await queue.enqueue('resize', { path: 'a' }, { queue: 'media' })
  await queue.enqueue('tidy')
  await queue.enqueue(['true'], { cwd: '/' })
  await untyped.enqueue('anything')
  await untyped.enqueue('anything', { at: 'all' }, { priority: 9 })
  await untyped.enqueue(tidy, undefined)
  queue.enqueueSync('resize', { path: 'a' })
  await queue.enqueueMany([{ task: mail, payload: { to: 'ann' } }, { task: tidy, delay: '5m' }, { task: 'resize' }])

  // @ts-expect-error a payload is needed
  await queue.enqueue(mail)
  // @ts-expect-error its fields are known
  await queue.enqueue(mail, { too: 'ann' })
  // @ts-expect-error and their types
  await queue.enqueue(resize, { path: 7 })
  // @ts-expect-error also by name
  await queue.enqueue('resize', { path: 7 })
  // @ts-expect-error through a definition in the map
  await queue.enqueue('mail/send', { to: 7 })
  // @ts-expect-error a payload by name is needed as well
  await queue.enqueue('resize')
  // @ts-expect-error names that the map has not
  await queue.enqueue('resise', { path: 'a' })
  // @ts-expect-error an option that is none
  await queue.enqueue('tidy', undefined, { prioritty: 3 })
  // @ts-expect-error an option of commands only
  await queue.enqueue('tidy', undefined, { cwd: '/' })
  // @ts-expect-error the synchronous way knows as much
  queue.enqueueSync('resize', { path: 7 })
  // @ts-expect-error commands are texts
  await queue.enqueue([1, 2])
}

describe('a typed queue', () => {
  it('is the same at run time', async () => {
    const queue = await connect<Tasks>('memory:')
    const id = await queue.enqueue(mail, { to: 'ann' })
    assert.deepEqual((await queue.get(id))?.payload, { to: 'ann' })
    await queue.close()
  })
})
