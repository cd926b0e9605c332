// Many processes on one file: nothing is lost, nothing is done twice, and nobody hears that the file is busy.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { test } from 'node:test'
import { connect } from '../../src/client.ts'
import { readEvidence } from '../support/evidence.ts'
import { assertInvariants } from '../support/invariants.ts'
import { SeededRandom } from '../support/random.ts'
import { until } from '../support/until.ts'
import { FaultSite } from './fault-site.ts'

const wanted = Number(process.env.JOBQ_FAULT_JOBS ?? 1_500)

for (const count of [2, 4]) {
  test(`8 producers and ${count} workers on one file`, async (t) => {
    const { seed } = new SeededRandom(process.env.JOBQ_FAULT_SEED)
    t.diagnostic(`seed ${seed}`)
    await FaultSite.use(async (site) => {
      const workers = await Promise.all(Array.from({ length: count }, () => site.startWorker(['-c', '1'])))
      const producers = Array.from({ length: 8 }, (_, index) => site.startProducer(`p${index}`, seed))
      await until(`${wanted} jobs`, () => (site.value<number>('SELECT count(*) FROM job_view') ?? 0) >= wanted)
      for (const producer of producers) producer.child.stdin?.end()
      for (const { code, stderr } of await Promise.all(producers.map(({ ended }) => ended)))
        assert.deepEqual([code, stderr], [0, ''])
      await site.drained()
      for (const worker of workers) await site.stopWorker(worker)
      for (const { stderr } of workers) assert.doesNotMatch(stderr, /busy|locked/i)

      const { events, jobs } = readEvidence(site.files)
      const names = new Set(events.filter(({ type }) => type === 'job.started').map(({ worker }) => worker))
      assert.equal(names.size, count, 'every worker had its share')
      const unsettled = events.filter(({ type }) => type === 'job.recovered' || type === 'job.stale')
      const ofThem = events.filter(({ job }) => unsettled.some((event) => event.job === job))
      assert.deepEqual(ofThem, [])
      t.diagnostic(`${jobs.size} jobs`)
      assertInvariants(site.files)
    })
  })
}

test('processes that open, write and close a new file at the same time hear nothing of one another', () =>
  FaultSite.use(async (site) => {
    const each = wanted / 30
    const writers = Array.from({ length: 4 }, () =>
      site.startScript('open-and-close.ts', site.files.database, String(each)),
    )
    for (const { code, stderr } of await Promise.all(writers.map(({ ended }) => ended)))
      assert.deepEqual([code, stderr], [0, ''])
    assert.equal(site.value('SELECT count(*) FROM job_view'), 4 * each)
    assertInvariants(site.files, { unfinished: true })
  }))

test('a second connection of a process does not give up the locks of its first', () =>
  FaultSite.use(async (site) => {
    const first = await connect(site.files.database)
    await first.enqueue('none')
    const second = await connect(site.files.database)
    const other = site.startScript('open-and-close.ts', site.files.database, '1')
    assert.equal((await other.ended).code, 0)
    assert.ok(fs.existsSync(`${site.files.database}-wal`), 'the other process was not the last to leave')
    await first.enqueue('none')
    await second.enqueue('none')
    await second.close()
    await first.close()
    assert.equal(site.value('SELECT count(*) FROM job_view'), 4)
  }))
