import type { Command } from 'commander'
import type { WorkerRecord } from '../../src/broker/broker.ts'
import { currentWorkers } from '../../src/client/control.ts'
import { hostOf, workerJson } from '../../src/client/worker-json.ts'
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
        const workers = await currentWorkers(queue.broker)
        const now = systemClock.now().at
        if (output.json) output.document(workers.map((worker) => workerJson(worker, now)))
        else if (output.quiet) for (const { name } of workers) output.line(name)
        else if (workers.length === 0 && output.terminal) output.message("No worker is running: 'jobq run' starts one.")
        else {
          output.table(output.terminal ? fewColumns(now, workers) : columns(now), workers)
          for (const { name, trouble } of workers) {
            if (trouble != null) output.message(`worker ${name}: its children do not start: ${trouble}`)
          }
        }
      }),
    )
  explain(command, [
    ['jobq workers', 'who works'],
    ['jobq workers --json', 'with what each child process does'],
  ])
}

const name: Column<WorkerRecord> = { title: 'worker', value: (worker) => worker.name }
const host: Column<WorkerRecord> = { title: 'host', value: hostOf }
const pid: Column<WorkerRecord> = { title: 'pid', value: (worker) => worker.process.pid }
const status: Column<WorkerRecord> = {
  title: 'status',
  value: (worker) => worker.status,
  style: ({ status, trouble }) => (status === 'online' && trouble == null ? 'green' : 'yellow'),
}
const processed: Column<WorkerRecord> = { title: 'processed', value: (worker) => worker.processed }
const queues: Column<WorkerRecord> = { title: 'queues', value: (worker) => worker.queues?.join(',') ?? 'all' }
const uptime = (now: number): Column<WorkerRecord> => ({
  title: 'uptime',
  value: ({ startedAt }) => ({ ms: Math.max(0, now - startedAt) }),
})

/** Children that do not answer. */
const stuckOf = ({ children }: WorkerRecord): number =>
  children.filter(({ stuckMs }) => (stuckMs ?? null) !== null).length

/** What a program reads. */
const columns = (now: number): readonly Column<WorkerRecord>[] => [
  name,
  host,
  pid,
  status,
  { title: 'children', value: ({ size }) => size },
  { title: 'busy', value: ({ busy }) => busy },
  processed,
  uptime(now),
  { title: 'heartbeat', value: ({ heartbeatAt }) => ({ at: heartbeatAt }) },
  queues,
]

/** What fits the width of a terminal: a host only where the workers' names do not say it. */
const fewColumns = (now: number, workers: readonly WorkerRecord[]): readonly Column<WorkerRecord>[] => [
  name,
  ...(workers.every((worker) => worker.name.startsWith(hostOf(worker))) ? [] : [host]),
  pid,
  status,
  {
    title: 'busy',
    value: (worker) => `${worker.busy}/${worker.size}${stuckOf(worker) === 0 ? '' : `, ${stuckOf(worker)} stuck`}`,
    style: (worker) => (stuckOf(worker) === 0 ? null : 'red'),
  },
  processed,
  uptime(now),
  queues,
]
