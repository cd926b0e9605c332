import { median } from '../figures.ts'

/** How much an actor writes: a number of jobs, or for a time. */
export interface Writing {
  readonly file: string
  /** Jobs a transaction; 1 writes them one by one. */
  readonly batch: number
  readonly jobs?: number
  /** Milliseconds. */
  readonly forMs?: number
}

/** What writing came to. */
export interface Written {
  readonly jobs: number
  readonly perSecond: number
  /** The median and the longest batch, in milliseconds. */
  readonly medianMs: number
  readonly worstMs: number
  /** Batches that were refused because others held the lock. */
  readonly refused: number
}

/** Calls `write`, which adds a batch and says whether it was taken, as often as the writing asks for. */
export const timeBatches = async (
  { batch, jobs = Number.POSITIVE_INFINITY, forMs = Number.POSITIVE_INFINITY }: Writing,
  write: () => boolean | Promise<boolean>,
): Promise<Written> => {
  const times: number[] = []
  const begun = performance.now()
  let written = 0
  let refused = 0
  let now = begun
  while (written < jobs && now - begun < forMs) {
    const taken = await write()
    if (taken) written += batch
    else refused += 1
    const then = now
    now = performance.now()
    times.push(now - then)
  }
  return {
    jobs: written,
    perSecond: (written / (now - begun)) * 1_000,
    medianMs: median(times),
    worstMs: times.reduce((worst, ms) => Math.max(worst, ms), 0),
    refused,
  }
}
