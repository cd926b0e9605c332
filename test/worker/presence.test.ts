import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryBroker } from '../../src/broker/memory/memory-broker.ts'
import { resolveOptions } from '../../src/worker/options.ts'
import { Presence } from '../../src/worker/presence.ts'

test('what a worker says last of itself stands, though the broker was busy when it said what went before', async (context) => {
  const broker = new MemoryBroker()
  context.after(() => broker.close())
  const free = Promise.withResolvers<void>()
  const beat = broker.workers.beat.bind(broker.workers)
  const write = context.mock.method(broker.workers, 'beat', async (...said: Parameters<typeof beat>) => {
    if (write.mock.callCount() === 0) await free.promise
    return beat(...said)
  })
  const presence = new Presence(broker, resolveOptions({ broker }))
  await presence.join()
  context.after(() => presence.leave())
  presence.show(() => ({ status: 'online', size: 1, busy: 0, processed: 0, children: [] }))
  const told = presence.showControl('/a/socket')
  free.resolve()
  await told
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal((await broker.workers.list())[0]?.control, '/a/socket')
})

test('a worker that cannot say what it does for a while says it once afterwards, and nothing once it has left', async (context) => {
  const broker = new MemoryBroker()
  context.after(() => broker.close())
  const free = Promise.withResolvers<void>()
  const said: number[] = []
  context.mock.method(broker.workers, 'beat', async (_session: number, { processed }: { processed: number }) => {
    said.push(processed)
    await free.promise
  })
  const presence = new Presence(broker, resolveOptions({ broker }))
  await presence.join()
  let processed = 0
  presence.show(() => ({ status: 'online', size: 1, busy: 0, processed, children: [] }))
  await new Promise((resolve) => setImmediate(resolve))
  const beats = [1, 2, 3].map((count) => {
    processed = count
    return presence.beat()
  })
  free.resolve()
  await Promise.all(beats)
  assert.deepEqual(said, [0, 3])
  const late = [presence.beat(), presence.leave()]
  await Promise.all(late)
  assert.deepEqual(said, [0, 3])
})
