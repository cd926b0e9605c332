import type { JobqEvent } from '../../src/event.ts'
import type { JobState } from '../../src/job.ts'

/** A state in which a job can be; `absent` before it was added. */
export type Standing = JobState | 'absent'

const finished = ['succeeded', 'failed', 'cancelled'] as const

/** From which states each event of the log leads to which; events that are not here move no job. */
const moves: Readonly<Record<string, { readonly from: readonly Standing[]; readonly to: JobState }>> = {
  'job.queued': { from: ['absent'], to: 'queued' },
  'job.started': { from: ['queued'], to: 'running' },
  'job.succeeded': { from: ['running'], to: 'succeeded' },
  // A job whose runs were all cut by crashes is given up when it is found again, without another start.
  'job.failed': { from: ['running', 'queued'], to: 'failed' },
  'job.rejected': { from: ['queued', 'running'], to: 'failed' },
  'job.cancelled': { from: ['queued', 'blocked', 'running'], to: 'cancelled' },
  'job.snoozed': { from: ['running'], to: 'queued' },
  'job.retried': { from: ['running'], to: 'queued' },
  'job.recovered': { from: ['running', 'queued'], to: 'queued' },
  'job.requeued': { from: finished, to: 'queued' },
  'job.replaced': { from: ['queued', 'blocked'], to: 'queued' },
  'job.released': { from: ['blocked'], to: 'queued' },
}

/** The state that an event leaves its job in; null where it moves none. */
export const standingAfter = ({ type, data }: JobqEvent): JobState | null => {
  const move = moves[type]
  if (move === undefined) return null
  return 'blocked' in data && move.to === 'queued' ? 'blocked' : move.to
}

/** The state that an event found its job in; null where the event alone does not tell. */
export const standingBefore = (event: JobqEvent): Standing | null => {
  const move = moves[event.type]
  if (move === undefined) return null
  if (event.type === 'job.recovered') return event.data.started === false ? 'queued' : 'running'
  if (event.type === 'job.failed') return 'runtimeMs' in event.data ? 'running' : null
  return move.from.length === 1 ? (move.from[0] ?? null) : null
}
