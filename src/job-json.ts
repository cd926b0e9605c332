import type { Job } from './job.ts'

/** A job as programs see it (`jobq show --json`): instants as RFC 3339 in UTC with milliseconds. */
export const jobJson = (job: Job): Record<string, unknown> => {
  const { id, task, queue, state, label, priority, attempt, maxAttempts, payload, result, exitCode, signal } = job
  const { progress, worker, pid, unique, tags, meta, name, after, afterAny, serializer, compression, signedBy } = job
  const error = job.error && { ...job.error, stack: job.error.stack ?? null }
  const instants = {
    createdAt: instant(job.createdAt),
    dueAt: instant(job.dueAt),
    startedAt: instant(job.startedAt),
    finishedAt: instant(job.finishedAt),
    expiresAt: instant(job.expiresAt),
  }
  return {
    ...{ id, task, queue, state, label, priority, attempt, maxAttempts, payload, result, error, exitCode, signal },
    ...{ progress, ...instants, worker, pid, unique, tags, meta, name, after, afterAny },
    ...{ serializer, compression, signedBy, ref: job.ref },
    ...{ crashes: job.crashes, cancelling: job.cancelling, claimed: job.claimed },
  }
}

const instant = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString())
