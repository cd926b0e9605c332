import type { Outcome } from '../outcome.ts'
import type { EndTuple } from './protocol.ts'

/** A success that takes longer is not told together with others: not all of them ended in the millisecond of their start. */
const shortestMs = 0.5

/** The ends of jobs that a child has not told of yet, in their order. */
export class UntoldEnds {
  #tuples: EndTuple[] = []
  #counted: [seq: number, startedAfter: number, runMs: number, count: number] | null = null
  #size = 0

  /** So many jobs. */
  get size(): number {
    return this.#size
  }

  /** A job has ended with something to tell of it. */
  add(tuple: EndTuple): void {
    this.#counted = null
    this.#tuples.push(tuple)
    this.#size += 1
  }

  /** A job has ended before it began. */
  addUnstarted(seq: number, outcome: Outcome): void {
    this.add([seq, null, 0, outcome, null])
  }

  /** A job has succeeded without a result; one behind the other within a millisecond, such are told together. */
  addSuccess(seq: number, startedAfter: number, runMs: number): void {
    const counted = this.#counted
    if (runMs >= shortestMs) this.add([seq, startedAfter, runMs])
    else if (counted !== null && counted[0] + counted[3] === seq && counted[1] === startedAfter) {
      counted[2] += runMs
      counted[3] += 1
      this.#size += 1
    } else {
      const tuple: [number, number, number, number] = [seq, startedAfter, runMs, 1]
      this.add(tuple)
      this.#counted = tuple
    }
  }

  /** Gives them away. */
  take(): readonly EndTuple[] {
    const tuples = this.#tuples
    this.#tuples = []
    this.#counted = null
    this.#size = 0
    return tuples
  }
}
