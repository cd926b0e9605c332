import type { JobBatch } from './job-batch.ts'

/** The jobs of a batch that wait, without a gap. */
interface Stretch {
  readonly batch: JobBatch
  /** The place of the first job that waits. */
  from: number
  /** The place behind the last one. */
  readonly to: number
}

/** The jobs that a child has and has not begun, in their order. */
export class WaitingJobs {
  #stretches: Stretch[] = []

  add(batches: readonly JobBatch[]): void {
    for (const batch of batches) this.#stretches.push({ batch, from: 0, to: batch.ids.length })
  }

  /** Takes the first one out, as what `make` makes of it; undefined when there is none. */
  take<T>(make: (batch: JobBatch, place: number) => T): T | undefined {
    const stretch = this.#stretches[0]
    if (stretch === undefined) return undefined
    const place = stretch.from
    stretch.from += 1
    if (stretch.from === stretch.to) this.#stretches.shift()
    return make(stretch.batch, place)
  }

  /** Takes all of them out and answers their numbers. */
  takeAll(): number[] {
    const stretches = this.#stretches
    this.#stretches = []
    return stretches.flatMap(({ batch, from, to }) =>
      Array.from({ length: to - from }, (_, at) => batch.seq + from + at),
    )
  }

  /** Takes one out; false if it is not here. */
  remove(seq: number): boolean {
    const index = this.#stretches.findIndex(({ batch, from, to }) => seq >= batch.seq + from && seq < batch.seq + to)
    const stretch = this.#stretches[index]
    if (stretch === undefined) return false
    const { batch, from, to } = stretch
    const place = seq - batch.seq
    const rest = [
      { batch, from, to: place },
      { batch, from: place + 1, to },
    ]
    this.#stretches.splice(index, 1, ...rest.filter((part) => part.from < part.to))
    return true
  }
}
