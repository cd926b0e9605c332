/**
 * Why a job is where it is: every reason that holds, the one that decides first. `explain` is pure, so each reason is a
 * row of a table in its test. A reason has a `code` that programs can rely on, a sentence for people, and the facts of
 * that sentence as fields of their own (instants in epoch milliseconds, their names ending in `At`).
 */
import type { ChildStatus } from './broker/broker.ts'
import { formatDuration } from './duration.ts'
import { commandTask, isFinished, type Job } from './job.ts'
import { formatRate } from './rate.ts'
import { nextStartAt } from './start-rate.ts'
import type { Circumstances } from './why/circumstances.ts'

/** What a reason says, for programs. */
export type ReasonCode =
  | 'held'
  | 'waits-for'
  | 'not-due'
  | 'backing-off'
  | 'queue-paused'
  | 'no-worker'
  | 'workers-stopping'
  | 'children-failing'
  | 'start-rate'
  | 'unknown-task'
  | 'claimed'
  | 'workers-busy'
  | 'ready'
  | 'running'
  | 'worker-silent'
  | 'worker-gone'
  | 'cancelling'
  | 'succeeded'
  | 'failed'
  | 'cancelled'
  | 'expires'
  | 'expired'
  | 'dependency-failed'
  | 'purged'
  | 'unique-holder'

/** One reason: a code, a sentence, and the sentence's facts. */
export interface Reason {
  readonly code: ReasonCode
  readonly text: string
  readonly [fact: string]: unknown
}

/** A worker that has said nothing for this many milliseconds is called silent. */
export const silentAfterMs = 30_000

/** Every reason why the job is where it is, the deciding one first; never empty. */
export const explain = (circumstances: Circumstances): Reason[] => {
  const { job } = circumstances
  if (isFinished(job.state)) return [ending(job)]
  const reasons = {
    blocked: blockedReasons,
    queued: queuedReasons,
    running: runningReasons,
  }[job.state as 'blocked' | 'queued' | 'running'](circumstances)
  return [...reasons, ...standingReasons(circumstances)]
}

const blockedReasons = (circumstances: Circumstances): Reason[] => {
  const { job, dependencies } = circumstances
  const waiting = dependencies
    .filter((dependency) => dependency.state !== null && !isFinished(dependency.state))
    .map((dependency): Reason => {
      const end = job.after.includes(dependency.id) ? 'succeeded' : 'finished'
      const text = `waits until job ${dependency.id}, which is ${dependency.state}, has ${end}`
      return { code: 'waits-for', text, job: dependency.id, state: dependency.state, until: end }
    })
  const held: Reason = { code: 'held', text: `held by hand until 'jobq release ${job.id}'` }
  return [...(waiting.length > 0 ? waiting : [held]), ...pauseReasons(circumstances)]
}

const pauseReasons = ({ job, queue }: Circumstances): Reason[] =>
  queue?.paused
    ? [
        {
          code: 'queue-paused',
          text: `queue ${job.queue} is paused; 'jobq resume ${job.queue}' lets it go on`,
          queue: job.queue,
        },
      ]
    : []

const queuedReasons = (circumstances: Circumstances): Reason[] => {
  const { job, tasks, now } = circumstances
  if (job.claimed) {
    const text = `claimed ahead by worker ${job.worker ?? '(unnamed)'}: starts as soon as a child of it is free`
    return [{ code: 'claimed', text, worker: job.worker }]
  }
  const reasons: Reason[] = []
  if (job.expiresAt !== null && job.expiresAt <= now) {
    const text = `expired ${past(job.expiresAt, now)} and is cancelled when a worker comes to it`
    reasons.push({ code: 'expired', text, expiresAt: job.expiresAt })
  }
  if (job.dueAt > now) reasons.push(delay(job, now))
  reasons.push(...rateReasons(circumstances), ...pauseReasons(circumstances))
  const supply = workerReason(circumstances)
  if (['no-worker', 'workers-stopping', 'children-failing'].includes(supply.code)) reasons.push(supply)
  if (job.task !== commandTask && !tasks.has(job.task)) {
    const text = `no worker has ever published a task '${job.task}': as things are it will fail as UnknownTask`
    reasons.push({ code: 'unknown-task', text, task: job.task })
  }
  return reasons.length > 0 ? reasons : [supply]
}

const rateReasons = ({ job, startRate, now }: Circumstances): Reason[] => {
  if (startRate == null) return []
  const { rate, paidUntil } = startRate
  const nextAt = nextStartAt(rate, paidUntil, now)
  if (nextAt <= now) return []
  const text = `task ${job.task} may start ${formatRate(rate)}; the next start is possible ${future(nextAt, now)}`
  return [{ code: 'start-rate', text, task: job.task, rate: formatRate(rate), nextAt }]
}

const delay = (job: Job, now: number): Reason => {
  const { dueAt } = job
  if (job.label === 'retrying') {
    const failure = job.error === null ? '' : ` (${job.error.type}: ${firstLine(job.error.message)})`
    const text = `attempt ${job.attempt} of ${job.maxAttempts} failed${failure}; backing off until ${future(dueAt, now)}`
    return { code: 'backing-off', text, dueAt, attempt: job.attempt, error: job.error }
  }
  return { code: 'not-due', text: `not due until ${future(dueAt, now)}`, dueAt }
}

const workerReason = ({ job, queue, workers }: Circumstances): Reason => {
  const serving = workers.filter((worker) => worker.queues === null || worker.queues.includes(job.queue))
  if (serving.length === 0) {
    const who = workers.length === 0 ? 'no worker is running' : `none of the ${count(workers.length, 'worker')} running`
    const text = workers.length === 0 ? who : `${who} serves queue ${job.queue}`
    return { code: 'no-worker', text, queue: job.queue, workers: workers.length }
  }
  const names = serving.map((worker) => worker.name)
  const online = serving.filter((worker) => worker.status === 'online')
  if (online.length === 0) {
    const text = `the only workers that serve queue ${job.queue} are stopping: ${names.join(', ')}`
    return { code: 'workers-stopping', text, queue: job.queue, workers: names }
  }
  const failing = online.find(({ trouble, children }) => trouble != null && !children.some(isAble))
  if (failing !== undefined && online.every(({ trouble }) => trouble != null)) {
    const text = `the children of worker ${failing.name} do not start: ${failing.trouble}`
    return { code: 'children-failing', text, queue: job.queue, workers: names, trouble: failing.trouble }
  }
  const due = queue === null ? 1 : queue.queued - queue.scheduled
  const others = due > 1 ? `; ${count(due - 1, 'other job')} of the queue ${due === 2 ? 'is' : 'are'} due as well` : ''
  const busy = sum(online.map((worker) => worker.busy))
  const size = sum(online.map((worker) => worker.size))
  if (busy >= size) {
    const text = `all children of the workers that serve queue ${job.queue} are busy (${busy} of ${size})${others}`
    return { code: 'workers-busy', text, queue: job.queue, workers: names, busy, size, due }
  }
  const text = `due, and served by ${names.join(', ')}: about to start${others}`
  return { code: 'ready', text, queue: job.queue, workers: names, busy, size, due }
}

const isAble = ({ state }: ChildStatus): boolean => state === 'idle' || state === 'busy'

const runningReasons = ({ job, workers, now }: Circumstances): Reason[] => {
  const since = job.startedAt === null ? '' : ` since ${past(job.startedAt, now)}`
  const { worker, startedAt, pid, attempt } = job
  const where = worker === null ? '' : ` on worker ${worker}`
  const reasons: Reason[] = [
    {
      code: 'running',
      text: `attempt ${attempt} of ${job.maxAttempts} is running${where}${pid === null ? '' : ` (pid ${pid})`}${since}`,
      worker,
      pid,
      startedAt,
      attempt,
    },
  ]
  if (job.cancelling) {
    reasons.push({ code: 'cancelling', text: 'its cancellation was asked for; its end is not known yet' })
  }
  const holder = workers.find((candidate) => candidate.name === worker)
  if (worker !== null && holder === undefined) {
    const text = `worker ${worker} is gone: another one puts the job back and runs attempt ${attempt} again`
    reasons.push({ code: 'worker-gone', text, worker })
  } else if (holder !== undefined && now - holder.heartbeatAt > silentAfterMs) {
    const text = `worker ${worker} was last heard of ${past(holder.heartbeatAt, now)}`
    reasons.push({ code: 'worker-silent', text, worker, heartbeatAt: holder.heartbeatAt })
  }
  return reasons
}

const standingReasons = ({ job, now }: Circumstances): Reason[] => {
  const reasons: Reason[] = []
  if (job.state !== 'running' && job.expiresAt !== null && job.expiresAt > now) {
    const text = `is cancelled if it has not started by ${future(job.expiresAt, now)}`
    reasons.push({ code: 'expires', text, expiresAt: job.expiresAt })
  }
  if (job.unique !== null) {
    const text = `holds the unique key '${job.unique}': no other job is added with it until this one has finished`
    reasons.push({ code: 'unique-holder', text, unique: job.unique })
  }
  return reasons
}

const ending = (job: Job): Reason => {
  const { finishedAt, startedAt, error, exitCode, signal } = job
  const at = finishedAt === null ? '' : ` at ${instant(finishedAt)}`
  const message = error === null ? 'no reason was kept' : firstLine(error.message)
  if (job.state === 'succeeded') {
    const runtimeMs = finishedAt === null || startedAt === null ? null : finishedAt - startedAt
    const took = runtimeMs === null ? '' : ` after ${rough(runtimeMs)}`
    return { code: 'succeeded', text: `attempt ${job.attempt} succeeded${took}${at}`, finishedAt, runtimeMs }
  }
  if (job.state === 'failed') {
    const type = error?.type ?? 'Error'
    const attempts = job.attempt === 0 ? 'before its first attempt' : `in attempt ${job.attempt} of ${job.maxAttempts}`
    const text = `failed ${attempts} with ${type}: ${message}${at}; 'jobq retry ${job.id}' runs it again`
    return { code: 'failed', text, finishedAt, error, exitCode, signal }
  }
  const codes: Record<string, ReasonCode> = {
    Expired: 'expired',
    DependencyFailed: 'dependency-failed',
    Purged: 'purged',
  }
  const code = codes[error?.type ?? ''] ?? 'cancelled'
  return { code, text: `cancelled${at}: ${message}`, finishedAt, error }
}

const instant = (at: number): string => new Date(at).toISOString()

const future = (at: number, now: number): string => `${instant(at)} (in ${rough(at - now)})`

const past = (at: number, now: number): string => `${instant(at)} (${rough(now - at)} ago)`

const rough = (ms: number): string => formatDuration(ms < 10_000 ? Math.max(0, ms) : Math.round(ms / 1_000) * 1_000)

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? ''

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`
