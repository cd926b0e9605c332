/** A job as the memory broker keeps it, and the two views of it that go out. Rows are never changed, only put anew. */
import type {
  ClaimedJob,
  Job,
  JobError,
  JobState,
  Payload,
  PayloadReader,
  Progress,
  RunOptions,
  TaskDefaults,
} from '../../job.ts'
import { serializerName, shown, signerOf } from '../../plain-payload.ts'
import { traceContext } from '../../trace-context.ts'
import type { ResolvedJob } from '../defaults.ts'

/** Who holds a job, and until which reading of the monotonic clock. */
export interface RowLease {
  readonly worker: number
  readonly until: number
}

/** Everything known of one job; instants in epoch milliseconds. A queued row with a lease is claimed, not started. */
export interface JobRow extends Omit<ResolvedJob, 'onConflict' | 'hold' | 'sign'> {
  readonly id: number
  readonly state: JobState
  readonly createdAt: number
  /** Blocked until released by hand. */
  readonly held: boolean
  /** The number of the current or last run, 0 before the first. */
  readonly attempt: number
  /** Attempts used up, and how many of them before the present budget of retries. */
  readonly spent: number
  readonly base: number
  readonly crashes: number
  /** It was handed out before and did not come back. */
  readonly recovered: boolean
  readonly lease: RowLease | null
  /** The token of the present claim, or of the last one if its end was reported; else 0. */
  readonly token: number
  readonly cancelling: boolean
  /** The session that holds or last held it. */
  readonly worker: number | null
  readonly pid: number | null
  readonly startedAt: number | null
  readonly finishedAt: number | null
  readonly result: Payload | null
  readonly error: JobError | null
  readonly exitCode: number | null
  readonly signal: string | null
  readonly progress: Progress | null
}

/** A job that has just been added and may run. */
export const newRow = (job: ResolvedJob, id: number, createdAt: number): JobRow => {
  const { onConflict: _, hold, sign: __, ...said } = job
  return {
    ...said,
    payload: signed(job, id),
    ...unrun,
    id,
    createdAt,
    held: hold,
    attempt: 0,
    spent: 0,
    base: 0,
  }
}

/** What a job that has not run, or starts over, has not: a holder, crashes, an end. */
export const unrun = {
  state: 'queued',
  crashes: 0,
  recovered: false,
  lease: null,
  token: 0,
  cancelling: false,
  worker: null,
  pid: null,
  startedAt: null,
  finishedAt: null,
  result: null,
  error: null,
  exitCode: null,
  signal: null,
  progress: null,
} as const

/** True for a job that waits and that no worker has. */
export const isWaiting = (row: JobRow): boolean =>
  row.lease === null && (row.state === 'blocked' || row.state === 'queued')

/** A row in the hands of a worker. */
export const toClaimedJob = (row: JobRow): ClaimedJob => ({
  id: row.id,
  token: row.token,
  task: row.task,
  queue: row.queue,
  priority: row.priority,
  attempt: row.spent + 1,
  base: row.base,
  retries: row.retries,
  crashes: row.crashes,
  recovered: row.recovered,
  payload: row.payload,
  options: row.options,
  createdAt: row.createdAt,
  dueAt: row.dueAt,
  trace: traceContext(row.meta?.traceparent, row.meta?.tracestate),
  expiresAt: row.attempt === 0 ? row.expiresAt : null,
})

/** A row as anyone may look at it. */
export const toJob = (
  row: JobRow,
  context: {
    readonly read: PayloadReader
    readonly now: number
    readonly worker: string | null
    readonly defaults: TaskDefaults | undefined
  },
): Job => {
  const owner = { job: row.id, task: row.task, queue: row.queue }
  const payload = shown(context.read, row.payload, { ...owner, part: 'payload' })
  const result = shown(context.read, row.result, { ...owner, part: 'result' })
  return {
    id: row.id,
    task: row.task,
    queue: row.queue,
    state: row.state,
    label: labelOf(row, context.now),
    priority: row.priority,
    attempt: row.attempt,
    maxAttempts: row.base + (row.retries ?? context.defaults?.retries ?? 0) + 1,
    payload: payload.value,
    result: result.value,
    hidden: {
      ...(payload.hidden === undefined ? {} : { payload: payload.hidden }),
      ...(result.hidden === undefined ? {} : { result: result.hidden }),
    },
    error: row.error,
    exitCode: row.exitCode,
    signal: row.signal,
    progress: row.progress,
    createdAt: row.createdAt,
    dueAt: row.dueAt,
    startedAt: row.startedAt,
    finishedAt: row.finishedAt,
    expiresAt: row.expiresAt,
    worker: context.worker,
    pid: row.pid,
    unique: row.uniqueKey,
    tags: row.tags,
    meta: row.meta ?? {},
    name: row.name,
    after: row.after,
    afterAny: row.afterAny,
    serializer: serializerName(row.payload),
    compression: row.payload.compression ?? null,
    signedBy: signerOf(row.payload),
    ref: row.ref,
    options: row.options satisfies RunOptions,
    crashes: row.crashes,
    cancelling: row.cancelling,
    claimed: row.state === 'queued' && row.lease !== null,
  }
}

const labelOf = (row: JobRow, now: number): Job['label'] => {
  if (row.state !== 'queued') return null
  if (row.spent > row.base) return 'retrying'
  return row.dueAt > now ? 'scheduled' : null
}

/** The payload of a job, signed for it if that was asked for. */
export const signed = (job: ResolvedJob, id: number): Payload => {
  const { sign, payload, task, queue } = job
  return sign === undefined ? payload : { ...payload, signature: sign({ part: 'payload', job: id, task, queue }) }
}
