// Every bit of all that is stored of a signed job, changed on its way to a worker: none of it is unlocked.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { describe, it } from 'node:test'
import { MemoryBroker } from '../../src/broker/memory/memory-broker.ts'
import { newKey } from '../../src/envelope/keys/new-key.ts'
import { type MessageOptions, Messages } from '../../src/envelope/messages.ts'
import { Rejected } from '../../src/envelope/rejected.ts'
import { Queue, systemClock } from '../../src/index.ts'
import type { ClaimedJob } from '../../src/job.ts'
import { unlockJob } from '../../src/worker/job-locks.ts'
import { KeyringScene } from '../envelope/keys/scenery.ts'
import { flipped } from '../support/flipped.ts'

const scene = new KeyringScene()
for (const type of ['hmac', 'ed25519'] as const) scene.keyring.add(await newKey(type, type, { now: 0 }))
const keyFile = scene.file('cipher')
fs.writeFileSync(keyFile, Buffer.alloc(32, 7), { mode: 0o600 })

const limits = { maxPayloadBytes: 1 << 20, maxResultBytes: 1 << 20, clock: systemClock }

const messagesWith = (more: Partial<MessageOptions>): Messages =>
  new Messages({ ...limits, keys: { folder: scene.keyring.folder }, ...more })

/** A job as a worker gets it. */
const claimed = async (messages: Messages, options: object): Promise<ClaimedJob> => {
  const broker = new MemoryBroker()
  const queue = new Queue(broker, { messages })
  await queue.enqueue('pay', { to: 'ann', note: 'x'.repeat(1_500) }, options)
  const now = systemClock.now()
  const process = { host: 'here', pid: 1, boot: 'b', startTime: null }
  const worker = await broker.workers.join({ name: 'w', process, queues: null }, now)
  const [job] = await broker.claim({ queues: null, order: 'weighted', limit: 1, worker, leaseMs: 1_000 }, now)
  assert.ok(job)
  return job
}

/** The job with one bit of one of its parts changed, for each bit and each part. */
function* forgeries(job: ClaimedJob): Generator<ClaimedJob> {
  const { payload, task, queue, id } = job
  const { text, binary, signature = '', serializer, compression, encryption } = payload
  for (const bytes of flipped(Buffer.from(text, binary ? 'base64' : 'utf8'))) {
    yield { ...job, payload: { ...payload, text: bytes.toString(binary ? 'base64' : 'latin1') } }
  }
  const texts = { signature, serializer, ...(compression && { compression }), ...(encryption && { encryption }) }
  for (const [name, value] of Object.entries(texts)) {
    for (const bytes of flipped(Buffer.from(value))) {
      yield { ...job, payload: { ...payload, [name]: bytes.toString('latin1') } }
    }
  }
  for (const bytes of flipped(Buffer.from(task))) yield { ...job, task: bytes.toString('latin1') }
  for (const bytes of flipped(Buffer.from(queue))) yield { ...job, queue: bytes.toString('latin1') }
  for (let bit = 0; bit < 31; bit++) yield { ...job, id: id ^ (1 << bit) }
}

const forms: Readonly<Record<string, readonly [Partial<MessageOptions>, options: object]>> = {
  'plain JSON': [{}, { sign: 'hmac' }],
  'compressed MessagePack': [{}, { sign: 'hmac', serializer: 'msgpack', compress: 'zstd' }],
  'encrypted and compressed YAML': [{ keyFile }, { sign: 'ed25519', serializer: 'yaml', compress: 'gzip' }],
}

describe('a signed job', () => {
  for (const [form, [settings, options]] of Object.entries(forms)) {
    it(`in ${form} is not unlocked with any bit changed`, async () => {
      const messages = messagesWith({ ...settings, requireSigned: true })
      const job = await claimed(messages, options)
      assert.ok(!(unlockJob(messages, job) instanceof Rejected))
      let count = 0
      for (const forged of forgeries(job)) {
        const unlocked = unlockJob(messages, forged)
        assert.ok(unlocked instanceof Rejected, JSON.stringify(forged).slice(0, 500))
        count += 1
      }
      assert.ok(count > 1_000, String(count))
    })
  }
})
