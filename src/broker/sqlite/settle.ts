/**
 * Carrying out what workers report. Ends that differ in the job's id only (a success without a result, under
 * one token, within one millisecond: what a burst of small jobs looks like) are written by one statement for
 * all of them; should one of those leases turn out to be lost, that is undone and each written by its row,
 * like every other report. Only inside a write.
 */
import type { Lease } from '../../job.ts'
import { plainSuccess } from '../../policy.ts'
import type { Report, SingleReport, Succeeded } from '../broker.ts'
import type { HeldJob } from './claim.ts'
import { countFinished, releaseDependents } from './dependents.ts'
import { insertEnds } from './ends.ts'
import { logJobEvents } from './event-writer.ts'
import { endLeases } from './leases.ts'
import { settleOne, type Turn } from './settle-one.ts'
import { stored } from './state.ts'
import type { Store } from './store.ts'

/** Ends that differ in the job's id only. */
interface Ends {
  readonly ids: number[]
  readonly token: number
  readonly task: number
  readonly queue: number
  readonly attempt: number
  readonly plain: boolean
  readonly pid: number | null
  readonly startedAt: number
  readonly finishedAt: number
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
  const groups: Ends[] = []
  const single: SingleReport[] = []
  // Jobs with a report of their own before their end: that end is not the first to tell of the start.
  const told = new Set<number>()
  // What each process has run last.
  const latest = new Map<number | null, Ends>()
  for (const report of reports) {
    const ends = endsOf(turn, report, told)
    if (ends !== null) {
      const open = latest.get(ends.pid)
      if (open !== undefined && isAlike(open, ends)) open.ids.push(...ends.ids)
      else {
        latest.set(ends.pid, ends)
        groups.push(ends)
      }
    } else if (report.kind !== 'succeeded') {
      single.push(report)
      told.add(report.id)
    }
  }
  for (const report of single) settleOne(turn, report)
  const succeeded = new Map<number, number>()
  for (const ends of groups) {
    if (settleEnds(turn, ends)) succeeded.set(ends.queue, (succeeded.get(ends.queue) ?? 0) + ends.ids.length)
  }
  for (const [queue, count] of succeeded) countFinished(store, queue, { succeeded: count })
  if (turn.ended.length > 0) releaseDependents(store, turn.ended, context.now)
  return turn.lost
}

/** Forgets the jobs whose end was reported, and remembers whose start is on record. */
export const noteSettled = (held: Map<number, HeldJob>, reports: readonly Report[], lost: readonly Lease[]): void => {
  for (const report of reports) {
    // What came in a burst is not remembered job by job.
    if (report.kind === 'succeeded') continue
    const job = held.get(report.id)
    if (job?.token !== report.token) continue
    if (report.kind === 'finished') held.delete(report.id)
    else job.told = true
  }
  for (const { id, token } of lost) if (held.get(id)?.token === token) held.delete(id)
}

/** The ends that a report tells of, if all that there is to say of these runs is that they succeeded. */
const endsOf = (turn: Turn, report: Report, told: ReadonlySet<number>): Ends | null => {
  if (report.kind === 'succeeded') return endsOfBurst(turn.store, report)
  return told.size > 0 && told.has(report.id) ? null : wholeRun(turn, report)
}

const endsOfBurst = (store: Store, { ids, token, task, queue, at, startedAt, pid }: Succeeded): Ends => ({
  ids: [...ids],
  token,
  task: store.taskId(task),
  queue: store.queueId(queue),
  attempt: 1,
  plain: true,
  pid,
  startedAt,
  finishedAt: at,
})

/** The end of one job, if all that there is to say of its run is that it succeeded; otherwise the report is written by itself. */
const wholeRun = (turn: Turn, report: SingleReport): Ends | null => {
  if (report.kind !== 'finished' || report.transition.to !== 'succeeded' || report.startedAt === null) return null
  if (report.transition.result != null || report.transition.exitCode != null) return null
  const held = turn.held.get(report.id)
  if (held === undefined || held.token !== report.token || held.told) return null
  const { token, task, queue, attempt, plain } = held
  const { id, pid, startedAt, at: finishedAt } = report
  return { ids: [id], token, task, queue, attempt, plain, pid, startedAt, finishedAt }
}

const isAlike = (ends: Ends, other: Ends): boolean =>
  other.finishedAt === ends.finishedAt &&
  other.startedAt === ends.startedAt &&
  other.pid === ends.pid &&
  other.token === ends.token &&
  other.task === ends.task &&
  other.queue === ends.queue &&
  other.attempt === ends.attempt &&
  other.plain === ends.plain

/** Writes ends at once; false where that could not be done and each was written by itself. */
const settleEnds = (turn: Turn, ends: Ends): boolean => {
  const { store, ended } = turn
  const { ids, token, attempt, pid, startedAt, finishedAt } = ends
  store.sql('SAVEPOINT ends').run()
  const worker = endLeases(store, ids, token)
  if (worker === null) store.sql('ROLLBACK TO ends').run()
  store.sql('RELEASE ends').run()
  if (worker === null) {
    const run = { kind: 'finished', token, attempt, pid, startedAt, at: finishedAt, transition: plainSuccess } as const
    for (const id of ids) settleOne(turn, { ...run, id })
    return false
  }
  if (ends.plain) insertEnds(store, ids, { ...ends, worker })
  else updateEnds(store, { ...ends, worker })
  ended.push(...ids)
  return true
}

/** Records the success of alike jobs in their own rows. */
const updateEnds = (store: Store, ends: Ends & { readonly worker: number }): void => {
  const { token, task, queue, worker, attempt, pid, startedAt, finishedAt } = ends
  const ids = JSON.stringify(ends.ids)
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
