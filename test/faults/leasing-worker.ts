// A worker with a lease of its own length: `leasing-worker.ts DATABASE LEASE_MS NAME`. Ends in order on SIGTERM.
import { createWorker } from '../../src/worker/worker.ts'
import { recordingTasks } from './fault-site.ts'

const [broker = '', leaseMs = '', name = ''] = process.argv.slice(2)
const worker = createWorker({
  broker,
  name,
  leaseMs: Number(leaseMs),
  concurrency: 2,
  tasks: [recordingTasks],
  env: process.env,
  log: (entry) => process.stderr.write(`${JSON.stringify(entry)}\n`),
})
await worker.start()
process.on('SIGTERM', () => void worker.stop())
process.stderr.write('is online\n')
await worker.done
