// A child that dies: its job goes on at once, a job that kills again and again is stopped, and its neighbours are not blamed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readEvidence } from '../support/evidence.ts'
import { assertInvariants } from '../support/invariants.ts'
import { childrenOf, signal, treeOf } from '../support/processes.ts'
import { until } from '../support/until.ts'
import { FaultSite } from './fault-site.ts'

const typesOf = (site: FaultSite, job: number): string[] =>
  readEvidence(site.files)
    .events.filter((event) => event.job === job)
    .map(({ type }) => type)

test("a dead child's job is run by another child at once, without waiting for a lease", () =>
  FaultSite.use(async (site) => {
    const worker = await site.startWorker()
    const id = (await site.enqueue('long', site.order('long', 500))) ?? 0
    const child = await until('the start', () =>
      site.value<number>("SELECT data ->> '$.pid' FROM event_view WHERE type = 'job.started' AND job = ?", id),
    )
    signal(child, 'SIGKILL')
    await site.drained()
    await site.stopWorker(worker)
    const { events } = readEvidence(site.files)
    const story = events.filter(({ job, type, data }) => job === id || (type === 'child.exited' && data.pid === child))
    assert.deepEqual(
      story.map(({ type }) => type),
      ['job.queued', 'job.started', 'child.exited', 'job.recovered', 'job.started', 'job.succeeded'],
    )
    const [, , , recovered, again] = story
    // A lease that ran out would be told as a worker that went away.
    assert.match(JSON.stringify(recovered?.data), /"type":"Crashed"/)
    assert.notEqual(again?.data.pid, child)
    assert.deepEqual([again?.attempt, again?.worker], [1, recovered?.worker])
    assertInvariants(site.files)
  }))

test('a job that kills its process is given up after three times, and a drain waits for that', () =>
  FaultSite.use(async (site) => {
    const id = (await site.enqueue('poison', site.order('poison', 1, { last: 'crash' }))) ?? 0
    const worker = await site.startWorker(['-c', '1', '--drain'])
    assert.equal((await worker.ended).code, 0)
    const { jobs, effects } = readEvidence(site.files)
    assert.deepEqual([jobs.get(id)?.state, jobs.get(id)?.errorType], ['failed', 'PoisonJob'])
    assert.equal(effects.length, 3)
    const crash = ['job.started', 'job.recovered']
    assert.deepEqual(typesOf(site, id), ['job.queued', ...crash, ...crash, 'job.started', 'job.failed'])
    assertInvariants(site.files)
  }))

test('jobs that are in the window of a dying child are run once more and not blamed', () =>
  FaultSite.use(async (site) => {
    const order = (index: number): string[] => site.order(`job.${index}`, 0, index === 60 ? { last: 'crash' } : {})
    // As one batch, so that they are near one another in a child's window.
    const keys = Array.from({ length: 120 }, (_, index) => `job.${index}`)
    const lines = keys.map((_, index) => {
      const [task, payload = ''] = order(index)
      return JSON.stringify({ task, payload: JSON.parse(payload) })
    })
    await site.enqueueBatch(keys, lines)
    const worker = await site.startWorker(['-c', '1'])
    await site.drained()
    await site.stopWorker(worker)
    const crashes = site.rows<{ key: string; crashes: number }>(
      "SELECT payload ->> '$.key' AS key, crashes FROM jobq_jobs WHERE crashes > 0",
    )
    assert.deepEqual(crashes, [{ key: 'job.60', crashes: 3 }])
    assert.equal(site.value("SELECT count(*) FROM job_view WHERE state = 'succeeded' AND attempt = 1"), 119)
    const neighbours = site.value<number>(
      "SELECT count(DISTINCT job) FROM event_view WHERE type = 'job.recovered' AND NOT data ->> '$.started'",
    )
    assert.ok((neighbours ?? 0) > 0, 'there were neighbours in the window')
    assertInvariants(site.files)
  }))

test('what is acknowledged early begins once at the most, whoever dies', () =>
  FaultSite.use(async (site) => {
    const keys = Array.from({ length: 400 }, (_, index) => `job.${index}`)
    const lines = keys.map((key, index) =>
      JSON.stringify({ task: 'record-once', payload: { key, file: site.files.effects, ms: index % 4 === 0 ? 5 : 0 } }),
    )
    const doomed = await site.startWorker()
    await site.enqueueBatch(keys, lines)
    const begun = (): number => readEvidence(site.files).effects.filter(({ phase }) => phase === 'begin').length
    for (const [index, child] of childrenOf(doomed.child.pid ?? 0).entries()) {
      await until('some to have begun', () => begun() > index * 20)
      signal(child, 'SIGKILL')
    }
    await until('more to have begun', () => begun() > 150)
    for (const pid of treeOf(doomed.child.pid ?? 0)) signal(pid, 'SIGKILL')
    await doomed.ended
    const next = await site.startWorker()
    await site.drained()
    await site.stopWorker(next)
    const { effects } = readEvidence(site.files)
    const begins = effects.filter(({ phase }) => phase === 'begin').map(({ key }) => key)
    assert.equal(new Set(begins).size, begins.length)
    assertInvariants(site.files)
  }))
