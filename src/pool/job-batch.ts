/** Jobs on their way to a child, with what they have in common said once. */
import type { JobBatch, JobTuple } from './protocol.ts'

interface OpenBatch extends JobBatch {
  readonly ids: number[]
  readonly createdAt: number[]
  readonly payloads: string[]
}

/** Packs jobs whose numbers rise by one; what is packed already stays as it is. */
export const packJobs = (jobs: readonly (JobTuple | JobBatch)[]): JobBatch[] => {
  const batches: JobBatch[] = []
  let open: OpenBatch | null = null
  for (const job of jobs) {
    if ('first' in job) {
      open = null
      batches.push(job)
    } else if (open !== null && isAlike(open.first, job)) {
      open.ids.push(job[1])
      open.createdAt.push(job[6])
      open.payloads.push(job[8])
    } else {
      open = { first: job, ids: [], createdAt: [], payloads: [] }
      batches.push(open)
    }
  }
  return batches
}

/** The jobs of batches, in their order. */
export const unpackJobs = (batches: readonly JobBatch[]): JobTuple[] =>
  batches.flatMap(({ first, ids, createdAt, payloads }) => {
    const [seq, , token, attempt, task, queue, , serializer, , ...rest] = first
    const more = ids.map((id, index): JobTuple => {
      const [made, payload] = [createdAt[index] ?? 0, payloads[index] ?? '']
      return [seq + 1 + index, id, token, attempt, task, queue, made, serializer, payload, ...rest]
    })
    return [first, ...more]
  })

const shared = [2, 3, 4, 5, 7, 9, 10, 11] as const

const isAlike = (first: JobTuple, job: JobTuple): boolean => shared.every((index) => first[index] === job[index])
