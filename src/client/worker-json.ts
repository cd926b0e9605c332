import type { ChildStatus, WorkerRecord, WorkerStatus } from '../broker/broker.ts'

/** A worker as programs are told of it: instants as RFC 3339 in UTC. */
export interface WorkerJson {
  readonly name: string
  readonly host: string
  readonly pid: number
  readonly startedAt: string
  readonly uptimeMs: number
  readonly heartbeatAt: string
  readonly status: WorkerStatus['status']
  readonly size: number
  readonly busy: number
  readonly processed: number
  /** Null for all. */
  readonly queues: readonly string[] | null
  readonly children: readonly ChildStatus[]
  readonly trouble: string | null
}

/** A worker as programs are told of it at an instant (epoch milliseconds). */
export const workerJson = (worker: WorkerRecord, now: number): WorkerJson => ({
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
  trouble: worker.trouble ?? null,
})

/** The machine; a container's own set of pids, by which a process is known again, is nothing for people. */
export const hostOf = (worker: WorkerRecord): string => worker.process.host.split('/', 1)[0] ?? ''
