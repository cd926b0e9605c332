/** Carrying out one report of a job, by the job's row. Only inside a write. */
import type { Lease } from '../../job.ts'
import type { Transition } from '../../outcome.ts'
import type { SingleReport } from '../broker.ts'
import type { HeldJob } from './claim.ts'
import { countFinished } from './dependents.ts'
import { logJobEvent } from './event-writer.ts'
import { endLease, leaseOf } from './leases.ts'
import { resultColumns } from './payload-columns.ts'
import { makeReady } from './ready.ts'
import { stored, waitingState } from './state.ts'
import { eventCode, type Store } from './store.ts'

type Finished = Extract<SingleReport, { kind: 'finished' }>

/** What the settling of one turn shares. */
export interface Turn {
  readonly store: Store
  readonly held: ReadonlyMap<number, HeldJob>
  readonly now: number
  readonly lost: Lease[]
  /** Jobs that reached a final state, for their dependents. */
  readonly ended: number[]
}

interface Row {
  readonly task: number
  readonly queue: number
  readonly state: number
  /** The lease's, null where nobody holds the job. */
  readonly token: number | null
  /** The claim whose end was recorded last. */
  readonly settledToken: number
  readonly worker: number | null
  readonly attempt: number
  readonly startedAt: number | null
  readonly dueAt: number
  readonly cancelling: number | null
}

/** Carries out one report; a stale one changes nothing, is logged and counts as lost. */
export const settleOne = (turn: Turn, report: SingleReport): void => {
  const { store, lost } = turn
  const row = store
    .sql<Row>(
      `SELECT j.task, j.queue, j.state, l.token, j.token AS settledToken, l.worker, j.attempt, j.started_at AS startedAt, j.due_at AS dueAt, l.cancelling
       FROM jobq_current j LEFT JOIN jobq_leases l ON ${leaseOf('j.id')} WHERE j.id = ?`,
    )
    .get(report.id)
  if (row?.token !== report.token) {
    if (row !== undefined && isRepeat(row, report)) return
    if (row !== undefined) logStale(turn, row, report)
    lost.push({ id: report.id, token: report.token })
    return
  }
  if (report.kind === 'started') recordStart(turn, row, report)
  else if (report.kind === 'progress') recordProgress(turn, row, report)
  else recordEnd(turn, row, report)
}

/**
 * True for an end that was recorded already under the same token: the answer to it had not arrived. A settle leaves
 * the token of its claim with the job until it is claimed again.
 */
const isRepeat = (row: Row, report: SingleReport): boolean =>
  report.kind === 'finished' && row.token === null && row.settledToken === report.token

const logStale = (turn: Turn, row: Row, report: SingleReport): void => {
  const data = { report: report.kind, token: report.token }
  logJobEvent(turn.store, 'job.stale', turn.now, {
    job: report.id,
    task: row.task,
    queue: row.queue,
    worker: turn.held.get(report.id)?.worker ?? null,
    attempt: report.attempt,
    data,
  })
}

const recordStart = (
  turn: Turn,
  row: Row,
  start: { id: number; attempt: number; at: number; pid: number | null },
): void => {
  if (row.state === stored.running) return
  turn.store
    .sql(
      `UPDATE jobq_jobs SET state = ${stored.running}, worker = ?, attempt = ?, started_at = ?, finished_at = NULL, pid = ?,
         exit_code = NULL, signal = NULL, progress = NULL, progress_text = NULL WHERE id = ?`,
    )
    .run(row.worker, start.attempt, start.at, start.pid, start.id)
  logJobEvent(turn.store, 'job.started', start.at, {
    ...eventRow(row, start),
    data: start.pid === null ? {} : { pid: start.pid },
  })
}

const eventRow = (row: Row, report: { readonly id: number; readonly attempt: number }) => ({
  job: report.id,
  task: row.task,
  queue: row.queue,
  worker: row.worker,
  attempt: report.attempt,
})

const recordProgress = (turn: Turn, row: Row, report: Extract<SingleReport, { kind: 'progress' }>): void => {
  const { fraction, text } = report
  turn.store.sql('UPDATE jobq_jobs SET progress = ?, progress_text = ? WHERE id = ?').run(fraction, text, report.id)
  logJobEvent(turn.store, 'job.progress', report.at, { ...eventRow(row, report), data: { fraction, text } })
}

const recordEnd = (turn: Turn, row: Row, report: Finished): void => {
  const { store, ended } = turn
  const started = report.startedAt !== null
  if (started && row.state !== stored.running) {
    recordStart(turn, row, {
      id: report.id,
      attempt: report.attempt,
      at: report.startedAt ?? report.at,
      pid: report.pid,
    })
  }
  endLease(store, report.id)
  const transition = wasCancelled(row, report.transition)
  const attempt = started ? report.attempt : row.attempt
  if (transition.to === 'queued') {
    requeueHeld(turn, row, { report, transition, attempt })
    return
  }
  const error = transition.error ?? null
  store
    .sql(
      `UPDATE jobq_jobs SET state = ?, token = ?, worker = ?, attempt = ?, spent = spent + ?, crashes = crashes + ?, alone = 0, finished_at = ?,
         retries = coalesce(retries, ?), result = ?, result_coding = ?, error = ?, exit_code = ?, signal = ? WHERE id = ?`,
    )
    .run(
      stored[transition.to],
      report.token,
      row.worker,
      attempt,
      transition.spent ? 1 : 0,
      transition.crashed ? 1 : 0,
      report.at,
      transition.retries ?? null,
      ...resultColumns(transition.result),
      error === null ? null : JSON.stringify(error),
      transition.exitCode ?? null,
      transition.signal ?? null,
      report.id,
    )
  countFinished(store, row.queue, { [transition.to]: 1 })
  ended.push(report.id)
  logEnd(turn, row, { report, transition, attempt })
}

/** A job whose cancel was asked for does not go back to the queue, whatever its run came to. */
const wasCancelled = (row: Row, transition: Transition): Transition => {
  if (row.cancelling !== 1 || transition.to !== 'queued') return transition
  const error = { type: 'Cancelled', message: 'cancelled' }
  return { to: 'cancelled', event: 'job.cancelled', spent: false, crashed: transition.crashed, error }
}

interface End {
  readonly report: Finished
  readonly transition: Transition
  readonly attempt: number
}

const requeueHeld = (turn: Turn, row: Row, end: End): void => {
  if (end.transition.event === null) {
    const state = waitingState(row.dueAt, turn.now)
    turn.store
      .sql('UPDATE jobq_jobs SET state = ?, token = ?, worker = ?, pid = NULL, alone = 0 WHERE id = ?')
      .run(state, end.report.token, row.worker, end.report.id)
    makeReady(turn.store, end.report.id)
    return
  }
  const { report, transition, attempt } = end
  const dueAt = transition.dueAt ?? row.dueAt
  turn.store
    .sql(
      `UPDATE jobq_jobs SET state = ?, token = ?, worker = ?, attempt = ?, spent = spent + ?, crashes = crashes + ?, alone = ?, due_at = ?, pid = NULL,
         retries = coalesce(retries, ?), error = ?, exit_code = ?, signal = ? WHERE id = ?`,
    )
    .run(
      waitingState(dueAt, turn.now),
      report.token,
      row.worker,
      attempt,
      transition.spent ? 1 : 0,
      transition.crashed ? 1 : 0,
      transition.alone === true ? 1 : 0,
      dueAt,
      transition.retries ?? null,
      transition.error == null ? null : JSON.stringify(transition.error),
      transition.exitCode ?? null,
      transition.signal ?? null,
      report.id,
    )
  makeReady(turn.store, report.id)
  logEnd(turn, row, end)
}

const logEnd = (turn: Turn, row: Row, end: End): void => {
  const { report, transition, attempt } = end
  if (transition.event === null) return
  const data: Record<string, unknown> = {}
  if (transition.dueAt !== undefined) data.dueAt = transition.dueAt
  if (transition.error != null) data.error = { type: transition.error.type, message: transition.error.message }
  if (transition.exitCode != null) data.exitCode = transition.exitCode
  if (transition.signal != null) data.signal = transition.signal
  if (transition.cause !== undefined) data.cause = transition.cause
  if (report.transition.event === 'job.recovered' && transition.event === 'job.cancelled') data.interrupted = true
  if (transition.event === 'job.recovered') data.started = report.startedAt !== null
  const runtimeMs = report.startedAt === null ? null : Math.max(0, report.at - report.startedAt)
  turn.store
    .sql(
      'INSERT INTO jobq_events(at, type, job, task, queue, worker, attempt, runtime_ms, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    )
    .run(
      report.at,
      eventCode(transition.event),
      report.id,
      row.task,
      row.queue,
      row.worker,
      attempt,
      runtimeMs,
      Object.keys(data).length === 0 ? null : JSON.stringify(data),
    )
}
