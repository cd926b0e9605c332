import type { Command } from 'commander'
import type { WorkerRecord } from '../../src/broker/broker.ts'
import { liveWorkers } from '../../src/client/live-workers.ts'
import { systemClock } from '../../src/clock.ts'
import { explain } from '../help.ts'
import { withQueue } from '../session.ts'
import type { Column } from '../table.ts'

/** Adds `jobq workers`. */
export const register = (program: Command): void => {
  const command = program
    .command('workers')
    .description('list the workers that are running')
    .action((_options: unknown, command: Command) =>
      withQueue(command, async (queue, { output }) => {
        const workers = await liveWorkers(queue.broker)
        const now = systemClock.now().at
        if (output.json) output.document(workers.map((worker) => document(worker, now)))
        else if (output.quiet) for (const { name } of workers) output.line(name)
        else if (workers.length === 0 && output.terminal) output.message("No worker is running: 'jobq run' starts one.")
        else output.table(columns(now), workers)
      }),
    )
  explain(command, [
    ['jobq workers', 'who works'],
    ['jobq workers --json', 'with what each child process does'],
  ])
}

const document = (worker: WorkerRecord, now: number): object => ({
  name: worker.name,
  host: hostOf(worker),
  pid: worker.process.pid,
  startedAt: new Date(worker.startedAt).toISOString(),
  uptimeMs: Math.max(0, now - worker.startedAt),
  heartbeatAt: new Date(worker.heartbeatAt).toISOString(),
  status: worker.status,
  size: worker.size,
  busy: worker.busy,
  processed: worker.processed,
  queues: worker.queues,
  children: worker.children,
})

/** The machine; a container's own set of pids, by which a process is known again, is nothing for people. */
const hostOf = (worker: WorkerRecord): string => worker.process.host.split('/', 1)[0] ?? ''

const columns = (now: number): readonly Column<WorkerRecord>[] => [
  { title: 'worker', value: ({ name }) => name },
  { title: 'host', value: hostOf },
  { title: 'pid', value: (worker) => worker.process.pid },
  { title: 'status', value: ({ status }) => status, style: ({ status }) => (status === 'online' ? 'green' : 'yellow') },
  { title: 'children', value: ({ size }) => size },
  { title: 'busy', value: ({ busy }) => busy },
  { title: 'processed', value: ({ processed }) => processed },
  { title: 'uptime', value: ({ startedAt }) => ({ ms: Math.max(0, now - startedAt) }) },
  { title: 'heartbeat', value: ({ heartbeatAt }) => ({ at: heartbeatAt }) },
  { title: 'queues', value: ({ queues }) => queues?.join(',') ?? 'all' },
]
