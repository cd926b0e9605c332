import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from '../../../src/client.ts'
import { quantile } from '../figures.ts'
import { durability, rawInserts } from '../floors.ts'
import { untilSucceeded } from '../settled.ts'
import type { Work } from '../work.ts'
import { startWorker } from '../worker-process.ts'

const betweenMs = 20

/** W3: from the call of enqueue in one process to the first line of the task in an idle worker of another. */
export const latency: Work = {
  id: 'W3',
  title: 'latency',
  async prepare({ place, sizes }) {
    const file = place.newFile('latency.db')
    const queue = await connect(file)
    const against = { figure: 'commitMs', name: 'a direct commit' }
    const row = { unit: 'ms', against, durability: durability.full }
    return {
      rows: [
        { what: 'enqueue to start, median', figure: 'median', goal: { of: 'figure', atMost: 1 }, ...row },
        { what: 'enqueue to start, p99', figure: 'p99', goal: { of: 'figure', atMost: 4 }, ...row },
      ],
      async round() {
        const commits = await rawInserts(place, { batch: 1, forMs: sizes.singlesForMs })
        const worker = await startWorker(place, { file, kind: 'binary', children: 2 })
        const before = (await queue.counts()).succeeded
        for (let n = 0; n < sizes.latencyJobs; n++) {
          await sleep(betweenMs)
          await queue.enqueue('stamp', { calledAt: String(process.hrtime.bigint()) })
        }
        await untilSucceeded(file, before + sizes.latencyJobs)
        const jobs = await queue.list({ task: 'stamp', limit: sizes.latencyJobs })
        await worker.stop()
        const times = jobs.map((job) => Number(job.result))
        return { commitMs: commits.medianMs, median: quantile(times, 0.5), p99: quantile(times, 0.99) }
      },
      end: () => queue.close(),
    }
  },
}
