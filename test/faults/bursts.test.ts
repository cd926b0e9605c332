// Children and whole workers are killed amid small jobs that travel together: what was done is on record, the rest is done again.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from '../../src/client.ts'
import type { Running } from '../support/cli.ts'
import { noteAcknowledged, noteAsked } from '../support/evidence.ts'
import { assertInvariants } from '../support/invariants.ts'
import { childrenOf, signal, treeOf } from '../support/processes.ts'
import { SeededRandom } from '../support/random.ts'
import { until } from '../support/until.ts'
import { FaultSite } from './fault-site.ts'

const total = 6_000
const kills = 9

test(`${kills} kills amid bursts lose nothing, and do nothing twice without cause`, async (t) => {
  const random = new SeededRandom(process.env.JOBQ_FAULT_SEED)
  t.diagnostic(`seed ${random.seed}`)
  await FaultSite.use(async (site) => {
    const queue = await connect(site.files.database)
    const keys = Array.from({ length: total }, (_, index) => `job.${index}`)
    noteAsked(site.files, 'all', keys)
    const items = keys.map((key) => ({ task: 'record', payload: { key, file: site.files.effects, ms: 0 } }))
    noteAcknowledged(site.files, 'all', await queue.enqueueMany(items))
    await queue.close()

    const over = (): number => site.value<number>('SELECT count(*) FROM jobq_events WHERE abs(type) = 3') ?? 0
    let worker: Running = await site.startWorker()
    for (let kill = 1; kill <= kills; kill += 1) {
      await until('some more to be done', () => over() >= (kill * total) / (kills + 2))
      await sleep(random.below(10))
      const pid = worker.child.pid ?? 0
      if (kill % 3 > 0) {
        const child = random.pick(childrenOf(pid))
        if (child !== undefined) signal(child, 'SIGKILL')
        continue
      }
      for (const each of kill % 2 === 0 ? treeOf(pid) : [pid]) signal(each, 'SIGKILL')
      await worker.ended
      worker = await site.startWorker()
    }
    await site.drained()
    await site.stopWorker(worker)
    const recovered = site.value<number>("SELECT count(*) FROM event_view WHERE type = 'job.recovered'") ?? 0
    t.diagnostic(`${recovered} recovered`)
    assert.ok(recovered > 0)
    assert.equal(site.value("SELECT count(*) FROM job_view WHERE state = 'succeeded'"), total)
    assertInvariants(site.files)
  })
})
