import type { Outcome } from '../outcome.ts'
import { maxUntoldEnds } from './job-window.ts'
import type { Ended, Interrupted, RunJob } from './pool.ts'
import type { ChildReport, EndTuple } from './protocol.ts'

/** The job that a child has said it runs, since when, and in which process. */
export interface Announced<J> {
  readonly seq: number
  readonly job: J
  readonly at: number
  readonly pid: number
}

/** The jobs that a child has, in the order in which it runs them. */
export class InFlight<J extends RunJob> {
  readonly #jobs = new Map<number, J>()
  #running: Announced<J> | null = null

  get size(): number {
    return this.#jobs.size
  }

  get running(): Announced<J> | null {
    return this.#running
  }

  /** The one that it has had for longest. */
  get first(): J | null {
    for (const job of this.#jobs.values()) return job
    return null
  }

  get all(): J[] {
    return [...this.#jobs.values()]
  }

  get seqs(): number[] {
    return [...this.#jobs.keys()]
  }

  add(seq: number, job: J): void {
    this.#jobs.set(seq, job)
  }

  get(seq: number): J | null {
    return this.#jobs.get(seq) ?? null
  }

  /** The number under which a job is here; null if it is not. */
  seqOf(id: number): number | null {
    for (const [seq, job] of this.#jobs) if (job.id === id) return seq
    return null
  }

  /** A job is running; null if it is not here. */
  start({ seq, at, pid }: Extract<ChildReport, { type: 'started' }>): J | null {
    const job = this.get(seq)
    if (job) this.#running = { seq, job, at, pid }
    return job
  }

  /** Takes a job out. */
  take(seq: number): J | null {
    const job = this.get(seq)
    this.#jobs.delete(seq)
    if (this.#running?.seq === seq) this.#running = null
    return job
  }

  /** Takes out jobs that have ended; `childPid` ran those that had no process of their own. */
  finish({ base, ends }: Extract<ChildReport, { type: 'finished' }>, childPid: number): Ended<J>[] {
    const ended: Ended<J>[] = []
    for (const tuple of ends) {
      const [seq, startedAfter, runMs] = tuple
      const announcedAt = this.#running?.seq === seq ? this.#running.at : null
      const job = this.take(seq)
      if (!job) continue
      const startedAt = announcedAt ?? (startedAfter === null ? null : base + startedAfter)
      const at = startedAt === null ? base : startedAt + Math.round(runMs)
      const pid = startedAt === null ? null : (tuple[4] ?? childPid)
      ended.push({ job, startedAt, at, runMs, pid, outcome: outcomeOf(tuple) })
    }
    return ended
  }

  /**
   * Takes out everything, at the child's death, and says of each job whether it had begun. Sure are: what the child's
   * last words or its time card say; what was announced and has not ended, behind which nothing can have begun; and
   * what stands too far back. Otherwise it was working through short jobs and could not say how far it had come.
   */
  interrupt(
    lastWords: { readonly running: number | null; readonly startedAt: number | null } | null,
  ): (Interrupted<J> & { readonly seq: number; readonly pid: number | null })[] {
    const running = this.#running
    const known = lastWords ? { seq: lastWords.running, at: lastWords.startedAt } : running
    const pidOf = (seq: number) => (running?.seq === seq ? running.pid : null)
    const jobs = [...this.#jobs].map(([seq, job], index) => {
      if (known?.seq === seq) return { seq, job, pid: pidOf(seq), started: 'yes' as const, startedAt: known.at }
      // What stands before the one that ran has ended, if it was too short for its end to be told.
      const behind = known !== null && (known.seq === null || seq > known.seq)
      const started = behind || index > maxUntoldEnds ? ('no' as const) : ('unknown' as const)
      return { seq, job, pid: null, started, startedAt: null }
    })
    this.#jobs.clear()
    this.#running = null
    return jobs
  }
}

const outcomeOf = (tuple: EndTuple): Outcome => {
  const told = tuple[3]
  return typeof told === 'object' ? told : { type: 'succeeded', result: told ?? null }
}
