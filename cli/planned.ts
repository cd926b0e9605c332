import type { Messages } from '../src/envelope/messages.ts'
import { JobqError } from '../src/errors.ts'
import type { NewJob, TaskDefaults } from '../src/job.ts'
import { type JobItem, newJob, withPublishedCoding } from '../src/new-job.ts'

/** A job that is to be added: checked, but for how its payload is to be written. */
export interface Planned {
  readonly item: JobItem
  /** What errors name; null where it is the only one. */
  readonly place: string | null
  /** With its payload as plain JSON. */
  readonly job: NewJob
}

/**
 * Checks a job before its broker is opened. `now` is epoch milliseconds.
 * @throws JobqError `usage`
 */
export const planned = (
  read: () => JobItem,
  { now, place }: { readonly now: number; readonly place: string | null },
): Planned =>
  at(place, () => {
    const item = read()
    return { item, place, job: newJob(item, { now, maxPayloadBytes: Number.MAX_SAFE_INTEGER }) }
  })

/**
 * Jobs as they are to be stored: written as they say themselves, what workers have published of their tasks, and the
 * configuration.
 * @throws JobqError `usage`; `permission`, `not-found` for a key
 */
export const sealAll = (
  jobs: readonly Planned[],
  by: { readonly messages: Messages; readonly published: readonly TaskDefaults[]; readonly now: number },
): NewJob[] => {
  const { messages, published, now } = by
  return jobs.map(({ item, place, job }) => {
    const coded = withPublishedCoding(item, published)
    const plain = coded.serializer === undefined && coded.compress === undefined && coded.sign === undefined
    if (plain && messages.keepsPlain(job.payload)) return job
    return at(place, () => newJob(coded, { now, messages, published }))
  })
}

const at = <T>(place: string | null, work: () => T): T => {
  try {
    return work()
  } catch (error) {
    if (place === null || !(error instanceof JobqError)) throw error
    throw new JobqError(error.code, `${place}: ${error.message}`, { cause: error })
  }
}
