import assert from 'node:assert/strict'
import { type Case, ends } from './scene.ts'

const signature = (key: string, job: number): string => `1 hmac-sha256 ${key} 5 ${job} nonce signature`

const signed = (key: string) =>
  ({
    payload: { serializer: 'application/vnd.msgpack', text: 'wA==', binary: true, compression: 'zstd' },
    sign: (owner: { readonly job: number }) => signature(key, owner.job),
  }) as const

export const storedCases: Case[] = [
  {
    name: 'stored gives a payload as it was added, with its signature, and whose it is',
    async run(scene) {
      const id = await scene.addId({ ...signed('k'), task: 't', queue: 'q' })
      const plain = await scene.addId()
      assert.deepEqual(await scene.broker.jobs.stored(id), {
        payload: { ...signed('k').payload, signature: signature('k', id) },
        owner: { part: 'payload', job: id, task: 't', queue: 'q' },
      })
      assert.deepEqual((await scene.broker.jobs.stored(plain))?.payload, { serializer: 'json', text: '{}' })
      assert.equal(await scene.broker.jobs.stored(plain + 1), null)
    },
  },
  {
    name: 'waitingSigned gives the signed payloads of jobs that wait, by id, in pages, by queue',
    async run(scene) {
      const first = await scene.addId({ ...signed('k'), priority: 9 })
      const held = await scene.claim()
      assert.deepEqual(
        held.map(({ id }) => id),
        [first],
      )
      const done = await scene.addId({ ...signed('k'), priority: 9 })
      await scene.runOne(ends.succeeded())
      const others = [{ hold: true }, { dueAt: scene.at + 5_000 }, { queue: 'q' }, {}].map((more) => ({
        ...signed('k'),
        ...more,
      }))
      const ids = (await scene.addAll([...others, {}])).map(({ id }) => id).slice(0, -1)
      const read = async (filter: object = {}): Promise<number[]> =>
        (await scene.broker.jobs.waitingSigned({ after: 0, limit: 10, ...filter })).map(({ owner }) => owner.job)
      assert.deepEqual(await read(), ids)
      assert.deepEqual(await read({ limit: 2 }), ids.slice(0, 2))
      assert.deepEqual(await read({ after: ids[1] }), ids.slice(2))
      assert.deepEqual(await read({ queue: 'q' }), [ids[2]])
      assert.deepEqual(await read({ queue: 'none' }), [])
      assert.ok(done > first)
    },
  },
  {
    name: 'resign replaces a signature of a job that still waits with the old one, and nothing else',
    async run(scene) {
      const [held, waiting, changed] = (
        await scene.addAll([{ ...signed('k'), priority: 9 }, signed('k'), signed('k')])
      ).map(({ id }) => id)
      assert.ok(held !== undefined && waiting !== undefined && changed !== undefined)
      const [claimed] = await scene.claim({ limit: 1 })
      assert.equal(claimed?.id, held)
      const change = (job: number, from = 'k') => ({ job, from: signature(from, job), to: signature('next', job) })
      const answers = await scene.broker.jobs.resign([
        change(held),
        change(waiting),
        change(changed, 'other'),
        change(99),
      ])
      assert.deepEqual(answers, [false, true, false, false])
      assert.deepEqual((await scene.get(waiting)).signedBy, 'next')
      assert.deepEqual((await scene.get(changed)).signedBy, 'k')
      const before = signed('k').payload
      const jobs = await scene.claim()
      assert.deepEqual(
        jobs.map(({ id, payload }) => [id, payload]),
        [
          [waiting, { ...before, signature: signature('next', waiting) }],
          [changed, { ...before, signature: signature('k', changed) }],
        ],
      )
      if (claimed !== undefined) await scene.settle(scene.finished(claimed, ends.succeeded()))
      assert.deepEqual(await scene.broker.jobs.resign([change(held)]), [false])
    },
  },
  {
    name: 'dropResults forgets results by age and leaves the jobs',
    async run(scene) {
      const ids = (await scene.addAll([{}, {}, {}, {}])).map(({ id }) => id)
      await scene.runOne(ends.succeeded('"one"'))
      await scene.runOne({
        ...ends.succeeded(),
        result: { serializer: 'application/x-unknown', text: 'wA==', binary: true },
      })
      scene.pass(1_000)
      const before = scene.at
      await scene.runOne(ends.succeeded('"three"'))
      const held = await scene.claimOne()
      const results = () =>
        Promise.all(
          ids.map(async (id) => {
            const { result, hidden } = await scene.get(id)
            return hidden.result === undefined ? result : 'hidden'
          }),
        )
      const drop = (after: number, limit: number) =>
        scene.broker.jobs.dropResults({ finishedBefore: before, after, limit })
      assert.deepEqual(await results(), ['one', 'hidden', 'three', null])
      assert.equal(await drop(0, 1), ids[0])
      assert.deepEqual(await results(), [null, 'hidden', 'three', null])
      assert.equal(await drop(ids[0] ?? 0, 10), ids[3])
      assert.equal(await drop(ids[3] ?? 0, 10), null)
      assert.deepEqual(await results(), [null, null, 'three', null])
      assert.deepEqual(await scene.states(...ids), ['succeeded', 'succeeded', 'succeeded', 'queued'])
      await scene.settle(scene.finished(held, ends.succeeded('"four"')))
      assert.deepEqual((await results())[3], 'four')
    },
  },
]
