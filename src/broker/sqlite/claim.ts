/**
 * Handing out jobs. Before the queues are read, jobs whose time has come become ready, those past their
 * expiry are cancelled, and those whose lease ran out go back to ready, so that the claim itself is a few
 * index seeks a queue, whatever else the file holds. Only inside a write.
 */
import { Burst } from '../../burst.ts'
import type { Moment } from '../../clock.ts'
import type { ClaimedJob } from '../../job.ts'
import { traceContext } from '../../trace-context.ts'
import type { ClaimRequest } from '../broker.ts'
import { catchUp } from './catch-up.ts'
import { grantLeases } from './leases.ts'
import { toPayload, unreadable } from './payload-columns.ts'
import type { QueueTurns } from './queue-turns.ts'
import { type ReadyBurst, type ReadyRow, rareOf, takeReadyOf, together } from './ready-jobs.ts'
import { toRunOptions } from './run-options-column.ts'
import { StartRates } from './start-rates.ts'
import type { Store } from './store.ts'

/** What the broker remembers of a job it handed out, so that settling it need not read the row. */
export interface HeldJob {
  readonly token: number
  readonly task: number
  readonly queue: number
  readonly worker: number
  readonly attempt: number
  /** Its success need not be written into its own row: nothing but its state would change there. */
  readonly plain: boolean
  /** Something of its run is on record already. */
  told: boolean
}

/** So many throttled jobs are passed by in one turn at the most. */
const passAtMost = 10_000

/** What claims of one broker share. */
export interface ClaimContext {
  readonly now: Moment
  readonly turns: QueueTurns
  /** What the broker should remember of the jobs taken, once this is committed. */
  readonly taken: [number, HeldJob][]
  /** To be called where there is more to look through than one turn should take. */
  readonly again: () => void
}

/** Takes due jobs for a worker. */
export const claimJobs = (store: Store, request: ClaimRequest, context: ClaimContext): (ClaimedJob | Burst)[] => {
  const { now, taken } = context
  catchUp(store, now)
  const rates = StartRates.read(store, now.at)
  const rows =
    rates === null
      ? takeReady(store, request, { turns: context.turns, limit: request.limit })
      : takeRated(store, request, { ...context, rates })
  if (rows.length === 0) return []
  const token = store.value("UPDATE jobq_meta SET value = value + 1 WHERE key = 'token' RETURNING value") as number
  const { worker, leaseMs, burst } = request
  const ids = rows.map(([id]) => id)
  grantLeases(store, ids, { token, worker, until: Math.round(now.tick + leaseMs) })
  const jobs = burst === undefined ? rows : together(rows, burst)
  return jobs.map((job) =>
    'columns' in job ? toBurst(store, job, token) : handOut(store, job, { token, worker, taken }),
  )
}

/** Takes rows off the list, as many as there are up to `limit`. */
const takeReady = (
  store: Store,
  request: ClaimRequest,
  { turns, limit }: { readonly turns: QueueTurns; readonly limit: number },
): ReadyRow[] => turns.take(readyQueues(store, request), limit, (queue, most) => takeReadyOf(store, queue, most))

/** As `takeReady`, passing by jobs whose task may not start another now. */
const takeRated = (
  store: Store,
  request: ClaimRequest,
  { turns, rates, again }: ClaimContext & { readonly rates: StartRates },
): ReadyRow[] => {
  rates.putBack()
  const admitted: ReadyRow[] = []
  let passed = 0
  while (admitted.length < request.limit && passed < passAtMost) {
    const rows = takeReady(store, request, { turns, limit: request.limit - admitted.length })
    if (rows.length === 0) break
    const started = rates.admit(rows)
    admitted.push(...started)
    passed += rows.length - started.length
  }
  rates.pay()
  if (passed >= passAtMost) again()
  return admitted
}

const toBurst = (store: Store, { task, queue, rank, retries, columns }: ReadyBurst, token: number): Burst => {
  const like = {
    token,
    task: store.nameOf('jobq_tasks', task) ?? '',
    queue: store.nameOf('jobq_queues', queue) ?? '',
    priority: 0 - rank,
    attempt: 1,
    base: 0,
    retries,
    crashes: 0,
    recovered: false,
    options: {},
    trace: null,
    expiresAt: null,
  }
  return new Burst(like, columns)
}

const handOut = (
  store: Store,
  row: ReadyRow,
  claim: { readonly token: number; readonly worker: number; readonly taken: [number, HeldJob][] },
): ClaimedJob => {
  const [id, task, queue, dueAt, createdAt, retries, payload, rankOrRare] = row
  const [
    rank,
    spent,
    base,
    crashes,
    alone,
    expiresAt,
    options,
    serializer,
    coding,
    signature,
    plain,
    traceparent,
    tracestate,
  ] = rareOf(row)
  const { token, worker, taken } = claim
  const attempt = spent + 1
  const known = toRunOptions(options)
  taken.push([id, { token, task, queue, worker, attempt, plain: plain === 1, told: false }])
  return {
    id,
    token,
    task: store.nameOf('jobq_tasks', task) ?? '',
    queue: store.nameOf('jobq_queues', queue) ?? '',
    priority: 0 - rank,
    attempt,
    base,
    retries,
    crashes,
    recovered: alone === 1,
    payload:
      typeof rankOrRare === 'number' && typeof payload === 'string'
        ? { serializer: 'json', text: payload }
        : known === null
          ? // Without its limits it is not the job that was asked for.
            unreadable('its options are none')
          : toPayload(payload, { serializer, coding, signature }),
    options: known ?? {},
    createdAt,
    dueAt,
    trace: traceparent === null ? null : traceContext(traceparent, tracestate),
    expiresAt,
  }
}

/** The queues with ready jobs that this request may take from, in the order it asked for. */
const readyQueues = (store: Store, request: ClaimRequest): { id: number; weight: number; strict: boolean }[] => {
  const ready = store
    .sql<number>(
      `WITH RECURSIVE ready(id) AS (
         SELECT * FROM (SELECT queue FROM jobq_ready ORDER BY queue LIMIT 1)
         UNION ALL
         SELECT (SELECT queue FROM jobq_ready WHERE queue > ready.id ORDER BY queue LIMIT 1) FROM ready WHERE ready.id IS NOT NULL
       )
       SELECT id FROM ready WHERE id IN (SELECT id FROM jobq_queues WHERE paused = 0)`,
    )
    .pluck()
    .all()
  if (request.queues === null) return ready.map((id) => ({ id, weight: 1, strict: false }))
  const strict = request.order === 'strict'
  const known = new Map(ready.map((id) => [store.nameOf('jobq_queues', id), id]))
  return request.queues.flatMap(({ name, weight }) => {
    const id = known.get(name)
    return id === undefined ? [] : [{ id, weight, strict }]
  })
}
