import type { InFlight } from './in-flight.ts'
import type { AskedCause, EndCause, RunJob } from './pool.ts'
import { Termination } from './termination.ts'

/** What the ends of a child's jobs need of that child. */
export interface EndingParts<J extends RunJob> {
  readonly jobs: InFlight<J>
  readonly killAfterMs: number
  readonly warn: (seq: number, signal: NodeJS.Signals) => void
  readonly ask: (seq: number, cause: AskedCause) => void
  readonly kill: () => void
  readonly child: () => { readonly pid: number; readonly heardTick: number }
}

/** The jobs of one child that are to end before their time. */
export class Endings<J extends RunJob> {
  readonly #parts: EndingParts<J>
  readonly #terminations = new Map<number, Termination>()

  constructor(parts: EndingParts<J>) {
    this.#parts = parts
  }

  /** A job has passed its soft limit. */
  warn(seq: number, signal: NodeJS.Signals): void {
    this.#of(seq).warn(signal)
  }

  /** Asks a job to end, and kills its child if it has not after a while; the first cause stays. */
  begin(seq: number, cause: AskedCause): void {
    this.#of(seq).begin(cause)
  }

  /** A job has passed its hard limit: its child dies for that, unless there was a cause before. */
  expire(seq: number): void {
    this.#of(seq).expire()
    this.#parts.kill()
  }

  /** Why a job ends before its time; null if it does not. */
  causeOf(seq: number): EndCause | null {
    return this.#terminations.get(seq)?.cause ?? null
  }

  /** Forgets those that have come back. */
  settle(): void {
    for (const [seq, termination] of this.#terminations) {
      if (this.#parts.jobs.get(seq)) continue
      termination.settle()
      this.#terminations.delete(seq)
    }
  }

  #of(seq: number): Termination {
    let termination = this.#terminations.get(seq)
    if (termination === undefined) {
      termination = this.#newTermination(seq)
      this.#terminations.set(seq, termination)
    }
    return termination
  }

  #newTermination(seq: number): Termination {
    const { jobs, killAfterMs, warn, ask, kill, child } = this.#parts
    let askedTick = 0
    let patience = 1
    return new Termination({
      killAfterMs,
      warn: (signal) => warn(seq, signal),
      ask: (cause) => {
        askedTick = performance.now()
        ask(seq, cause)
      },
      force: () => {
        const { running } = jobs
        if (running && running.seq !== seq) return false
        // A program is killed by the child that watches it, unless that is stuck too.
        if (running && running.pid !== child().pid && patience-- > 0) return false
        // Not announced, but the child goes on talking: then the job waits, or has just ended.
        if (!running && child().heardTick > askedTick) return false
        kill()
        return true
      },
    })
  }
}
