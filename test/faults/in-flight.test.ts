// A worker that is killed while it has a thousand jobs in its hands loses none of them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from '../../src/client.ts'
import { noteAcknowledged, noteAsked } from '../support/evidence.ts'
import { assertInvariants } from '../support/invariants.ts'
import { signal, treeOf } from '../support/processes.ts'
import { until } from '../support/until.ts'
import { FaultSite } from './fault-site.ts'

const inHands = 'SELECT total(last - job + 1) FROM jobq_leases'

test('a worker killed with 1,000 jobs in flight loses none', () =>
  FaultSite.use(async (site) => {
    const queue = await connect(site.files.database)
    const keys = Array.from({ length: 4_000 }, (_, index) => `job.${index}`)
    noteAsked(site.files, 'all', keys)
    const items = keys.map((key) => ({ task: 'record', payload: { key, file: site.files.effects, ms: 1 } }))
    noteAcknowledged(site.files, 'all', await queue.enqueueMany(items))
    await queue.close()

    const worker = await site.startWorker(['-c', '2', '--prefetch', '1000'])
    const pid = worker.child.pid ?? 0
    await until('1,000 jobs in flight', () => (site.value<number>(inHands) ?? 0) >= 1_000)
    for (const each of treeOf(pid)) signal(each, 'SIGKILL')
    await worker.ended
    const lost = site.value<number>(inHands) ?? 0
    assert.ok(lost >= 1_000, `${lost} in flight`)

    const next = await site.startWorker()
    await site.drained()
    await site.stopWorker(next)
    assert.equal(site.value("SELECT count(*) FROM event_view WHERE type = 'job.recovered'"), lost)
    assert.equal(site.value("SELECT count(*) FROM job_view WHERE state = 'succeeded'"), keys.length)
    assertInvariants(site.files)
  }))
