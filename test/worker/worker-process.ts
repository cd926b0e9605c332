// A worker in a process of its own, to be killed: database, folder of tasks, number of children.
import { createWorker } from '../../src/worker/worker.ts'

const [broker = '', tasks = '', concurrency] = process.argv.slice(2)
await createWorker({ broker, tasks: [tasks], concurrency: Number(concurrency), prefetch: 3, env: process.env }).start()
process.stdout.write('up\n')
