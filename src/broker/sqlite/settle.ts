/**
 * Carrying out what workers report. Ends that differ in the job's id only (a success without a result, under
 * one token, within one millisecond: what a burst of small jobs looks like) are written by one statement for
 * all of them; should one of those leases turn out to be lost, the burst is undone and written by the row,
 * like every other report. Only inside a write.
 */
import type { Lease } from '../../job.ts'
import type { Report } from '../broker.ts'
import type { HeldJob } from './claim.ts'
import { countFinished, releaseDependents } from './dependents.ts'
import { insertEnds } from './ends.ts'
import { logJobEvents } from './event-writer.ts'
import { type Finished, settleOne, type Turn } from './settle-one.ts'
import { stored } from './state.ts'
import type { Store } from './store.ts'

/** Ends that differ in the job's id only. */
interface Burst {
  readonly first: Finished
  readonly job: HeldJob
  readonly ids: number[]
}

/**
 * Carries out the reports in their order and answers the leases that were lost; `now` is epoch milliseconds.
 * `held` is only read here: `noteSettled` brings it up to date once the transaction has been committed.
 */
export const settleReports = (
  store: Store,
  reports: readonly Report[],
  context: { readonly held: ReadonlyMap<number, HeldJob>; readonly now: number },
): Lease[] => {
  const turn: Turn = { store, held: context.held, now: context.now, lost: [], ended: [] }
  const bursts: Burst[] = []
  const single: Report[] = []
  // Jobs with a report of their own before their end: that end is not the first to tell of the start.
  const told = new Set<number>()
  let open: Burst | null = null
  for (const report of reports) {
    const job = told.size > 0 && told.has(report.id) ? undefined : wholeRun(turn, report)
    if (job === undefined) {
      single.push(report)
      told.add(report.id)
    } else if (open !== null && isAlike(open, report, job)) open.ids.push(report.id)
    else {
      open = { first: report as Finished, job, ids: [report.id] }
      bursts.push(open)
    }
  }
  for (const report of single) settleOne(turn, report)
  for (const burst of bursts) settleBurst(turn, burst)
  if (turn.ended.length > 0) releaseDependents(store, turn.ended, context.now)
  return turn.lost
}

/** Forgets the jobs whose end was reported, and remembers whose start is on record. */
export const noteSettled = (held: Map<number, HeldJob>, reports: readonly Report[], lost: readonly Lease[]): void => {
  for (const report of reports) {
    const job = held.get(report.id)
    if (job?.token !== report.token) continue
    if (report.kind === 'finished') held.delete(report.id)
    else job.told = true
  }
  for (const { id, token } of lost) if (held.get(id)?.token === token) held.delete(id)
}

/** What is remembered of the job, if all that there is to say of its run is that it succeeded; otherwise the report is written by itself. */
const wholeRun = (turn: Turn, report: Report): HeldJob | undefined => {
  if (report.kind !== 'finished' || report.transition.to !== 'succeeded' || report.startedAt === null) return undefined
  if (report.transition.result != null || report.transition.exitCode != null) return undefined
  const held = turn.held.get(report.id)
  return held === undefined || held.token !== report.token || held.told ? undefined : held
}

const isAlike = ({ first, job }: Burst, report: Report, other: HeldJob): boolean =>
  report.kind === 'finished' &&
  report.at === first.at &&
  report.startedAt === first.startedAt &&
  report.pid === first.pid &&
  other.token === job.token &&
  other.task === job.task &&
  other.queue === job.queue &&
  other.attempt === job.attempt &&
  other.plain === job.plain

const settleBurst = (turn: Turn, burst: Burst): void => {
  const { store, ended } = turn
  const { first, job } = burst
  const ids = JSON.stringify(burst.ids)
  store.sql('SAVEPOINT burst').run()
  const { changes } = store
    .sql('DELETE FROM jobq_leases WHERE job IN (SELECT value FROM json_each(?)) AND token = ?')
    .run(ids, job.token)
  if (changes !== burst.ids.length) {
    store.sql('ROLLBACK TO burst').run()
    store.sql('RELEASE burst').run()
    for (const id of burst.ids) settleOne(turn, { ...first, id })
    return
  }
  store.sql('RELEASE burst').run()
  const { queue } = job
  const run = { held: job, pid: first.pid, startedAt: first.startedAt ?? first.at, finishedAt: first.at }
  if (job.plain) insertEnds(store, ids, run)
  else updateEnds(store, ids, run)
  countFinished(store, queue, { succeeded: burst.ids.length })
  ended.push(...burst.ids)
}

/** Records the success of alike jobs in their own rows. */
const updateEnds = (
  store: Store,
  ids: string,
  run: { readonly held: HeldJob; readonly pid: number | null; readonly startedAt: number; readonly finishedAt: number },
): void => {
  const { held, pid, startedAt, finishedAt } = run
  const { token, task, queue, worker, attempt } = held
  store
    .sql(
      `UPDATE jobq_jobs SET state = ${stored.succeeded}, token = ?, worker = ?, attempt = ?, spent = ?, started_at = ?, finished_at = ?, pid = ?,
         error = NULL, exit_code = NULL, signal = NULL, progress = NULL, progress_text = NULL
       WHERE id IN (SELECT value FROM json_each(?))`,
    )
    .run(token, worker, attempt, attempt, startedAt, finishedAt, pid, ids)
  logJobEvents(store, 'job.started', ids, { at: startedAt, task, queue, worker, attempt })
  const runtimeMs = Math.max(0, finishedAt - startedAt)
  logJobEvents(store, 'job.succeeded', ids, { at: finishedAt, task, queue, worker, attempt, runtimeMs })
}
