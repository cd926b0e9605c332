import assert from 'node:assert/strict'
import type { JobState } from '../../../src/job.ts'
import type { Transition } from '../../../src/outcome.ts'
import { type Case, ends, lease } from './scene.ts'

export const settleCases: Case[] = [
  {
    name: 'progress that was told before the start is over with the run',
    async run(scene) {
      const id = await scene.addId()
      const job = await scene.claimOne()
      await scene.settle(scene.progress(job, 0.5, 'half'))
      await scene.settle(scene.finished(job, ends.succeeded()))
      assert.equal((await scene.get(id)).progress, null)
    },
  },
  {
    name: 'a reported start makes a job running',
    async run(scene) {
      const id = await scene.addId()
      const job = await scene.claimOne()
      scene.pass(5)
      assert.deepEqual(await scene.settle(scene.started(job, 77)), [])
      const { state, claimed, attempt, startedAt, pid, worker, label } = await scene.get(id)
      assert.deepEqual(
        [state, claimed, attempt, startedAt, pid, worker, label],
        ['running', false, 1, scene.at, 77, 'w1', null],
      )
      const event = await scene.lastEvent(id)
      assert.deepEqual([event.type, event.at, event.worker, event.attempt], ['job.started', scene.at, 'w1', 1])
    },
  },
  {
    name: 'a start that is told twice is one start',
    async run(scene) {
      const id = await scene.addId()
      const job = await scene.claimOne()
      await scene.settle(scene.started(job))
      const { at } = scene
      scene.pass(7)
      await scene.settle(scene.started(job))
      assert.equal((await scene.get(id)).startedAt, at)
      await scene.settle(scene.finished(job, ends.succeeded(), at))
      assert.deepEqual(await scene.types(id), ['job.queued', 'job.started', 'job.succeeded'])
    },
  },
  {
    name: 'a start that was not told is logged with the end',
    async run(scene) {
      const id = await scene.addId()
      const job = await scene.claimOne()
      const startedAt = scene.at
      scene.pass(30)
      await scene.settle(scene.finished(job, ends.succeeded('{"ok":true}'), startedAt))
      const [, started, succeeded] = await scene.events(id)
      assert.deepEqual([started?.type, started?.at, started?.attempt], ['job.started', startedAt, 1])
      assert.deepEqual(
        [succeeded?.type, succeeded?.at, succeeded?.data],
        ['job.succeeded', scene.at, { runtimeMs: 30 }],
      )
      const { state, result, attempt, startedAt: shown, finishedAt, error } = await scene.get(id)
      assert.deepEqual(
        [state, result, attempt, shown, finishedAt, error],
        ['succeeded', { ok: true }, 1, startedAt, scene.at, null],
      )
    },
  },
  {
    name: 'a start that is told together with the end is one start',
    async run(scene) {
      await scene.addAll([{}, {}])
      const jobs = await scene.claim()
      const [one, two] = jobs
      assert.ok(one && two)
      const end = ends.succeeded()
      await scene.settle(scene.started(one), scene.finished(one, end), scene.finished(two, end))
      for (const { id } of jobs) assert.deepEqual(await scene.types(id), ['job.queued', 'job.started', 'job.succeeded'])
    },
  },
  {
    name: 'progress is kept, logged and starts over with each run',
    async run(scene) {
      const id = await scene.addId()
      const job = await scene.claimOne()
      await scene.settle(scene.started(job), scene.progress(job, 0.25), scene.progress(job, 0.5, 'half'))
      assert.deepEqual((await scene.get(id)).progress, { fraction: 0.5, text: 'half' })
      assert.deepEqual((await scene.lastEvent(id)).data, { fraction: 0.5, text: 'half' })
      await scene.settle(scene.finished(job, ends.retried(scene.at)))
      await scene.settle(scene.started(await scene.claimOne()))
      assert.equal((await scene.get(id)).progress, null)
    },
  },
  {
    name: 'a failure keeps its error, exit code and signal',
    async run(scene) {
      const id = await scene.addId()
      const error = { type: 'TypeError', message: 'no', stack: 'TypeError: no\n  at x' }
      await scene.runOne({ ...ends.failed(), error, exitCode: null, signal: 'SIGKILL' })
      const job = await scene.get(id)
      assert.deepEqual([job.state, job.error, job.exitCode, job.signal], ['failed', error, null, 'SIGKILL'])
      const { type, data } = await scene.lastEvent(id)
      assert.equal(type, 'job.failed')
      assert.deepEqual(data.error, { type: 'TypeError', message: 'no' })
    },
  },
  {
    name: 'what cut a run is in the event',
    async run(scene) {
      const id = await scene.addId()
      const cut = { to: 'queued', event: 'job.recovered', spent: false, crashed: false, dueAt: scene.at } as const
      await scene.runOne({ ...cut, cause: 'shutdown' })
      const { type, data } = await scene.lastEvent(id)
      assert.deepEqual([type, data.cause, data.started], ['job.recovered', 'shutdown', true])
    },
  },
  {
    name: 'a failed attempt with retries left waits for its next one',
    async run(scene) {
      const id = await scene.addId({ retries: 3 })
      const dueAt = scene.at + 2000
      await scene.runOne(ends.retried(dueAt, 'first'))
      const job = await scene.get(id)
      assert.deepEqual(
        [job.state, job.label, job.attempt, job.maxAttempts, job.dueAt],
        ['queued', 'retrying', 1, 4, dueAt],
      )
      assert.deepEqual([job.error?.message, job.exitCode, job.finishedAt], ['first', 1, null])
      const { type, data, attempt } = await scene.lastEvent(id)
      assert.deepEqual(
        [type, attempt, data.dueAt, data.error],
        ['job.retried', 1, dueAt, { type: 'Error', message: 'first' }],
      )
      assert.deepEqual(await scene.claim(), [])
      scene.pass(2000)
      const next = await scene.claimOne()
      assert.deepEqual([next.attempt, next.base], [2, 0])
    },
  },
  {
    name: 'the number of retries that a failure was decided by is kept',
    async run(scene) {
      const id = await scene.addId()
      assert.equal((await scene.get(id)).maxAttempts, 1)
      await scene.runOne(ends.retried(scene.at))
      assert.equal((await scene.get(id)).maxAttempts, 4)
    },
  },
  {
    name: 'a success clears what an earlier attempt left',
    async run(scene) {
      const id = await scene.addId()
      const failing = await scene.claimOne()
      await scene.settle(
        scene.started(failing),
        scene.progress(failing, 0.9),
        scene.finished(failing, ends.retried(scene.at)),
      )
      await scene.runOne(ends.succeeded())
      const { state, error, exitCode, progress, attempt } = await scene.get(id)
      assert.deepEqual([state, error, exitCode, progress, attempt], ['succeeded', null, null, null, 2])
    },
  },
  {
    name: 'a snooze uses no attempt',
    async run(scene) {
      const id = await scene.addId()
      await scene.runOne(ends.snoozed(scene.at + 300))
      const { state, label, attempt, dueAt } = await scene.get(id)
      assert.deepEqual([state, label, attempt, dueAt], ['queued', 'scheduled', 1, scene.at + 300])
      const { type, data } = await scene.lastEvent(id)
      assert.deepEqual([type, data.dueAt], ['job.snoozed', scene.at + 300])
      scene.pass(300)
      assert.equal((await scene.claimOne()).attempt, 1)
    },
  },
  {
    name: 'a crash keeps the attempt, is counted, and the job is run alone next',
    async run(scene) {
      const id = await scene.addId()
      await scene.runOne(ends.crashed(scene.at))
      const { state, crashes, attempt, label } = await scene.get(id)
      assert.deepEqual([state, crashes, attempt, label], ['queued', 1, 1, null])
      assert.equal((await scene.lastEvent(id)).type, 'job.recovered')
      const again = await scene.claimOne()
      assert.deepEqual([again.attempt, again.crashes, again.recovered], [1, 1, true])
      await scene.settle(scene.finished(again, ends.retried(scene.at)))
      assert.equal((await scene.claimOne()).recovered, false)
    },
  },
  {
    name: 'a job given back unrun is as it was',
    async run(scene) {
      const id = await scene.addId()
      await scene.runOne(ends.retried(scene.at))
      const before = await scene.get(id)
      const events = (await scene.types(id)).length
      const job = await scene.claimOne()
      scene.pass(50)
      await scene.settle(scene.finished(job, ends.returned(scene.at), null))
      assert.deepEqual(await scene.get(id), { ...before, worker: 'w1' })
      assert.equal((await scene.types(id)).length, events)
      const again = await scene.claimOne()
      assert.deepEqual([again.attempt, again.recovered], [2, false])
    },
  },
  {
    name: 'a job that cannot be run is parked as failed before any start',
    async run(scene) {
      const id = await scene.addId()
      const job = await scene.claimOne()
      await scene.settle(scene.finished(job, ends.rejected(), null))
      const { state, error, attempt, startedAt, finishedAt } = await scene.get(id)
      assert.deepEqual(
        [state, error?.type, attempt, startedAt, finishedAt],
        ['failed', 'UnknownTask', 0, null, scene.at],
      )
      assert.deepEqual(await scene.types(id), ['job.queued', 'job.rejected'])
    },
  },
  {
    name: 'many ends in one settle are all carried out',
    async run(scene) {
      const transitions: [Transition, JobState][] = [
        [ends.succeeded(), 'succeeded'],
        [ends.failed(), 'failed'],
        [ends.cancelled(), 'cancelled'],
        [ends.snoozed(scene.at + 5), 'queued'],
        [ends.succeeded('[1]'), 'succeeded'],
      ]
      const ids = (await scene.addAll(Array.from({ length: 50 }, () => ({})))).map((job) => job.id)
      const claimed = await scene.claim()
      const wanted = (index: number) => transitions[index % transitions.length] ?? [ends.succeeded(), 'succeeded']
      assert.deepEqual(await scene.settle(...claimed.map((job, index) => scene.finished(job, wanted(index)[0]))), [])
      assert.deepEqual(
        await scene.states(...ids),
        ids.map((_, index) => wanted(index)[1]),
      )
      const queue = await scene.queue('default')
      assert.deepEqual([queue.succeeded, queue.failed, queue.cancelled, queue.queued], [20, 10, 10, 10])
    },
  },
]

export const leaseCases: Case[] = [
  {
    name: 'a report under a token that was never given changes nothing and is logged',
    async run(scene) {
      const id = await scene.addId()
      const job = { ...(await scene.claimOne()), token: 999_999 }
      assert.deepEqual(await scene.settle(scene.finished(job, ends.succeeded())), [lease(job)])
      const { state, claimed } = await scene.get(id)
      assert.deepEqual([state, claimed], ['queued', true])
      assert.deepEqual(await scene.types(id), ['job.queued', 'job.stale'])
    },
  },
  {
    name: 'a holder whose lease ran out and was given away can neither start, progress, end nor extend',
    async run(scene) {
      const id = await scene.addId()
      const old = await scene.claimOne()
      await scene.settle(scene.started(old))
      scene.pass(30_000)
      const present = await scene.claimOne({ worker: await scene.join('w2') })
      assert.notEqual(present.token, old.token)
      await scene.settle(scene.started(present))
      const before = await scene.get(id)
      const lost = await scene.settle(scene.started(old), scene.progress(old, 1), scene.finished(old, ends.failed()))
      assert.deepEqual(lost, [lease(old), lease(old), lease(old)])
      assert.deepEqual(await scene.broker.extend([lease(old)], 30_000, scene.now()), ['lost'])
      assert.deepEqual(await scene.get(id), before)
      assert.deepEqual((await scene.types(id)).slice(-3), ['job.stale', 'job.stale', 'job.stale'])
      assert.deepEqual(await scene.settle(scene.finished(present, ends.succeeded())), [])
      assert.deepEqual(await scene.states(id), ['succeeded'])
    },
  },
  {
    name: 'a lost report does not keep the others of its settle from counting',
    async run(scene) {
      await scene.addAll([{}, {}, {}])
      const [one, two, three] = await scene.claim()
      assert.ok(one && two && three)
      const forged = { ...two, token: two.token + 1000 }
      const lost = await scene.settle(...[one, forged, three].map((job) => scene.finished(job, ends.succeeded())))
      assert.deepEqual(lost, [lease(forged)])
      assert.deepEqual(await scene.states(one.id, two.id, three.id), ['succeeded', 'queued', 'succeeded'])
    },
  },
  {
    name: 'a repeated report of an end is accepted and changes nothing',
    async run(scene) {
      for (const end of [
        ends.succeeded('1'),
        ends.failed(),
        ends.retried(scene.at + 1000),
        ends.snoozed(scene.at + 1000),
      ]) {
        const id = await scene.addId()
        const report = scene.finished(await scene.claimOne(), end)
        assert.deepEqual(await scene.settle(report), [])
        const [before, types] = [await scene.get(id), await scene.types(id)]
        assert.deepEqual(await scene.settle(report), [])
        assert.deepEqual(await scene.get(id), before)
        assert.deepEqual(await scene.types(id), types)
      }
    },
  },
  {
    name: 'a repeated report of an end is lost when the job was cancelled since for the sake of another one',
    async run(scene) {
      const need = await scene.addId({ queue: 'broken' })
      await scene.runOne(ends.failed())
      const id = await scene.addId({ uniqueKey: 'k' })
      const job = await scene.runOne(ends.snoozed(scene.at + 1000))
      assert.equal((await scene.add({ uniqueKey: 'k', onConflict: 'replace', after: [need] })).id, id)
      assert.deepEqual(await scene.settle(scene.finished(job, ends.succeeded())), [lease(job)])
      assert.deepEqual(await scene.states(id), ['cancelled'])
    },
  },
  {
    name: 'an end under a lease that ran out, though nobody claimed the job again, is refused once it was taken back',
    async run(scene) {
      const id = await scene.addId()
      const job = await scene.claimOne()
      scene.pass(30_000)
      await scene.broker.setPaused('default', true, scene.now())
      assert.deepEqual(await scene.claim(), [])
      assert.deepEqual(await scene.settle(scene.finished(job, ends.succeeded())), [lease(job)])
      assert.deepEqual(await scene.states(id), ['queued'])
      assert.deepEqual(
        await scene.types(id),
        ['job.queued', 'job.recovered', 'job.stale', 'queue.paused'].filter((type) => type !== 'queue.paused'),
      )
    },
  },
  {
    name: 'a report for a deleted or unknown job is lost',
    async run(scene) {
      const id = await scene.addId()
      const job = await scene.runOne(ends.succeeded())
      await scene.broker.jobs.remove([id])
      const unknown = { ...job, id: 424242 }
      assert.deepEqual(await scene.settle(scene.started(job), scene.started(unknown)), [lease(job), lease(unknown)])
    },
  },
  {
    name: 'a lease that ran out gives the job to the next claim, its attempt kept and the crash counted',
    async run(scene) {
      const id = await scene.addId()
      const job = await scene.claimOne({ leaseMs: 1000 })
      await scene.settle(scene.started(job))
      scene.pass(999)
      assert.deepEqual(await scene.claim(), [])
      scene.pass(1)
      const again = await scene.claimOne()
      assert.deepEqual([again.id, again.attempt, again.crashes, again.recovered], [id, 1, 1, true])
      const event = (await scene.events(id)).at(-1)
      assert.deepEqual([event?.type, event?.worker, event?.data.started], ['job.recovered', 'w1', true])
    },
  },
  {
    name: 'a job that was claimed but had not started is not blamed',
    async run(scene) {
      await scene.addId()
      await scene.claimOne({ leaseMs: 1000 })
      scene.pass(1000)
      const again = await scene.claimOne()
      assert.deepEqual([again.attempt, again.crashes, again.recovered], [1, 0, true])
    },
  },
  {
    name: 'leases are counted on the monotonic clock: a jump of the other one ends none',
    async run(scene) {
      const job = await scene.addId().then(() => scene.claimOne({ leaseMs: 1000 }))
      scene.at += 3_600_000
      assert.deepEqual(await scene.claim(), [])
      scene.at -= 7_200_000
      scene.tick += 999
      assert.deepEqual(await scene.claim(), [])
      assert.deepEqual(await scene.broker.extend([lease(job)], 1000, scene.now()), ['held'])
      scene.at += 3_600_000
      scene.tick += 1000
      assert.equal((await scene.claim()).length, 1)
    },
  },
  {
    name: 'an extended lease holds until its new end',
    async run(scene) {
      await scene.addId()
      const job = await scene.claimOne({ leaseMs: 1000 })
      scene.pass(900)
      assert.deepEqual(await scene.broker.extend([lease(job)], 1000, scene.now()), ['held'])
      scene.pass(999)
      assert.deepEqual(await scene.claim(), [])
      scene.pass(1)
      assert.equal((await scene.claim()).length, 1)
    },
  },
  {
    name: 'extend answers for each lease in its order',
    async run(scene) {
      await scene.addAll([{}, {}, {}])
      const [one, two, three] = await scene.claim()
      assert.ok(one && two && three)
      await scene.settle(scene.finished(one, ends.succeeded()))
      await scene.broker.cancel({ ids: [three.id] }, 'Cancelled', scene.now())
      const unknown = { id: 777_777, token: 1 }
      const leases = [three, one, unknown, two].map(lease)
      assert.deepEqual(await scene.broker.extend(leases, 1000, scene.now()), ['cancelling', 'lost', 'lost', 'held'])
    },
  },
  {
    name: 'a worker that leaves gives back what it held at once',
    async run(scene) {
      const gone = await scene.join('gone')
      const ids = (await scene.addAll([{}, {}])).map((job) => job.id)
      const [running] = await scene.claim({ worker: gone })
      assert.ok(running)
      await scene.settle(scene.started(running))
      await scene.broker.workers.leave(gone, scene.now())
      const again = await scene.claim()
      assert.deepEqual(
        again.map(({ id, crashes, recovered }) => [id, crashes, recovered]),
        [
          [ids[0], 1, true],
          [ids[1], 0, true],
        ],
      )
      assert.equal((await scene.get(ids[0] ?? 0)).worker, 'w1')
    },
  },
]
