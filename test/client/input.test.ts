// Payloads are checked by the definition of their task, where it is known, before anything is written.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { connect, defineTask, type PayloadSchema } from '../../src/index.ts'
import { newFile, onEachBroker } from './brokers.ts'

const mail = defineTask({
  name: 'mail/send',
  serializer: 'msgpack',
  unique: ({ to }) => to[0] ?? '',
  input: z.object({ to: z.array(z.email()), copies: z.coerce.number().default(1) }),
  run: () => null,
})

/** Knows only later whether a number is even. */
const even: PayloadSchema<number> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: async (value) => {
      await new Promise((resolve) => setImmediate(resolve))
      return value === 7 ? { issues: [{ message: 'odd' }] } : { value: Number(value) }
    },
  },
}
const slow = defineTask({ name: 'slow', input: even, run: () => null })
const throwing = defineTask({
  name: 'throwing',
  input: {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: () => {
        throw new RangeError('the validator is broken')
      },
    },
  },
  run: () => null,
})

onEachBroker((broker, withQueue) => {
  describe(`input on ${broker}`, () => {
    it('is checked before a job is added; the error names the place', () =>
      withQueue(async (queue) => {
        await assert.rejects(queue.enqueue(mail, { to: ['ann@example.org', 'ben'] }), {
          code: 'usage',
          message: /^payload: \$\.to\[1\]: /,
        })
        await assert.rejects(queue.enqueue(slow, 7), { code: 'usage', message: 'payload: $: odd' })
        await assert.rejects(queue.enqueue(throwing, 7), RangeError)
        assert.deepEqual(await queue.list(), [])
        const id = await queue.enqueue(mail, { to: ['ann@example.org'] })
        const job = await queue.get(id)
        // What was given is kept: the task's own check makes of it what it wants.
        assert.deepEqual(
          [job?.payload, job?.serializer, job?.unique],
          [{ to: ['ann@example.org'] }, 'msgpack', 'mail/send:ann@example.org'],
        )
        await queue.enqueue(slow, 8)
      }))

    it('is checked in bulks, all or none', () =>
      withQueue(async (queue) => {
        const good = { task: mail, payload: { to: ['ann@example.org'] }, priority: 7 }
        await assert.rejects(queue.enqueueMany([good, { task: slow, payload: 8 }, { task: slow, payload: 7 }]), {
          code: 'usage',
          message: 'job 3 of 3: payload: $: odd',
        })
        assert.deepEqual(await queue.list(), [])
        const ids = await queue.enqueueMany([good, { task: 'by-name', payload: 1 }, { argv: ['true'] }])
        const jobs = await Promise.all(ids.map((id) => queue.get(id)))
        assert.deepEqual(
          jobs.map((job) => [job?.task, job?.priority, job?.serializer]),
          [
            ['mail/send', 7, 'msgpack'],
            ['by-name', 5, 'json'],
            ['exec', 5, 'json'],
          ],
        )
        await assert.rejects(queue.enqueueMany([{ ...good, task: { ...mail, name: 'a b' } }]), { code: 'usage' })
      }))
  })
})

it('is checked at once by enqueueSync, which refuses a validator that takes its time', async () => {
  const queue = await connect(newFile())
  try {
    assert.throws(() => queue.enqueueSync(mail, { to: ['ben'] }), { code: 'usage', message: /\$\.to\[0\]/ })
    assert.throws(() => queue.enqueueSync(slow, 8), { code: 'usage', message: /asynchronously: add it by enqueue/ })
    assert.deepEqual(await queue.list(), [])
    assert.equal((await queue.get(queue.enqueueSync(mail, { to: ['ann@example.org'] })))?.task, 'mail/send')
  } finally {
    await queue.close()
  }
})
