/**
 * A burst: jobs that were claimed together, are alike in everything but four columns, and stay together for as long as
 * nothing is to be said of one of them. They come by the hundred thousand and take microseconds, so that making an
 * object of each would cost more than running it; whoever needs one of them by itself has it made.
 */
import type { ClaimedJob } from './job.ts'

/** Fewer jobs than this are not worth one. */
export const smallestBurst = 16

/** What the jobs of a burst have in common: their payloads are plain JSON, and they have never run before. */
export type AlikeJob = Omit<ClaimedJob, 'id' | 'createdAt' | 'dueAt' | 'payload'>

/** The columns of a burst, in the order in which its jobs are to run. */
export interface BurstColumns {
  readonly ids: readonly number[]
  /** Epoch milliseconds. */
  readonly createdAt: readonly number[]
  readonly dueAt: readonly number[]
  /** JSON texts, with a newline between two of them and none in any. */
  readonly payloads: string
}

/** Alike jobs in the hands of a worker. */
export class Burst {
  readonly like: AlikeJob
  readonly columns: BurstColumns
  /** So many of them, from the first on, have ended or were taken out. */
  ended = 0
  #payloads: readonly string[] | null = null

  constructor(like: AlikeJob, columns: BurstColumns) {
    this.like = like
    this.columns = columns
  }

  get ids(): readonly number[] {
    return this.columns.ids
  }

  /** The others. */
  get size(): number {
    return this.ids.length - this.ended
  }

  /** The job at this place. */
  job(place: number): ClaimedJob {
    const { ids, createdAt, dueAt, payloads } = this.columns
    this.#payloads ??= payloads.split('\n')
    return {
      ...this.like,
      id: ids[place] ?? 0,
      createdAt: createdAt[place] ?? 0,
      dueAt: dueAt[place] ?? 0,
      payload: { serializer: 'json', text: this.#payloads[place] ?? '' },
    }
  }

  /** What is left of it, job by job. */
  jobs(): ClaimedJob[] {
    return Array.from({ length: this.size }, (_, index) => this.job(this.ended + index))
  }
}

/** Jobs one by one, whether they came in bursts or not. */
export const oneByOne = (claimed: readonly (ClaimedJob | Burst)[]): ClaimedJob[] =>
  claimed.flatMap((item) => (item instanceof Burst ? item.jobs() : [item]))
