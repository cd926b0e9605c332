/**
 * What workers report of the jobs they hold. A report counts only under the token of the present claim;
 * what comes under another one changes nothing and is logged `job.stale`.
 */
import type { Moment } from '../../clock.ts'
import type { Lease } from '../../job.ts'
import type { Transition } from '../../outcome.ts'
import type { LeaseStatus, Report, SingleReport } from '../broker.ts'
import { singleReports } from '../single-reports.ts'
import { settleDependents } from './dependents.ts'
import type { MemoryStore } from './memory-store.ts'
import type { JobRow, RowLease } from './row.ts'

type HeldRow = JobRow & { readonly lease: RowLease }

/** Carries out reports in their order and answers the leases that were lost. */
export const settleReports = (store: MemoryStore, reports: readonly Report[], now: Moment): Lease[] => {
  const lost: Lease[] = []
  for (const report of reports.flatMap((each) => (each.kind === 'succeeded' ? singleReports(each) : [each]))) {
    const row = heldRow(store, report)
    if (row !== null) apply(store, row, { report, now })
    else if (!isRepeatedEnd(store, report)) {
      logStale(store, report, now)
      lost.push({ id: report.id, token: report.token })
    }
  }
  return lost
}

/** Renews leases and says how each stands. */
export const extendLeases = (
  store: MemoryStore,
  leases: readonly Lease[],
  terms: { readonly leaseMs: number; readonly now: Moment },
): LeaseStatus[] =>
  leases.map((lease) => {
    const row = heldRow(store, lease)
    if (row === null) return 'lost'
    store.put({ ...row, lease: { ...row.lease, until: terms.now.tick + terms.leaseMs } })
    return row.cancelling ? 'cancelling' : 'held'
  })

const heldRow = (store: MemoryStore, lease: Lease): HeldRow | null => {
  const row = store.jobs.get(lease.id)
  return row !== undefined && row.lease !== null && row.token === lease.token ? { ...row, lease: row.lease } : null
}

/** A job that was taken from its holder, or whose end is not the last word on it, has no token any more. */
const isRepeatedEnd = (store: MemoryStore, report: SingleReport): boolean =>
  report.kind === 'finished' && store.jobs.get(report.id)?.token === report.token

const logStale = (store: MemoryStore, report: SingleReport, now: Moment): void => {
  const row = store.jobs.get(report.id)
  const { attempt, kind, token } = report
  if (row !== undefined) store.logJob('job.stale', now.at, { row, attempt, data: { report: kind, token } })
}

const apply = (
  store: MemoryStore,
  row: HeldRow,
  given: { readonly report: SingleReport; readonly now: Moment },
): void => {
  const { report, now } = given
  const worker = store.workerName(row.lease.worker)
  switch (report.kind) {
    case 'started':
      start(store, row, report)
      return
    case 'progress': {
      const { fraction, text } = report
      store.put({ ...row, progress: { fraction, text } })
      store.logJob('job.progress', report.at, { row, worker, attempt: report.attempt, data: { fraction, text } })
      return
    }
    case 'finished':
      finish(store, report.startedAt === null ? row : start(store, row, { ...report, at: report.startedAt }), {
        report,
        now,
      })
  }
}

/** Records a start, unless it is known already under this claim. */
const start = (
  store: MemoryStore,
  row: HeldRow,
  run: { readonly attempt: number; readonly at: number; readonly pid: number | null },
): HeldRow => {
  if (row.state === 'running') return row
  const { attempt, at: startedAt, pid } = run
  const cleared = { finishedAt: null, exitCode: null, signal: null, progress: null }
  const started = { ...row, ...cleared, state: 'running', attempt, startedAt, pid } as const
  store.put(started)
  store.logJob('job.started', startedAt, { row: started, worker: store.workerName(row.lease.worker), data: { pid } })
  return started
}

const finish = (
  store: MemoryStore,
  row: HeldRow,
  given: { readonly report: Extract<SingleReport, { kind: 'finished' }>; readonly now: Moment },
): void => {
  const { report, now } = given
  const transition = row.cancelling ? cancelledInstead(report.transition) : report.transition
  const { to, event } = transition
  store.put({
    ...row,
    ...(event === null ? {} : ending(transition)),
    ...(to === 'queued' ? { pid: null } : { finishedAt: report.at }),
    state: to,
    spent: row.spent + (transition.spent ? 1 : 0),
    crashes: row.crashes + (transition.crashed ? 1 : 0),
    recovered: transition.alone === true,
    retries: row.retries ?? transition.retries ?? null,
    lease: null,
    cancelling: false,
  })
  if (event !== null) {
    const interrupted = event === 'job.cancelled' && report.transition.event === 'job.recovered'
    const data = { ...eventData(transition, report), ...(interrupted ? { interrupted } : {}) }
    store.logJob(event, report.at, { row, worker: store.workerName(row.lease.worker), data })
  }
  if (to !== 'queued') settleDependents(store, row.id, now)
}

/** Whose end was asked for does not run again: what would queue it cancels it. */
const cancelledInstead = (transition: Transition): Transition => {
  if (transition.to !== 'queued') return transition
  const error = { type: 'Cancelled', message: 'cancelled' }
  return { to: 'cancelled', event: 'job.cancelled', spent: false, crashed: transition.crashed, error }
}

/** What a job that was given back unrun keeps. */
const ending = (transition: Transition): Partial<JobRow> => ({
  ...(transition.dueAt === undefined ? {} : { dueAt: transition.dueAt }),
  result:
    typeof transition.result === 'string'
      ? { serializer: 'json', text: transition.result }
      : (transition.result ?? null),
  error: transition.error ?? null,
  exitCode: transition.exitCode ?? null,
  signal: transition.signal ?? null,
})

const eventData = (
  transition: Transition,
  report: { readonly at: number; readonly startedAt: number | null },
): Record<string, unknown> => {
  const { event, error, dueAt, exitCode, signal, cause } = transition
  const { at, startedAt } = report
  return {
    ...(startedAt === null ? {} : { runtimeMs: Math.max(0, at - startedAt) }),
    ...(dueAt === undefined ? {} : { dueAt }),
    ...(error == null ? {} : { error: { type: error.type, message: error.message } }),
    ...(exitCode == null ? {} : { exitCode }),
    ...(signal == null ? {} : { signal }),
    ...(cause === undefined ? {} : { cause }),
    ...(event === 'job.recovered' ? { started: startedAt !== null } : {}),
  }
}
