/** Job states as they are stored, and what they are called outside. */
import type { JobState } from '../../job.ts'

/** Stored codes; `ready` and `scheduled` are both `queued` to the outside. */
export const stored = {
  blocked: 0,
  ready: 1,
  scheduled: 2,
  running: 3,
  succeeded: 4,
  failed: 5,
  cancelled: 6,
} as const

const names: readonly JobState[] = ['blocked', 'queued', 'queued', 'running', 'succeeded', 'failed', 'cancelled']

/** The public name of a stored code. */
export const stateName = (code: number): JobState => names[code] ?? 'failed'

/** The stored codes of a public state. */
export const stateCodes = (state: JobState): number[] => names.flatMap((name, code) => (name === state ? [code] : []))

/** `ready` or `scheduled`, by whether the job is due. */
export const waitingState = (dueAt: number, now: number): number => (dueAt <= now ? stored.ready : stored.scheduled)
