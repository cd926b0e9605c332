/** Jobs on their way to a child, with what they have in common said once. */
import type { Payload } from '../job.ts'
import { isPlain } from '../plain-payload.ts'
import type { TraceContext } from '../trace-context.ts'
import type { RunBurst, RunJob } from './pool.ts'

/** How a payload is stored that is not plain JSON. */
export type StoredAs = Pick<Payload, 'serializer' | 'binary' | 'compression'>

/** What the jobs of a batch have in common. */
export interface BatchHead {
  readonly token: number
  readonly attempt: number
  readonly task: string
  readonly queue: string
  /** `json` for JSON text, else how to read the texts. */
  readonly serializer: 'json' | StoredAs
  readonly announce: boolean
  /** They have a time limit, and a start is to be noted on the time card. */
  readonly limited: boolean
  readonly trace: TraceContext | null
}

/** Jobs whose numbers rise by one, and their columns. */
export interface JobBatch {
  /** The number of the first of them. */
  readonly seq: number
  readonly head: BatchHead
  readonly ids: readonly number[]
  /** Epoch milliseconds. */
  readonly createdAt: readonly number[]
  /** Their payloads, as they are stored. */
  readonly texts: readonly string[]
}

/** A batch that is sent: its texts may stand in one, with a newline between two of them and none in any. */
export interface SentBatch extends Omit<JobBatch, 'texts'> {
  readonly texts: readonly string[] | string
}

/** How a job is to be run. */
export interface RunManner {
  readonly announce: boolean
  readonly limited: boolean
}

/** A burst as a batch. */
export const batchOf = (burst: RunBurst<RunJob>, seq: number): SentBatch => {
  const { token, attempt, task, queue } = burst.like
  const { ids, createdAt, payloads: texts } = burst.columns
  const head = {
    token,
    attempt,
    task,
    queue,
    serializer: 'json',
    announce: false,
    limited: false,
    trace: null,
  } as const
  return { seq, head, ids, createdAt, texts }
}

/** Puts single jobs into batches. */
export class BatchBuilder {
  readonly batches: SentBatch[] = []
  #open: { readonly head: BatchHead; ids: number[]; createdAt: number[]; texts: string[] } | null = null

  /** A batch that is there already; what comes behind it is in another one. */
  addBatch(batch: SentBatch): void {
    this.#open = null
    this.batches.push(batch)
  }

  /** `seq` is one more than that of the job before. */
  add(job: RunJob, seq: number, manner: RunManner): void {
    if (this.#open === null || !isLike(this.#open.head, job, manner)) {
      const columns = { ids: [], createdAt: [], texts: [] }
      this.#open = { head: headOf(job, manner), ...columns }
      this.batches.push({ seq, ...this.#open })
    }
    this.#open.ids.push(job.id)
    this.#open.createdAt.push(job.createdAt)
    this.#open.texts.push(job.payload.text)
  }
}

const headOf = (job: RunJob, { announce, limited }: RunManner): BatchHead => {
  const { token, attempt, task, queue, payload, trace = null } = job
  const { serializer, binary, compression } = payload
  const storedAs = {
    serializer,
    ...(binary === undefined ? {} : { binary }),
    ...(compression === undefined ? {} : { compression }),
  }
  return { token, attempt, task, queue, serializer: isPlain(payload) ? 'json' : storedAs, announce, limited, trace }
}

const isLike = (head: BatchHead, job: RunJob, { announce, limited }: RunManner): boolean =>
  head.token === job.token &&
  head.task === job.task &&
  head.queue === job.queue &&
  head.attempt === job.attempt &&
  head.serializer === 'json' &&
  isPlain(job.payload) &&
  head.announce === announce &&
  head.limited === limited &&
  head.trace === null &&
  job.trace == null
