import type { TraceContext } from '../trace-context.ts'
import { activeTrace } from '../tracing.ts'
import type { RunJob } from './pool.ts'
import type { RunningJob } from './running-job.ts'

const passed = /^(?:PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_.*|TZ|TMPDIR)$/

/** What a program gets of the worker's environment: enough to find its way, no secrets. */
export const passedEnvironment = (env: Readonly<Record<string, string | undefined>>): Record<string, string> => {
  const result: Record<string, string> = {}
  for (const [name, value] of Object.entries(env)) if (value !== undefined && passed.test(name)) result[name] = value
  return result
}

/** What a program is told of the job that it runs for. */
export const jobEnvironment = (job: RunningJob): Record<string, string> => ({
  JOBQ_JOB_ID: String(job.id),
  JOBQ_ATTEMPT: String(job.attempt),
  JOBQ_QUEUE: job.queue,
  JOBQ_TASK: job.task,
  JOBQ_BROKER: job.settings.brokerUrl,
  JOBQ_LEASE: String(job.token),
  ...traceEnvironment(activeTrace() ?? job.trace),
})

const traceEnvironment = (trace: TraceContext | null): Record<string, string> => {
  if (trace === null) return {}
  const { traceparent, tracestate } = trace
  return { TRACEPARENT: traceparent, ...(tracestate === undefined ? {} : { TRACESTATE: tracestate }) }
}

/** What tells the programs of one run from all others, each as `NAME=value` of their environment. */
export const jobMarks = ({ id, token }: Pick<RunJob, 'id' | 'token'>, brokerUrl: string): readonly string[] => [
  `JOBQ_JOB_ID=${id}`,
  `JOBQ_BROKER=${brokerUrl}`,
  `JOBQ_LEASE=${token}`,
]
