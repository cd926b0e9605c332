/**
 * Jobs that are enqueued, claimed and ended together, by the dozen. A broker may keep books of them together and hand
 * them out together; whatever happens to one of them must be as if each had been by itself. A broker that gives each job
 * a claim of its own is told of the end of each by itself.
 */
import assert from 'node:assert/strict'
import { oneByOne } from '../../../src/burst.ts'
import type { ClaimedJob, NewJob } from '../../../src/job.ts'
import { type Case, ends, lease, type Scene } from './scene.ts'

const addMany = async (scene: Scene, count: number, said: Partial<NewJob> = {}): Promise<number[]> =>
  (await scene.addAll(Array.from({ length: count }, () => said))).map(({ id }) => id)

const claimAll = async (
  scene: Scene,
  said: Parameters<Scene['claimInBursts']>[0] = {},
): Promise<readonly ClaimedJob[]> => oneByOne(await scene.claimInBursts(said))

const idsOf = (jobs: readonly { readonly id: number }[]): number[] => jobs.map(({ id }) => id)

/** The jobs without this one, and this one. */
const apart = (jobs: readonly ClaimedJob[], place: number): [others: ClaimedJob[], one: ClaimedJob] => {
  const one = jobs[place]
  assert.ok(one)
  return [jobs.filter((job) => job !== one), one]
}

const whole = ['job.queued', 'job.started', 'job.succeeded']

/** Checks that these jobs have succeeded in their only run, of which all is on record. */
const assertSucceeded = async (
  scene: Scene,
  ids: readonly number[],
  run: { readonly startedAt: number; readonly at: number; readonly worker?: string },
): Promise<void> => {
  const { startedAt, at, worker = 'w1' } = run
  for (const id of ids) {
    const job = await scene.get(id)
    assert.deepEqual(
      [job.state, job.attempt, job.worker, job.pid, job.startedAt, job.finishedAt, job.claimed, job.result, job.error],
      ['succeeded', 1, worker, 4711, startedAt, at, false, null, null],
    )
    const [queued, started, succeeded, ...more] = await scene.events(id)
    assert.deepEqual([queued?.type, started?.type, succeeded?.type, more], [...whole, []])
    assert.ok(started && succeeded && started.id < succeeded.id)
    const said = { job: id, task: job.task, queue: job.queue, worker, attempt: 1 }
    const { id: _start, ...start } = started
    const { id: _end, ...end } = succeeded
    assert.deepEqual(start, { type: 'job.started', at: startedAt, ...said, data: start.data })
    assert.deepEqual(end, { type: 'job.succeeded', at, ...said, data: { runtimeMs: at - startedAt } })
  }
}

/** What stands of a queue, shortly. */
const counts = async (scene: Scene, name = 'default') => {
  const { queued, running, succeeded, failed, cancelled } = await scene.queue(name)
  return { queued, running, succeeded, failed, cancelled }
}

const none = { queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0 }

/** Of every kind a few, in an order that mixes them: alike ones stand together and apart. */
const mixture = (scene: Scene): Partial<NewJob>[] => {
  const text = (length: number) => JSON.stringify('x'.repeat(length))
  const many = (count: number, said: Partial<NewJob> = {}): Partial<NewJob>[] =>
    Array.from({ length: count }, () => said)
  const trace = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }
  return [
    ...many(40),
    ...many(20, { task: 'other' }),
    ...many(20, { priority: 9 }),
    ...many(17, { retries: 3 }),
    ...many(15, { retries: 2 }),
    ...many(3, { options: { maxCrashes: 1 } }),
    ...many(18),
    ...many(2, { payload: { serializer: 'application/msgpack', text: 'gA==', binary: true } }),
    ...many(16),
    ...many(20, { payload: { serializer: 'json', text: text(4_000) } }),
    ...many(20, { payload: { serializer: 'json', text: '"ä\u2028\\n\\t"' } }),
    ...many(20, { payload: { serializer: 'json', text: '[\n1,\r\n2]\n' } }),
    ...many(1, { payload: { serializer: 'json', text: '\n{}' } }),
    ...many(17),
    ...many(20, { payload: { serializer: 'json', text: text(5_000) } }),
    ...many(16, { tags: ['a'], name: 'named', meta: { some: 'thing' } }),
    ...many(2, { meta: trace }),
    ...many(33),
    ...many(2, { expiresAt: scene.at + 1_000 }),
    ...many(19, { dueAt: scene.at - 5 }),
    ...many(19, { dueAt: scene.at + 1_000 }),
    ...many(2, { task: 'exec', payload: { serializer: 'json', text: '["true"]' } }),
  ]
}

export const burstCases: Case[] = [
  {
    name: 'jobs that are told of together have all started and succeeded, each on record',
    async run(scene) {
      const ids = await addMany(scene, 40)
      const jobs = await claimAll(scene)
      assert.deepEqual(idsOf(jobs), ids)
      assert.deepEqual(await counts(scene), { ...none, queued: 40 })
      const startedAt = scene.at
      scene.pass(3)
      assert.deepEqual(await scene.settle(...scene.succeeded(jobs, startedAt)), [])
      assert.deepEqual(await counts(scene), { ...none, succeeded: 40 })
      await assertSucceeded(scene, ids, { startedAt, at: scene.at })
      const left = await scene.broker.extend(jobs.map(lease), 1_000, scene.now())
      assert.ok(left.every((status) => status === 'lost'))
      assert.deepEqual(await claimAll(scene), [])
    },
  },
  {
    name: 'jobs are told of together in whatever order, in parts and with gaps between them',
    async run(scene) {
      const ids = await addMany(scene, 30)
      const jobs = await claimAll(scene)
      const part = (of: (place: number) => boolean) => jobs.filter((_, place) => of(place))
      const startedAt = scene.at
      await scene.settle(...scene.succeeded(part((place) => place % 3 === 1).toReversed()))
      await scene.settle(
        ...scene.succeeded(part((place) => place % 3 === 2)),
        ...scene.succeeded(part((place) => place % 3 === 0)),
      )
      await assertSucceeded(scene, ids, { startedAt, at: startedAt })
      assert.deepEqual(await counts(scene), { ...none, succeeded: 30 })
    },
  },
  {
    name: 'jobs that are told of together let those go that wait for them',
    async run(scene) {
      const ids = await addMany(scene, 20)
      const [middle, last] = [ids[10] ?? 0, ids[19] ?? 0]
      const [one, both, any] = idsOf(
        await scene.addAll([{ after: [middle] }, { after: [middle, last] }, { afterAny: [last] }]),
      )
      const jobs = await claimAll(scene)
      assert.deepEqual(idsOf(jobs), ids)
      await scene.settle(...scene.succeeded(jobs.slice(0, 15)))
      assert.deepEqual(await claimAll(scene).then(idsOf), [one])
      const late = await scene.addId({ after: [middle] })
      await scene.settle(...scene.succeeded(jobs.slice(15)))
      assert.deepEqual((await claimAll(scene).then(idsOf)).toSorted(), [both, any, late].toSorted())
    },
  },
  {
    name: 'jobs that are told of together a second time have ended once',
    async run(scene) {
      const ids = await addMany(scene, 20)
      const jobs = await claimAll(scene)
      const startedAt = scene.at
      const reports = scene.succeeded(jobs)
      await scene.settle(...reports)
      scene.pass(10)
      assert.deepEqual(await scene.settle(...reports), [])
      assert.deepEqual(await scene.settle(...scene.succeeded(jobs.slice(5, 9))), [])
      await assertSucceeded(scene, ids, { startedAt, at: startedAt })
      assert.deepEqual(await counts(scene), { ...none, succeeded: 20 })
    },
  },
  {
    name: 'a part of what was told of together is known already, the rest of it ends',
    async run(scene) {
      const ids = await addMany(scene, 20)
      const jobs = await claimAll(scene)
      const startedAt = scene.at
      await scene.settle(...scene.succeeded(jobs.slice(0, 7)))
      assert.deepEqual(await scene.settle(...scene.succeeded(jobs)), [])
      await assertSucceeded(scene, ids, { startedAt, at: startedAt })
      assert.deepEqual(await counts(scene), { ...none, succeeded: 20 })
    },
  },
  {
    name: 'one lost lease among those of jobs that are told of together is the only one lost',
    async run(scene) {
      await addMany(scene, 20)
      const jobs = await claimAll(scene, { leaseMs: 1_000 })
      const [others, gone] = apart(jobs, 8)
      scene.pass(900)
      await scene.broker.extend(others.map(lease), 1_000, scene.now())
      scene.pass(100)
      const present = await scene.claimOne({ worker: await scene.join('w2') })
      assert.deepEqual([present.id, present.recovered, present.crashes], [gone.id, true, 0])
      assert.deepEqual(await scene.settle(...scene.succeeded(jobs)), [lease(gone)])
      await assertSucceeded(scene, idsOf(others), { startedAt: scene.at, at: scene.at })
      assert.deepEqual(await counts(scene), { ...none, queued: 1, succeeded: 19 })
      assert.deepEqual(await scene.types(gone.id), ['job.queued', 'job.recovered', 'job.stale'])
      await scene.settle(...scene.succeeded([present]))
      assert.deepEqual(await scene.types(gone.id), ['job.queued', 'job.recovered', 'job.stale', ...whole.slice(1)])
      assert.equal((await scene.get(gone.id)).worker, 'w2')
    },
  },
  {
    name: 'a lost lease behind a gap among the jobs that are told of together leaves those before it their ends',
    async run(scene) {
      await addMany(scene, 20)
      const jobs = await claimAll(scene, { leaseMs: 1_000 })
      const gone = jobs[15]
      assert.ok(gone)
      const [others] = apart(jobs, 15)
      await scene.broker.extend(others.map(lease), 5_000, scene.now())
      scene.pass(1_000)
      await scene.claimOne({ worker: await scene.join('w2') })
      const told = jobs.filter((_, place) => place < 6 || place > 11)
      assert.deepEqual(await scene.settle(...scene.succeeded(told)), [lease(gone)])
      await assertSucceeded(scene, idsOf(told.filter((job) => job !== gone)), { startedAt: scene.at, at: scene.at })
      assert.deepEqual(await counts(scene), { ...none, queued: 7, succeeded: 13 })
    },
  },
  {
    name: 'what is told together of jobs that another worker has by now changes nothing, in whatever parts',
    async run(scene) {
      const ids = await addMany(scene, 20)
      const jobs = await claimAll(scene, { leaseMs: 1_000 })
      scene.pass(1_000)
      const present = await claimAll(scene, { worker: await scene.join('w2') })
      assert.deepEqual(idsOf(present), ids)
      for (const part of [jobs.slice(0, 5), jobs.slice(4, 9), jobs.slice(15), jobs]) {
        assert.deepEqual(idsOf(await scene.settle(...scene.succeeded(part))), idsOf(part))
      }
      assert.deepEqual(await counts(scene), { ...none, queued: 20 })
      assert.deepEqual(await scene.settle(...scene.succeeded(present)), [])
      assert.deepEqual(await counts(scene), { ...none, succeeded: 20 })
    },
  },
  {
    name: 'one that was cancelled in time is the only one lost of jobs that are told of together',
    async run(scene) {
      await addMany(scene, 20)
      const jobs = await claimAll(scene, { leaseMs: 1_000 })
      const [others, gone] = apart(jobs, 0)
      await scene.broker.cancel({ ids: [gone.id] }, 'Cancelled', scene.now())
      await scene.broker.extend(others.map(lease), 5_000, scene.now())
      scene.pass(1_000)
      assert.deepEqual(await scene.claim(), [])
      assert.deepEqual(await scene.settle(...scene.succeeded(jobs)), [lease(gone)])
      assert.deepEqual(await scene.types(gone.id), ['job.queued', 'job.cancelled', 'job.stale'])
      await assertSucceeded(scene, idsOf(others), { startedAt: scene.at, at: scene.at })
      assert.deepEqual(await counts(scene), { ...none, succeeded: 19, cancelled: 1 })
    },
  },
  {
    name: 'a job whose end was asked for may have succeeded with the others',
    async run(scene) {
      const ids = await addMany(scene, 20)
      const jobs = await claimAll(scene)
      const [others, asked] = apart(jobs, 19)
      assert.deepEqual(await scene.broker.cancel({ ids: [asked.id] }, 'Cancelled', scene.now()), ['cancelling'])
      assert.deepEqual(await scene.broker.extend(jobs.map(lease), 9_000, scene.now()), [
        ...others.map(() => 'held' as const),
        'cancelling',
      ])
      assert.deepEqual(await scene.settle(...scene.succeeded(jobs)), [])
      await assertSucceeded(scene, ids, { startedAt: scene.at, at: scene.at })
    },
  },
  {
    name: 'jobs that are told of together beside others that do otherwise',
    async run(scene) {
      await addMany(scene, 24)
      const jobs = await claimAll(scene)
      const [failing, back, running, told] = jobs.filter((_, place) => place % 6 === 5)
      assert.ok(failing && back && running && told)
      const odd = [failing, back, running, told]
      const rest = jobs.filter((job) => !odd.includes(job))
      const startedAt = scene.at
      await scene.settle(scene.started(told))
      scene.pass(1)
      const lost = await scene.settle(
        ...scene.succeeded(rest.slice(0, 9), startedAt),
        scene.finished(failing, ends.failed(), startedAt),
        scene.finished(back, ends.returned(scene.at), null),
        scene.started(running),
        scene.finished(told, ends.succeeded(), startedAt),
        ...scene.succeeded(rest.slice(9), startedAt),
      )
      assert.deepEqual(lost, [])
      await assertSucceeded(scene, idsOf([...rest, told]), { startedAt, at: scene.at })
      assert.deepEqual(await scene.states(...idsOf([failing, back, running])), ['failed', 'queued', 'running'])
      assert.deepEqual(await counts(scene), { queued: 1, running: 1, succeeded: 21, failed: 1, cancelled: 0 })
      assert.deepEqual(await claimAll(scene).then(idsOf), [back.id])
    },
  },
  {
    name: 'jobs that succeeded together run again, are deleted and are pruned each by itself',
    async run(scene) {
      const ids = await addMany(scene, 20)
      const startedAt = scene.at
      await scene.settle(...scene.succeeded(await claimAll(scene)))
      scene.pass(10)
      const [again, first, gone] = [ids[7] ?? 0, ids[0] ?? 0, ids[13] ?? 0]
      assert.deepEqual(await scene.broker.requeue([again, first], scene.at, scene.now()), ['requeued', 'requeued'])
      assert.deepEqual(await scene.broker.jobs.remove([gone]), [true])
      assert.deepEqual(await scene.broker.jobs.remove([gone, again]), [false, false])
      assert.deepEqual(await counts(scene), { ...none, queued: 2, succeeded: 17 })
      const untouched = ids.filter((id) => id !== again && id !== first && id !== gone)
      await assertSucceeded(scene, untouched, { startedAt, at: startedAt })
      assert.deepEqual(await scene.types(gone), whole)
      const [one, two] = await claimAll(scene)
      assert.ok(one && two)
      assert.deepEqual(
        [one, two].map(({ id, attempt, base, crashes }) => [id, attempt, base, crashes]),
        [
          [first, 2, 1, 0],
          [again, 2, 1, 0],
        ],
      )
      await scene.settle(scene.finished(two, ends.succeeded('7')), scene.finished(one, ends.succeeded()))
      for (const id of [first, again]) {
        assert.deepEqual(await scene.types(id), [...whole, 'job.requeued', 'job.started', 'job.succeeded'])
      }
      assert.deepEqual(await scene.broker.jobs.prune({ keep: 4 }), ids.filter((id) => id !== gone).slice(0, 15))
      assert.deepEqual(await counts(scene), { ...none, succeeded: 4 })
      await assertSucceeded(scene, ids.slice(-4), { startedAt, at: startedAt })
      assert.deepEqual(await scene.types(ids[3]), whole)
    },
  },
  {
    name: 'the events of jobs that succeeded together are pruned like others, and those left are found by their job',
    async run(scene) {
      const ids = await addMany(scene, 18)
      await scene.settle(...scene.succeeded(await claimAll(scene)))
      const [first, middle] = [ids[0] ?? 0, ids[9] ?? 0]
      const [, started] = await scene.events(middle)
      const newest = await scene.broker.events.last()
      await scene.broker.events.prune({ before: 0, keep: newest - (started?.id ?? 0), limit: 1_000 })
      assert.deepEqual(await scene.types(first), [])
      assert.deepEqual(await scene.types(middle), ['job.succeeded'])
      assert.deepEqual(await scene.types(ids[17]), whole.slice(1))
      assert.deepEqual(await scene.broker.jobs.remove([middle, first]), [true, true])
      assert.deepEqual(await scene.types(middle), ['job.succeeded'])
    },
  },
  {
    name: 'of jobs that are held together some are extended, the others run out',
    async run(scene) {
      const ids = await addMany(scene, 20)
      const jobs = await claimAll(scene, { leaseMs: 1_000 })
      const kept = jobs.filter((_, place) => (place > 3 && place < 9) || place === 15)
      scene.pass(500)
      assert.ok(
        (await scene.broker.extend(kept.map(lease).toReversed(), 1_000, scene.now())).every((each) => each === 'held'),
      )
      scene.pass(500)
      const again = await claimAll(scene, { worker: await scene.join('w2') })
      assert.deepEqual(
        idsOf(again),
        ids.filter((id) => !idsOf(kept).includes(id)),
      )
      assert.ok(again.every(({ recovered, attempt }) => recovered && attempt === 1))
      assert.deepEqual(await scene.settle(...scene.succeeded(kept)), [])
      await assertSucceeded(scene, idsOf(kept), { startedAt: scene.at, at: scene.at })
      assert.deepEqual(await counts(scene), { ...none, queued: 14, succeeded: 6 })
    },
  },
  {
    name: 'extend answers for each of the jobs that are held together, whatever else it is asked for',
    async run(scene) {
      await addMany(scene, 20)
      const jobs = await claimAll(scene)
      const [ended, asked] = [jobs[4], jobs[11]]
      assert.ok(ended && asked)
      await scene.settle(...scene.succeeded([ended]))
      await scene.broker.cancel({ ids: [asked.id] }, 'Cancelled', scene.now())
      const unknown = { id: 777_777, token: 1 }
      const stale = jobs.slice(0, 3).map(({ id, token }) => ({ id, token: token + 1_000 }))
      const leases = [...stale, ...jobs.map(lease), unknown, ...jobs.slice(2, 6).map(lease)]
      const wanted = (job: ClaimedJob) => (job === ended ? 'lost' : job === asked ? 'cancelling' : 'held')
      assert.deepEqual(await scene.broker.extend(leases, 1_000, scene.now()), [
        ...stale.map(() => 'lost'),
        ...jobs.map(wanted),
        'lost',
        ...jobs.slice(2, 6).map(wanted),
      ])
    },
  },
  {
    name: 'one of the jobs that are held together is cancelled by itself',
    async run(scene) {
      await addMany(scene, 20)
      const jobs = await claimAll(scene)
      const [others, asked] = apart(jobs, 10)
      await scene.broker.cancel({ ids: [asked.id] }, 'Cancelled', scene.now())
      assert.deepEqual(
        (await scene.broker.jobs.list({}, scene.now())).filter(({ cancelling }) => cancelling).map(({ id }) => id),
        [asked.id],
      )
      assert.deepEqual(await scene.settle(scene.finished(asked, ends.cancelled(), null)), [])
      await scene.settle(...scene.succeeded(others))
      assert.deepEqual(await counts(scene), { ...none, succeeded: 19, cancelled: 1 })
      assert.deepEqual(await scene.types(asked.id), ['job.queued', 'job.cancelled'])
    },
  },
  {
    name: 'a worker that leaves gives back all that it held together, and what it says of it later is lost',
    async run(scene) {
      const gone = await scene.join('gone')
      const ids = await addMany(scene, 20)
      const jobs = await claimAll(scene, { worker: gone })
      await scene.settle(...scene.succeeded(jobs.slice(0, 5)))
      await scene.broker.workers.leave(gone, scene.now())
      const again = await claimAll(scene)
      assert.deepEqual(idsOf(again), ids.slice(5))
      assert.deepEqual(idsOf(await scene.settle(...scene.succeeded(jobs))).toSorted(), ids.slice(5).toSorted())
      await scene.settle(...scene.succeeded(again))
      await assertSucceeded(scene, ids.slice(0, 5), { startedAt: scene.at, at: scene.at, worker: 'gone' })
      assert.deepEqual(await counts(scene), { ...none, succeeded: 20 })
    },
  },
  {
    name: 'jobs that may come in bursts are the same in the same order as each by itself',
    async run(scene) {
      for (const queue of ['bursts', 'single']) await scene.addAll(mixture(scene).map((job) => ({ ...job, queue })))
      const from = (name: string) => ({ queues: [{ name, weight: 1 }], order: 'strict' as const })
      const claim = async (limit: number) => {
        const bursts = await claimAll(scene, { ...from('bursts'), limit })
        const single = await scene.claim({ ...from('single'), limit })
        const plain = (jobs: readonly ClaimedJob[]) =>
          jobs.map(({ id: _id, token: _token, queue: _queue, ...job }) => job)
        assert.deepEqual(plain(bursts), plain(single))
        return [bursts, single]
      }
      const taken = []
      for (const limit of [5, 45, 100, 21]) taken.push(...(await claim(limit)))
      scene.pass(1_000)
      taken.push(...(await claim(500)))
      assert.deepEqual(await claim(500), [[], []])
      assert.equal(new Set(taken.flatMap(idsOf)).size, 2 * mixture(scene).length - 4)
    },
  },
]
