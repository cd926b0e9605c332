/**
 * The jobs that a child has, by the numbers in whose order it runs them, each by itself or in bursts. As long as the jobs of
 * a burst succeed one after the other, they are only counted; one of which something else is to be said is taken out of it.
 */
import type { Outcome } from '../outcome.ts'
import { maxUntoldEnds } from './job-window.ts'
import type { BurstEnd, Ended, Interrupted, RunBurst, RunJob } from './pool.ts'
import type { ChildReport, EndTuple } from './protocol.ts'

/** The job that a child has said it runs, since when, and in which process. */
export interface Announced<J> {
  readonly seq: number
  readonly job: J
  readonly at: number
  readonly pid: number
}

/** A burst, and the number of its first job. */
interface NumberedBurst<J extends RunJob> {
  readonly seq: number
  readonly burst: RunBurst<J>
}

/** What has ended. */
export interface Finished<J extends RunJob> {
  readonly single: readonly Ended<J>[]
  readonly bursts: readonly BurstEnd<J>[]
}

/** The jobs that a child has. */
export class InFlight<J extends RunJob> {
  readonly #jobs = new Map<number, J>()
  readonly #onSeparated: (burst: RunBurst<J>, jobs: readonly J[]) => void
  #bursts: NumberedBurst<J>[] = []
  #running: Announced<J> | null = null

  /** `onSeparated` is called when jobs are taken out of a burst, to be had one by one. */
  constructor(onSeparated: (burst: RunBurst<J>, jobs: readonly J[]) => void) {
    this.#onSeparated = onSeparated
  }

  get size(): number {
    let size = this.#jobs.size
    for (const { burst } of this.#bursts) size += burst.size
    return size
  }

  get running(): Announced<J> | null {
    return this.#running
  }

  /** The one that it has had for longest. */
  get first(): J | null {
    const seq = Math.min(...this.#jobs.keys())
    const numbered = this.#bursts.find((each) => nextOf(each) < seq)
    return numbered?.burst.job(numbered.burst.ended) ?? this.#jobs.get(seq) ?? null
  }

  get all(): J[] {
    this.#dissolve(() => true)
    return [...this.#jobs.values()]
  }

  get seqs(): number[] {
    this.#dissolve(() => true)
    return [...this.#jobs.keys()]
  }

  add(seq: number, job: J): void {
    this.#jobs.set(seq, job)
  }

  /** `seq` is the number of its first job. */
  addBurst(seq: number, burst: RunBurst<J>): void {
    this.#bursts.push({ seq, burst })
  }

  get(seq: number): J | null {
    const job = this.#jobs.get(seq)
    if (job !== undefined || this.#bursts.length === 0) return job ?? null
    const numbered = this.#bursts.find((each) => seq >= nextOf(each) && seq < endOf(each))
    if (numbered === undefined) return null
    if (seq === nextOf(numbered)) this.#takeFirst(numbered)
    else this.#dissolve((each) => each === numbered)
    return this.#jobs.get(seq) ?? null
  }

  /** The number under which a job is here; null if it is not. */
  seqOf(id: number): number | null {
    this.#dissolve(({ burst }) => burst.columns.ids.indexOf(id) >= burst.ended)
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
  finish({ base, ends }: Extract<ChildReport, { type: 'finished' }>, childPid: number): Finished<J> {
    const single: Ended<J>[] = []
    const bursts: BurstEnd<J>[] = []
    for (const tuple of ends) {
      const [seq, startedAfter, runMs, told] = tuple
      const count = typeof told === 'number' ? told : 1
      for (let done = 0; done < count; ) {
        const end =
          typeof told === 'object' || typeof told === 'string' ? null : this.#advance(seq + done, count - done)
        if (end !== null) {
          const at = base + (startedAfter ?? 0)
          bursts.push({
            ...end,
            startedAt: at,
            at: at + Math.round(runMs / count),
            runMs: runMs / count,
            pid: childPid,
          })
          done += end.count
          continue
        }
        const ended = this.#finishOne(seq + done, { base, tuple, runMs: runMs / count, childPid })
        if (ended !== null) single.push(ended)
        done += 1
      }
    }
    return { single, bursts }
  }

  #finishOne(
    seq: number,
    { base, tuple, runMs, childPid }: { base: number; tuple: EndTuple; runMs: number; childPid: number },
  ): Ended<J> | null {
    const announcedAt = this.#running?.seq === seq ? this.#running.at : null
    const job = this.take(seq)
    if (!job) return null
    const startedAfter = tuple[1]
    const startedAt = announcedAt ?? (startedAfter === null ? null : base + startedAfter)
    const at = startedAt === null ? base : startedAt + Math.round(runMs)
    const pid = startedAt === null ? null : (tuple[4] ?? childPid)
    return { job, startedAt, at, runMs, pid, outcome: outcomeOf(tuple) }
  }

  /** Takes out jobs that are next in a burst, at most `atMost`; null where number `seq` is none. */
  #advance(seq: number, atMost: number): Pick<BurstEnd<J>, 'burst' | 'from' | 'count'> | null {
    const numbered = this.#bursts.find((each) => nextOf(each) === seq)
    if (numbered === undefined) return null
    const { burst } = numbered
    const [from, count] = [burst.ended, Math.min(burst.size, atMost)]
    burst.ended += count
    if (burst.size === 0) this.#bursts = this.#bursts.filter((each) => each !== numbered)
    return { burst, from, count }
  }

  /**
   * Takes out everything, at the child's death, and says of each job whether it had begun. Sure are: what the child's
   * last words or its time card say; what was announced and has not ended, behind which nothing can have begun; and
   * what stands too far back. Otherwise it was working through short jobs and could not say how far it had come.
   */
  interrupt(
    lastWords: { readonly running: number | null; readonly startedAt: number | null } | null,
  ): (Interrupted<J> & { readonly seq: number; readonly pid: number | null })[] {
    this.#dissolve(() => true)
    const running = this.#running
    const known = lastWords ? { seq: lastWords.running, at: lastWords.startedAt } : running
    const pidOf = (seq: number) => (running?.seq === seq ? running.pid : null)
    const inOrder = [...this.#jobs].sort(([a], [b]) => a - b)
    const jobs = inOrder.map(([seq, job], index) => {
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

  /** Takes the next job of a burst out of it. */
  #takeFirst(numbered: NumberedBurst<J>): void {
    const { burst } = numbered
    const [seq, job] = [nextOf(numbered), burst.job(burst.ended)]
    this.#jobs.set(seq, job)
    burst.ended += 1
    if (burst.size === 0) this.#bursts = this.#bursts.filter((each) => each !== numbered)
    this.#onSeparated(burst, [job])
  }

  /** Takes all jobs out of bursts. */
  #dissolve(isMeant: (numbered: NumberedBurst<J>) => boolean): void {
    for (const numbered of this.#bursts.filter(isMeant)) {
      const { burst } = numbered
      const seq = nextOf(numbered)
      const jobs = Array.from({ length: burst.size }, (_, index) => burst.job(burst.ended + index))
      for (const [index, job] of jobs.entries()) this.#jobs.set(seq + index, job)
      burst.ended += jobs.length
      this.#bursts = this.#bursts.filter((each) => each !== numbered)
      this.#onSeparated(burst, jobs)
    }
  }
}

/** The number of the first job of a burst that has not ended. */
const nextOf = ({ seq, burst }: NumberedBurst<RunJob>): number => seq + burst.ended

/** The number behind its last job. */
const endOf = ({ seq, burst }: NumberedBurst<RunJob>): number => seq + burst.ended + burst.size

const outcomeOf = (tuple: EndTuple): Outcome => {
  const told = tuple[3]
  return typeof told === 'object' ? told : { type: 'succeeded', result: typeof told === 'string' ? told : null }
}
