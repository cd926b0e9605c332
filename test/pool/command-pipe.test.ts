import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CommandReader, encodeCommand } from '../../src/pool/command-pipe.ts'
import { BatchBuilder, type JobBatch, type SentBatch } from '../../src/pool/job-batch.ts'
import type { RunJob } from '../../src/pool/pool.ts'
import type { Command } from '../../src/pool/protocol.ts'

const few = <T>(...values: T[]) => fc.constantFrom(...values)
const jobs = fc.array(
  fc.record({
    id: fc.nat(),
    token: few(1, 2),
    attempt: few(1, 2),
    task: few('a', 'b'),
    queue: few('x', 'y'),
    createdAt: few(5, 6, 7),
    payload: fc.oneof(
      fc.string({ unit: few('a', '"', '\n', 'ß', '\u2028', '\\') }).map((text) => ({ serializer: 'json', text })),
      few({ serializer: 'application/msgpack', text: 'gA==', binary: true as const, compression: 'zstd' }),
    ),
    recovered: fc.constant(false),
    announce: fc.boolean(),
    limited: fc.boolean(),
  }),
  { maxLength: 30 },
)

const built = (
  given: readonly (RunJob & { readonly announce: boolean; readonly limited: boolean })[],
  from: number,
) => {
  const builder = new BatchBuilder()
  for (const [index, { announce, limited, ...job }] of given.entries())
    builder.add(job, from + index, { announce, limited })
  return builder.batches
}

/** As a burst sends it, if none of its texts has a newline. */
const joined = (batch: SentBatch): SentBatch => {
  const texts = [batch.texts].flat()
  return texts.some((text) => text.includes('\n')) ? batch : { ...batch, texts: texts.join('\n') }
}

/** What comes out of the pipe when it arrives in pieces of this size. */
const through = (commands: readonly Command<SentBatch>[], size: number): Command[] => {
  const data = Buffer.concat(commands.map(encodeCommand))
  const reader = new CommandReader()
  const read: Command[] = []
  for (let at = 0; at < data.length; at += size) read.push(...reader.push(data.subarray(at, at + size)))
  return read
}

const runsOf = (commands: readonly Command[]): JobBatch[] =>
  commands.flatMap((command) => (command.type === 'run' ? command.jobs : []))

test('jobs come out of the pipe as they went in, whatever pieces it is cut into', () => {
  fc.assert(
    fc.property(fc.array(jobs), fc.nat(), fc.integer({ min: 1, max: 200 }), (runs, from, size) => {
      const batches = runs.map((given) => built(given, from))
      const sent = batches.flatMap((each): Command<SentBatch>[] => [
        { type: 'run', jobs: each },
        { type: 'end', seq: from, cause: 'cancelled' },
        { type: 'run', jobs: each.map(joined) },
      ])
      const read = through(sent, size)
      assert.deepEqual(
        read.map(({ type }) => type),
        sent.map(({ type }) => type),
      )
      assert.deepEqual(
        runsOf(read),
        batches.flatMap((each) => [...each, ...each]),
      )
      assert.deepEqual(
        batches.flat().flatMap(({ texts }) => texts),
        runs.flat().map(({ payload }) => payload.text),
      )
    }),
  )
})

test('what jobs share is said once', () => {
  const alike = [1, 2, 3].map((id) => ({
    id,
    token: 5,
    attempt: 1,
    task: 'a',
    queue: 'x',
    createdAt: 7,
    payload: { serializer: 'json', text: '{}' },
    recovered: false,
    announce: false,
    limited: false,
  }))
  assert.equal(built(alike, 1).length, 1)
})
