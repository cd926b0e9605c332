import type { NewJob, TaskDefaults } from '../job.ts'

/** A new job with everything said that a broker stores. */
export interface ResolvedJob extends NewJob {
  readonly queue: string
  readonly priority: number
}

/** What a job says itself, else what its task's definition says, else `default` and 5. `now` is epoch milliseconds. */
export const withTaskDefaults = (job: NewJob, defaults: TaskDefaults | undefined, now: number): ResolvedJob => ({
  ...job,
  queue: job.queue ?? defaults?.queue ?? 'default',
  priority: job.priority ?? defaults?.priority ?? 5,
  retries: job.retries ?? defaults?.retries ?? null,
  expiresAt: job.expiresAt ?? (defaults?.expiresMs === undefined ? null : now + defaults.expiresMs),
})
