import { commandTask, type Job } from '../src/job.ts'

/** What stands in place of a value that must not be shown. */
const hidden = '[redacted]'

/** The job with the values of these keys hidden, wherever they are in its payload and result: keys of objects, and so the environment variables of a command. */
export const redactJob = (job: Job, names: ReadonlySet<string>): Job =>
  names.size === 0 ? job : { ...job, payload: redact(job.payload, names), result: redact(job.result, names) }

/** The job without the values of the variables that its command was given, which are often secrets; the names stay. */
export const hideEnvironment = (job: Job): Job => {
  const { task, payload } = job
  if (task !== commandTask || typeof payload !== 'object' || payload === null || !('env' in payload)) return job
  const { env } = payload
  if (typeof env !== 'object' || env === null) return job
  return { ...job, payload: { ...payload, env: Object.fromEntries(Object.keys(env).map((name) => [name, hidden])) } }
}

const redact = (value: unknown, names: ReadonlySet<string>): unknown => {
  if (Array.isArray(value)) return value.map((member) => redact(member, names))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, names.has(key) ? hidden : redact(member, names)]),
  )
}
