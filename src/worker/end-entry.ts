import type { ClaimedJob } from '../job.ts'
import type { Transition } from '../outcome.ts'
import type { LogEntry, LogLevel } from './log-entry.ts'

/** How loudly the end of a run is logged; null where nothing is to be said. */
export const endLevel = (transition: Transition): LogLevel | null => {
  if (transition.event === null) return null
  if (transition.to === 'failed') return 'error'
  return transition.event === 'job.succeeded' ? 'info' : 'warn'
}

/** The log entry for the end of a run. `at` is epoch milliseconds; `runMs` is absent where it never ran. */
export const endEntry = (
  job: ClaimedJob,
  transition: Transition,
  run: { readonly level: LogLevel; readonly at: number; readonly runMs: number | undefined },
): LogEntry => {
  const { dueAt, error, exitCode, signal } = transition
  return {
    level: run.level,
    at: run.at,
    type: transition.event ?? 'job.recovered',
    job: job.id,
    task: job.task,
    queue: job.queue,
    attempt: job.attempt,
    data: {
      ...(run.runMs === undefined ? {} : { runtimeMs: run.runMs }),
      ...(dueAt === undefined ? {} : { dueAt }),
      ...(error == null ? {} : { error: { type: error.type, message: error.message } }),
      ...(exitCode == null ? {} : { exitCode }),
      ...(signal == null ? {} : { signal }),
    },
  }
}
