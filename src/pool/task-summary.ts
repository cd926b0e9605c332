import type { Backoff } from '../job.ts'

/** A task that a child has found, with its options in plain values. */
export interface TaskSummary {
  readonly name: string
  /** Absolute path of its file. */
  readonly file: string
  readonly kind: 'module' | 'executable'
  readonly queue?: string
  readonly priority?: number
  readonly retries?: number
  readonly backoff?: Backoff
  readonly expiresMs?: number
  readonly ack?: 'late' | 'early'
  readonly maxCrashes?: number
  readonly serializer?: string
  readonly compress?: string
  readonly sign?: boolean | string
  readonly softTimeLimitMs?: number
  readonly timeLimitMs?: number
  /** True when its payload is checked before each run. */
  readonly validated: boolean
}

/** Why a file among the tasks cannot be used. */
export interface TaskProblem {
  readonly file: string
  /** 1 or more, where known. */
  readonly line: number | null
  readonly message: string
}

/** A problem as text, its place first. */
export const problemText = ({ file, line, message }: TaskProblem): string =>
  `${file}${line === null ? '' : `:${line}`}: ${message}`
