// A worker that is stopped for longer than its leases last, and then goes on.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { createWorker } from '../../src/worker/worker.ts'
import type { Running } from '../support/cli.ts'
import { readEvidence } from '../support/evidence.ts'
import { assertInvariants } from '../support/invariants.ts'
import { isStopped, signal } from '../support/processes.ts'
import { until } from '../support/until.ts'
import { FaultSite, recordingTasks } from './fault-site.ts'

const leaseMs = 1_000

const startWorker = (site: FaultSite, name: string): Promise<Running> =>
  site.online(site.startScript('leasing-worker.ts', site.files.database, String(leaseMs), name))

const started = (site: FaultSite, job: number) => (): boolean =>
  readEvidence(site.files).events.some(({ type, job: id }) => type === 'job.started' && id === job)

const phases = (site: FaultSite, key: string): string[] =>
  readEvidence(site.files)
    .effects.filter((effect) => effect.key === key)
    .map(({ phase }) => phase)

const freeze = async (worker: Running): Promise<void> => {
  const pid = worker.child.pid ?? 0
  signal(pid, 'SIGSTOP')
  await until('the worker to stand still', () => isStopped(pid))
}

const leasesToRunOut = (site: FaultSite): Promise<true> =>
  until('the leases to run out', () => {
    const last = site.value<number>('SELECT max(lease_until) FROM jobq_leases')
    return typeof last === 'number' && systemClock.now().tick > last
  })

test('what a stalled worker says after its lease went to another one is refused', () =>
  FaultSite.use(async (site) => {
    const id = (await site.enqueue('job', site.order('job', 300))) ?? 0
    const stalled = await startWorker(site, 'stalled')
    await until('the start', started(site, id))
    await freeze(stalled)
    const other = await startWorker(site, 'other')
    await site.drained()
    stalled.child.kill('SIGCONT')
    const stale = await until('the refusal', () =>
      readEvidence(site.files).events.find(({ type }) => type === 'job.stale'),
    )
    assert.deepEqual([stale.job, stale.worker], [id, 'stalled'])
    await site.stopWorker(stalled)
    await site.stopWorker(other)
    assert.equal(site.value('SELECT worker FROM job_view WHERE id = ?', id), 'other')
    assert.equal(phases(site, 'job').filter((phase) => phase === 'begin').length, 2)
    assert.equal(site.value("SELECT count(*) FROM event_view WHERE type = 'job.recovered'"), 1)
    assertInvariants(site.files)
  }))

test('a stalled worker that nobody stood in for keeps what it has', () =>
  FaultSite.use(async (site) => {
    const long = (await site.enqueue('long', site.order('long', 3_000))) ?? 0
    const short = (await site.enqueue('short', site.order('short', 300))) ?? 0
    const worker = await startWorker(site, 'stalled')
    await until('the first start', started(site, long))
    await until('the second start', started(site, short))
    await freeze(worker)
    // Its children go on: when it wakes up there is an end to report, and a lease that has run out.
    await until('the short one to end', () => phases(site, 'short').includes('end'))
    await leasesToRunOut(site)
    worker.child.kill('SIGCONT')
    await site.drained()
    await site.stopWorker(worker)
    assert.deepEqual(phases(site, 'long'), ['begin', 'end'])
    assert.equal(site.value("SELECT count(*) FROM event_view WHERE type IN ('job.recovered', 'job.stale')"), 0)
    assertInvariants(site.files)
  }))

test('a worker whose machine stood still renews what it has before it claims', () =>
  FaultSite.use(async (site) => {
    const ids = [
      await site.enqueue('long', site.order('long', 2_000)),
      await site.enqueue('short', site.order('short', 300)),
    ]
    let skippedMs = 0
    let shortSucceeded = false
    const worker = createWorker({
      broker: site.files.database,
      concurrency: 2,
      leaseMs: 60_000,
      tasks: [recordingTasks],
      env: { ...process.env, ...site.env },
      drain: 'due',
      clock: { now: () => ({ at: Date.now(), tick: systemClock.now().tick + skippedMs }) },
      // Between the end of a job and the transaction that reports it, which claims as well.
      log: ({ type, job }) => {
        if (type !== 'job.succeeded' || job !== ids[1]) return
        shortSucceeded = true
        skippedMs = 120_000
      },
    })
    await worker.start()
    assert.equal((await worker.done).error, null)
    assert.ok(shortSucceeded)
    assert.deepEqual(phases(site, 'long'), ['begin', 'end'])
    assert.equal(site.value("SELECT count(*) FROM event_view WHERE type IN ('job.recovered', 'job.stale')"), 0)
    assertInvariants(site.files)
  }))
