import type { Job } from '../../src/job.ts'

/** Failed jobs of one task that failed in the same way. */
export interface FailureGroup {
  readonly key: string
  readonly task: string
  readonly error: string
  readonly ids: readonly number[]
  /** When the first and the last of them failed. */
  readonly first: number
  readonly last: number
  /** The newest of them. */
  readonly example: Job
}

/** Failed jobs by task and error, what failed last first. Numbers and ids within a message do not tell errors apart. */
export const groupFailures = (jobs: readonly Job[]): FailureGroup[] => {
  const groups = new Map<string, Job[]>()
  for (const job of jobs) {
    const key = `${job.task} ${likeness(errorOf(job))}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [job])
    else group.push(job)
  }
  return [...groups]
    .map(([key, members]) => groupOf(key, members))
    .sort((one, other) => other.last - one.last || (one.key < other.key ? -1 : 1))
}

const groupOf = (key: string, members: readonly Job[]): FailureGroup => {
  const times = members.map(endOf)
  const example = members.reduce((newest, job) => (endOf(job) > endOf(newest) ? job : newest))
  return {
    key,
    task: example.task,
    error: errorOf(example),
    ids: members.map(({ id }) => id),
    first: Math.min(...times),
    last: Math.max(...times),
    example,
  }
}

const endOf = (job: Job): number => job.finishedAt ?? job.createdAt

const errorOf = ({ error, exitCode, signal }: Job): string => {
  if (error !== null) return `${error.type}: ${error.message.split('\n', 1)[0]}`
  return signal === null ? `exit code ${exitCode}` : `killed by ${signal}`
}

const likeness = (error: string): string => error.slice(0, 200).replace(/[\da-f]{8,}|\d+/gi, '#')
