// The log alone must tell what became of a job: its events in their order, each of which only some states allow.
import type { LoggedEvent, StoredJob } from './evidence.ts'

/** Instants come from two processes and are rounded: they may differ by this, in milliseconds. */
const roundingMs = 2

const finished = ['succeeded', 'failed', 'cancelled']

/** States in which each event may come, and the state that it leads to; `null` leaves the state as it is. */
const rules: Readonly<Record<string, { readonly from: readonly string[]; readonly to: string | null }>> = {
  'job.queued': { from: ['absent'], to: 'queued' },
  'job.started': { from: ['queued'], to: 'running' },
  'job.progress': { from: ['running'], to: null },
  'job.succeeded': { from: ['running'], to: 'succeeded' },
  'job.failed': { from: ['running'], to: 'failed' },
  'job.rejected': { from: ['queued', 'running'], to: 'failed' },
  'job.cancelled': { from: ['blocked', 'queued', 'running'], to: 'cancelled' },
  'job.snoozed': { from: ['running'], to: 'queued' },
  'job.retried': { from: ['running'], to: 'queued' },
  'job.recovered': { from: ['queued', 'running'], to: 'queued' },
  'job.requeued': { from: finished, to: 'queued' },
  'job.replaced': { from: ['blocked', 'queued'], to: 'queued' },
  'job.released': { from: ['blocked'], to: 'queued' },
  'job.stale': { from: ['blocked', 'queued', 'running', ...finished], to: null },
}

/** Events behind which a run is another attempt: ends that used theirs up, and a new beginning whatever the end was. */
const spending = ['job.retried', 'job.succeeded', 'job.failed', 'job.requeued']

/** What is wrong with a job's events, or with the job that they should have led to. */
export const replay = (job: StoredJob, events: readonly LoggedEvent[]): string[] => {
  const found: string[] = []
  let state = 'absent'
  let dueAt = 0
  let attempt = 0
  let next = 1
  for (const event of events) {
    const rule = rules[event.type]
    if (rule === undefined || !(rule.from.includes(state) || isGivenUp(event, state))) {
      found.push(`${promiseOf(event, state)}: job ${job.id} was ${state} and has ${event.type} (event ${event.id})`)
      continue
    }
    if (event.type === 'job.started') {
      if (event.at < dueAt - roundingMs) found.push(`9: job ${job.id} started ${dueAt - event.at} ms before it was due`)
      if (event.attempt !== next) found.push(`5: job ${job.id} started attempt ${event.attempt}, not ${next}`)
      attempt = event.attempt ?? 0
    }
    if (spending.includes(event.type)) next = attempt + 1
    if (typeof event.data.dueAt === 'number') dueAt = event.data.dueAt
    if (rule.to !== null) state = 'blocked' in event.data ? 'blocked' : rule.to
  }
  if (state !== job.state) found.push(`10: job ${job.id} is ${job.state}, its events say ${state}`)
  if (attempt !== job.attempt) found.push(`10: job ${job.id} is in attempt ${job.attempt}, its events say ${attempt}`)
  return found
}

/** A job may be given up for its crashes when it is found again, without having been started once more. */
const isGivenUp = ({ type, data }: LoggedEvent, state: string): boolean => {
  const error = data.error
  const reason = typeof error === 'object' && error !== null && 'type' in error ? error.type : null
  return type === 'job.failed' && state === 'queued' && (reason === 'PoisonJob' || reason === 'Crashed')
}

const promiseOf = ({ type }: LoggedEvent, state: string): number => {
  if (type === 'job.queued') return 1
  if (state === 'absent') return 2
  if (type === 'job.started') return state === 'running' ? 5 : state === 'blocked' ? 9 : 3
  return finished.includes(state) ? 3 : 10
}
