// A worker that is told to stop at once, in the middle of many short jobs.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertInvariants } from '../support/invariants.ts'
import { signal, treeOf } from '../support/processes.ts'
import { until } from '../support/until.ts'
import { FaultSite } from './fault-site.ts'

test('what a cold stop cuts goes back to the queue, no attempt is lost and each repetition has its reason', () =>
  FaultSite.use(async (site) => {
    const keys = Array.from({ length: 12_000 }, (_, index) => `job.${index}`)
    const lines = keys.map((key) => {
      const [task, payload = ''] = site.order(key, 0)
      return JSON.stringify({ task, payload: JSON.parse(payload) })
    })
    await site.enqueueBatch(keys, lines)
    const done = (): number => site.value<number>("SELECT count(*) FROM job_view WHERE state = 'succeeded'") ?? 0
    // Many that were interrupted, and so are run one by one, each with its start on record before.
    const killed = await site.startWorker(['-c', '2', '--prefetch', '500'])
    await until('some to be done', () => done() >= 400)
    for (const pid of treeOf(killed.child.pid ?? 0)) signal(pid, 'SIGKILL')
    await killed.ended
    for (let stop = 1; stop <= 6; stop++) {
      const worker = await site.startWorker()
      const more = done() + 200
      await until('more to be done', () => done() >= more)
      worker.child.kill('SIGINT')
      worker.child.kill('SIGQUIT')
      const { code, stderr } = await worker.ended
      assert.equal(code, 131, stderr)
    }
    const worker = await site.startWorker()
    await site.drained()
    await site.stopWorker(worker)
    assert.equal(site.value('SELECT count(*) FROM jobq_jobs WHERE crashes > 0'), 0)
    assertInvariants(site.files)
  }))
