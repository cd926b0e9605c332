import type { QueueSummary, WorkerRecord } from '../../src/broker/broker.ts'
import { coarse, count } from './parts/figures.ts'

/** Something that needs a person. */
export interface Alert {
  /** The queue or worker that it is about, for the tab that shows more. */
  readonly subject: string
  readonly text: string
}

/** What alerts are found in. */
export interface Watched {
  readonly at: number
  readonly queues: readonly QueueSummary[]
  readonly workers: readonly WorkerRecord[]
  readonly failuresPerSecond: number
  /** What was usual an hour ago; null where nobody knows. */
  readonly usualFailuresPerSecond: number | null
}

/** Due for longer than this, a job has waited long, in milliseconds. */
const longWaitMs = 60_000
/** Beats come every five seconds. */
const silentMs = 15_000

/** What needs a person, the worst first. */
export const alertsOf = (watched: Watched): Alert[] => {
  const { at, queues, workers } = watched
  const waiting = queues.filter((queue) => queue.queued > queue.scheduled)
  const alerts: Alert[] = []
  if (workers.length === 0 && waiting.length > 0) {
    const jobs = waiting.reduce((total, queue) => total + queue.queued - queue.scheduled, 0)
    alerts.push({
      subject: '',
      text: `no worker is running, ${count(jobs)} ${jobs === 1 ? 'job waits' : 'jobs wait'}: start one with 'jobq run'`,
    })
  }
  for (const worker of workers) alerts.push(...workerAlerts(worker, at))
  for (const queue of waiting) alerts.push(...queueAlerts(queue, workers))
  const { failuresPerSecond: now, usualFailuresPerSecond: usual } = watched
  if (usual !== null && isWorse(now, usual)) {
    alerts.push({ subject: '', text: `failures: ${perMinute(now)} a minute, ${perMinute(usual)} an hour ago` })
  }
  return alerts
}

/** True where a rate has at least doubled and is worth a word: one a minute at least. */
export const isWorse = (now: number, usual: number | null): boolean =>
  usual !== null && now * 60 >= 1 && now > usual * 2

const perMinute = (perSecond: number): string => count(perSecond * 60)

const workerAlerts = (worker: WorkerRecord, at: number): Alert[] => {
  const { name, trouble, children, heartbeatAt } = worker
  const silent = at - heartbeatAt
  if (silent > silentMs) return [{ subject: name, text: `worker ${name}: silent for ${coarse(silent)}` }]
  if (trouble != null) return [{ subject: name, text: `worker ${name}: children do not start: ${trouble}` }]
  return children.flatMap(({ pid, stuckMs, job }) =>
    (stuckMs ?? 0) < silentMs
      ? []
      : [{ subject: name, text: `worker ${name}: child ${pid} stuck for ${coarse(stuckMs ?? 0)} in job ${job}` }],
  )
}

const queueAlerts = (queue: QueueSummary, workers: readonly WorkerRecord[]): Alert[] => {
  const { name, paused, oldestWaitingMs } = queue
  const due = queue.queued - queue.scheduled
  if (paused) return [{ subject: name, text: `${name}: paused, ${count(due)} waiting` }]
  if (workers.length === 0) return []
  const serving = workers.filter(({ queues }) => queues === null || queues.includes(name))
  if (serving.length === 0) return [{ subject: name, text: `${name}: no worker serves it, ${count(due)} waiting` }]
  if (oldestWaitingMs === null || oldestWaitingMs < longWaitMs) return []
  const busy = serving.every((worker) => worker.busy >= worker.size)
  const why = busy
    ? ', all children are busy'
    : serving.every(({ status }) => status !== 'online')
      ? ', its workers are stopping'
      : ''
  return [{ subject: name, text: `${name}: oldest job waits ${coarse(oldestWaitingMs)}${why}` }]
}
