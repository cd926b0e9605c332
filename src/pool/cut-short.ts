import { formatDuration } from '../duration.ts'
import type { Outcome } from '../outcome.ts'
import type { EndCause, Ended, Interrupted, RunJob } from './pool.ts'

/** How the end of a child ended a job that was to end. */
export interface CutShort {
  readonly cause: EndCause
  /** Its hard time limit, in milliseconds; 0 where that is not why. */
  readonly limitMs: number
  /** Whether its task is a program. */
  readonly isProgram: boolean
  /** The process that ran it, once it had begun. */
  readonly pid: number
}

/** The end of a job that ended with its child, as was asked for. */
export const cutShort = <J extends RunJob>(
  { job, started, startedAt, pid }: Interrupted<J> & { readonly pid: number | null },
  cut: CutShort,
): Ended<J> => {
  const at = Date.now()
  const runMs = startedAt === null ? 0 : Math.max(0, at - startedAt)
  const outcome = outcomeOf(started !== 'no', cut)
  return { job, startedAt, at, runMs, pid: startedAt === null ? null : (pid ?? cut.pid), outcome }
}

const outcomeOf = (ran: boolean, { cause, limitMs, isProgram }: CutShort): Outcome => {
  if (cause === 'shutdown') return { type: 'returned', started: ran, cause }
  if (cause === 'cancelled') {
    return { type: 'cancelled', reason: ran ? 'cancelled while it ran' : 'cancelled before it started' }
  }
  const message = `it ran longer than its time limit of ${formatDuration(limitMs)}`
  const error = { type: 'TimeLimitExceeded', message }
  return { type: 'failed', final: false, error, ...(isProgram ? { signal: 'SIGKILL' } : {}) }
}
