/**
 * The jobs in this worker's hands, from claim to report. The dispatcher puts claimed jobs in and takes
 * reports out; between the two the pool tells what happens to them, and `policy.decide` what that means.
 * Every job that was put in gives exactly one `finished` report, whatever becomes of its child.
 */

import type { Report } from '../broker/broker.ts'
import { Burst, smallestBurst } from '../burst.ts'
import type { Clock } from '../clock.ts'
import type { Messages } from '../envelope/messages.ts'
import { Rejected } from '../envelope/rejected.ts'
import type { ClaimedJob, Lease, Progress } from '../job.ts'
import type { Outcome, Transition } from '../outcome.ts'
import { decide, plainSuccess, poisoned } from '../policy.ts'
import type { BurstEnd, ChildExit, Ended, PoolChild, RunBurst } from '../pool/pool.ts'
import { BurstFlights } from './burst-flights.ts'
import { ChildLoads, type Consignments } from './child-loads.ts'
import { endEntry, endLevel } from './end-entry.ts'
import { type BurstFlight, type Flight, newFlight } from './flight.ts'
import type { JobHooks } from './job-hooks.ts'
import { lockOutcome, unlockJob } from './job-locks.ts'
import type { LogEntry, LogLevel } from './log-entry.ts'
import type { Meter } from './metrics/meter.ts'
import { Pace } from './pace.ts'
import { Reports } from './reports.ts'
import type { TaskTable } from './task-table.ts'

/** A job that was thought to be short is taken for long after so many milliseconds. */
const longMs = 25

/** No burst is larger; a child has several in its hands, so that each is a small part of its work. */
const largestBurst = 256
const burstsInWindow = 4

/** What `Execution` needs. */
export interface ExecutionOptions {
  readonly tasks: TaskTable
  readonly messages: Pick<Messages, 'locks' | 'lock' | 'unlock' | 'isOpen'>
  readonly clock: Clock
  readonly log: (entry: LogEntry) => void
  readonly logs: (level: LogLevel) => boolean
  readonly random?: () => number
  /** Told of each run that begins and ends; null where nobody wants to hear. */
  readonly jobHooks?: JobHooks | null
  /** Counts the ends of runs; null where nobody asks for figures. */
  readonly meter?: Meter | null
}

/** The jobs in this worker's hands and what is to be reported of them. */
export class Execution {
  readonly pace = new Pace()
  readonly #options: ExecutionOptions
  readonly #random: () => number
  readonly #flights = new Map<number, Flight>()
  readonly #bursts = new BurstFlights()
  readonly #loads = new ChildLoads(this.pace)
  readonly #reports = new Reports()
  #ahead: (Flight | BurstFlight)[] = []
  #processed = 0
  #cut = 0
  #stopping = false
  #onHold = false
  /** Called when something is to be reported or handed out. */
  onChange: () => void = () => {}
  /** Called when a run came back undone: there may be no room for it. */
  onReturned: () => void = () => {}

  constructor(options: ExecutionOptions) {
    this.#options = options
    this.#random = options.random ?? Math.random
  }

  /** Jobs claimed and not reported. */
  get size(): number {
    return this.#flights.size + this.#bursts.size
  }

  /** Reports that wait for the next transaction. */
  get toReport(): number {
    return this.#reports.size
  }

  /** Jobs that ended, since the start. */
  get processed(): number {
    return this.#processed
  }

  /** Started jobs that a stop sent back to the queue. */
  get cut(): number {
    return this.#cut
  }

  /** True when nothing is in hand and nothing is to be reported. */
  get idle(): boolean {
    return this.size === 0 && this.#reports.size === 0
  }

  get leases(): Lease[] {
    return [...this.#flights.values()].map(({ job }) => ({ id: job.id, token: job.token })).concat(this.#bursts.leases)
  }

  /** How large bursts may be, while jobs are so short that they are worth it; else null. */
  get burst(): number | null {
    const size = Math.min(largestBurst, Math.floor(this.pace.window / burstsInWindow))
    return size < smallestBurst ? null : size
  }

  /** Takes charge of claimed jobs. */
  add(claimed: readonly (ClaimedJob | Burst)[]): void {
    for (const item of claimed) {
      if (!(item instanceof Burst)) this.#add(item)
      else if (this.#mayRunTogether(item)) this.#ahead.push(this.#bursts.add(item))
      else for (const job of item.jobs()) this.#add(job)
    }
  }

  /** True of a burst that is short as a whole and of whose jobs nothing is to be said or looked at before their ends. */
  #mayRunTogether({ like, ids }: Burst): boolean {
    const { tasks, messages } = this.#options
    if (this.#stopping || this.#onHold || !this.pace.isShort(this.pace.expected(like.task) * ids.length)) return false
    if (!messages.isOpen({ serializer: 'json', text: '' }) || tasks.limitsFor(like) !== null) return false
    if (tasks.policyFor(like).ack === 'early') return false
    return !ids.some((id) => this.#flights.has(id)) && !this.#bursts.holdAny(ids)
  }

  #add(claimed: ClaimedJob): void {
    const policy = this.#options.tasks.policyFor(claimed)
    const unlocked = unlockJob(this.#options.messages, claimed)
    const rejected = unlocked instanceof Rejected ? unlocked : null
    const known = unlocked instanceof Rejected ? claimed : unlocked
    // Its start must be on record before it runs, as that of a recovered one.
    const job = policy.ack === 'early' ? { ...known, recovered: true } : known
    const flight = newFlight(job)
    this.#dropOlder(job.id)
    this.#flights.set(job.id, flight)
    if (job.crashes > 0 && job.crashes >= policy.maxCrashes) {
      // The broker has counted that crash already.
      const transition = { ...poisoned(job.crashes, 'its worker went away'), crashed: false }
      this.#end(flight, transition, { startedAt: null, pid: null })
    } else if (job.crashes > 0 && policy.ack === 'early') {
      this.#decide(
        flight,
        { type: 'crashed', started: true, detail: 'its worker went away' },
        { startedAt: null, pid: null },
      )
    } else if (this.#stopping || this.#onHold) this.#return(flight)
    else if (rejected !== null) {
      const error = { type: 'Rejected', message: rejected.message }
      this.#decide(flight, { type: 'rejected', error }, { startedAt: null, pid: null })
    } else this.#ahead.push(flight)
  }

  /** How many more jobs the children could use. */
  wanted(children: readonly PoolChild<ClaimedJob>[], prefetch: number | null): number {
    const perChild = prefetch === null ? this.pace.window + this.pace.ahead : 1 + prefetch
    let room = 0
    for (const { state, inFlight, remaining } of children) {
      if (state === 'idle' || state === 'busy') room += Math.min(perChild, inFlight + remaining)
    }
    return Math.max(0, room - this.size)
  }

  /** Hands waiting jobs to children that have room, the least loaded first. */
  handOut(children: readonly PoolChild<ClaimedJob>[]): void {
    if (this.#ahead.length === 0) return
    let able = children.filter((child) => child.state === 'idle' || child.state === 'busy')
    const consignments: Consignments = new Map()
    const waiting: (Flight | BurstFlight)[] = []
    const now = this.#options.clock.now().at
    for (const flight of this.#aheadFor(able)) {
      if ('job' in flight && flight.job.expiresAt !== null && flight.job.expiresAt <= now && !flight.started) {
        this.#decide(flight, { type: 'expired' }, { startedAt: null, pid: null })
        continue
      }
      if (this.#loads.place(flight, able, consignments)) continue
      waiting.push(flight)
      // A job that must run alone keeps a child free, or lets the emptiest one run empty.
      if ('job' in flight && flight.job.recovered) able = able.toSorted((a, b) => a.inFlight - b.inFlight).slice(1)
    }
    this.#ahead = waiting
    for (const [child, { pieces }] of consignments) child.run(pieces)
  }

  /** What waits here; a burst of more jobs than any of these children may still be given, or with a limit by now, is taken apart. */
  #aheadFor(children: readonly PoolChild<ClaimedJob>[]): (Flight | BurstFlight)[] {
    if (children.length === 0) return this.#ahead
    const most = Math.max(...children.map(({ remaining }) => remaining))
    const fits = ({ size, like }: Burst) => size <= most && this.#options.tasks.limitsFor(like) === null
    return this.#ahead.flatMap((flight) => ('burst' in flight && !fits(flight.burst) ? this.#split(flight) : [flight]))
  }

  /**
   * What is to be settled now. A job that was recovered, or is acknowledged early, is reported as started before it is
   * handed out, so that a crash which takes the whole worker with it is still counted; one for each of the `children` that is free.
   */
  takeReports(children: readonly PoolChild<ClaimedJob>[]): Report[] {
    const at = this.#options.clock.now().at
    const free = children.filter(({ state }) => state === 'idle').length
    const recovered = this.#ahead
      .filter((flight) => 'job' in flight)
      .filter(({ job }) => job.recovered)
      .slice(0, free)
    for (const flight of recovered) this.#reports.started(flight, { at, pid: null })
    return this.#reports.take(at)
  }

  /** Puts reports back that could not be settled. */
  giveBack(reports: readonly Report[]): void {
    this.#reports.giveBack(reports.filter((report) => !this.#isWaiting(report)))
  }

  /** True for the start of a job that is not handed out: it is to be told again, and is not on record until then. */
  #isWaiting(report: Report): boolean {
    if (report.kind !== 'started') return false
    const flight = this.#flights.get(report.id)
    if (flight === undefined || flight.child !== null || flight.job.token !== report.token) return false
    flight.started = false
    return true
  }

  /** Ends jobs whose lease was lost or whose cancel was asked for, if they are still in hand under that lease. */
  endAll(leases: readonly Lease[], cause: 'cancelled' | 'shutdown'): void {
    for (const { id, token } of leases) {
      const held = this.#held(id)
      if (held === undefined || tokenOf(held) !== token) continue
      const flight = this.#endInChild(id, cause)
      if (flight === undefined) continue
      if (flight.child !== null) {
        if (cause === 'shutdown') flight.lost = true
        continue
      }
      this.#ahead = this.#ahead.filter((waiting) => waiting !== flight)
      if (cause === 'shutdown') this.#return(flight)
      else this.#decide(flight, { type: 'cancelled', reason: 'cancelled' }, { startedAt: null, pid: null })
    }
  }

  /** From now on what does not finish goes back to the queue; jobs that wait here do so at once. */
  returnWaiting(): void {
    this.#stopping = true
    this.#returnAhead()
  }

  /** Gives back, until `resume`, whatever has not begun. */
  hold(): void {
    this.#onHold = true
    this.#returnAhead()
  }

  /** Undoes `hold`. */
  resume(): void {
    this.#onHold = false
  }

  /** Gives back what waits here: no child is there to run it. */
  giveUp(): void {
    this.#returnAhead()
    this.onChange()
  }

  #returnAhead(): void {
    const waiting = this.#ahead
    this.#ahead = []
    for (const flight of waiting)
      for (const each of 'burst' in flight ? this.#split(flight) : [flight]) this.#return(each)
  }

  /** The pool: a job that outlasts a moment has started. */
  started(job: ClaimedJob, start: { readonly at: number; readonly pid: number }): void {
    const flight = this.#flightOf(job)
    if (flight === undefined) return
    this.#reports.started(flight, start)
    this.#options.jobHooks?.started(job, start.at)
    if (this.pace.isShort(flight.load)) setTimeout(() => this.#takeForLong(flight), longMs).unref()
    this.onChange()
  }

  /** The pool: jobs ended. */
  finished(ended: readonly Ended<ClaimedJob>[]): void {
    for (const { job, outcome, startedAt, at, runMs, pid } of ended) {
      const flight = this.#flightOf(job)
      if (flight === undefined) continue
      if (startedAt !== null) this.pace.observe(job.task, runMs)
      this.#processed += 1
      if (outcome.type === 'returned') this.onReturned()
      this.#decide(flight, outcome, { startedAt, pid, at, runMs })
    }
    this.onChange()
  }

  /** The pool: jobs of bursts succeeded. */
  succeeded(ends: readonly BurstEnd<ClaimedJob>[]): void {
    for (const { burst, from, count, startedAt, at, runMs, pid } of ends) {
      const { token, task, queue } = burst.like
      this.pace.observe(task, runMs, count)
      this.#processed += count
      // Unknown where the rest of it has been taken out since.
      const flight = this.#bursts.get(burst)
      if (flight !== undefined) this.#loads.lighten(flight, (flight.load * count) / (burst.size + count))
      this.#reports.succeeded({
        ids: burst.columns.ids.slice(from, from + count),
        token,
        task,
        queue,
        at,
        startedAt,
        pid,
      })
      if (this.#tellsOfSuccesses) {
        for (let place = from; place < from + count; place += 1) {
          this.#tellEnd(burst.job(place), plainSuccess, { at, startedAt, runMs, pid })
        }
      }
      if (burst.size === 0) this.#bursts.delete(burst)
    }
    this.onChange()
  }

  /** The pool: these jobs are in the burst no more. */
  separated(burst: RunBurst<ClaimedJob>, jobs: readonly ClaimedJob[]): void {
    const flight = this.#bursts.get(burst)
    if (flight === undefined) return
    const load = flight.load / (burst.size + jobs.length)
    flight.load -= load * jobs.length
    for (const job of jobs) this.#flights.set(job.id, { ...newFlight(job), child: flight.child, load })
    if (burst.size === 0) this.#bursts.delete(burst)
  }

  /** The pool: a job says how far it is. */
  progressed(job: ClaimedJob, progress: Progress & { readonly at: number }): void {
    const flight = this.#flightOf(job)
    if (flight === undefined) return
    this.#reports.progressed(flight, progress)
    this.onChange()
  }

  /** The pool: these jobs never started and are to be had again. */
  returned(jobs: readonly ClaimedJob[]): void {
    for (const job of jobs.toReversed()) {
      const flight = this.#flightOf(job)
      if (flight === undefined) continue
      this.#loads.unload(flight)
      if (this.#stopping || this.#onHold || flight.lost) this.#return(flight)
      else this.#ahead.unshift(flight)
    }
    this.onChange()
  }

  /** The pool: a child is gone with what it had in hand. */
  exited(child: PoolChild<ClaimedJob>, exit: ChildExit<ClaimedJob>): void {
    this.#loads.forget(child)
    for (const { job, started, startedAt } of exit.jobs) {
      const flight = this.#flightOf(job)
      if (flight === undefined) continue
      const ran = started === 'yes'
      const run = { startedAt: ran ? (startedAt ?? this.#options.clock.now().at) : null, pid: child.pid }
      // One that may have run must not go back as if nothing had happened, though the stop is to blame and no job.
      if (this.#stopping && ran) this.#decide(flight, { type: 'returned', started: true, cause: 'shutdown' }, run)
      else if (this.#stopping && started === 'no') this.#return(flight)
      else this.#decide(flight, { type: 'crashed', started: ran, detail: exit.detail }, run)
    }
    this.onChange()
  }

  /** The job is still the one in hand under this token. */
  holds(job: ClaimedJob): boolean {
    return this.#flightOf(job) !== undefined
  }

  #flightOf(job: ClaimedJob): Flight | undefined {
    const flight = this.#flights.get(job.id)
    return flight?.job.token === job.token ? flight : undefined
  }

  /** Ends the earlier run of a job that is claimed anew: its lease ran out unnoticed. */
  #dropOlder(id: number): void {
    const older = this.#endInChild(id, 'shutdown')
    if (older === undefined) return
    this.#loads.unload(older)
    this.#reports.forget(older)
    this.#ahead = this.#ahead.filter((waiting) => waiting !== older)
  }

  #held(id: number): Flight | BurstFlight | undefined {
    return this.#flights.get(id) ?? this.#bursts.holding(id)
  }

  /** Ends a job if a child has it, and answers its flight: it is not in a burst any more. */
  #endInChild(id: number, cause: 'cancelled' | 'shutdown'): Flight | undefined {
    const held = this.#held(id)
    if (held === undefined) return undefined
    if (held.child !== null) held.child.end(id, cause)
    else if ('burst' in held) {
      const flights = this.#split(held)
      this.#ahead = this.#ahead.flatMap((waiting) => (waiting === held ? flights : [waiting]))
    }
    return this.#flights.get(id)
  }

  /** The jobs of a burst that waits here, each by itself. */
  #split({ burst }: BurstFlight): Flight[] {
    this.#bursts.delete(burst)
    const flights = burst.jobs().map(newFlight)
    for (const flight of flights) this.#flights.set(flight.job.id, flight)
    return flights
  }

  /** A job that was thought to be short still runs: what waits behind it may go to another child, and nothing is added. */
  #takeForLong(flight: Flight): void {
    const { child } = flight
    if (child === null || this.#flightOf(flight.job) !== flight) return
    this.#loads.fill(flight)
    if (child.inFlight > 1) child.recall()
  }

  /** Gives back a job that has not run, though its start may be on record; so it may run, however its task acknowledges. */
  #return(flight: Flight): void {
    const event = flight.started ? 'job.recovered' : null
    const dueAt = this.#options.clock.now().at
    const transition = { to: 'queued', event, spent: false, crashed: false, dueAt } as const
    this.#end(flight, transition, { startedAt: null, pid: null })
  }

  #decide(flight: Flight, outcome: Outcome, run: RunEnd): void {
    const now = this.#options.clock.now().at
    const transition = decide(flight.job, this.#options.tasks.policyFor(flight.job), {
      outcome: lockOutcome(this.#options.messages, flight.job, outcome),
      now,
      random: this.#random,
    })
    const cut = outcome.type === 'returned' && outcome.started && transition.to === 'queued'
    if (this.#stopping && cut) this.#cut += 1
    this.#end(flight, transition, run)
  }

  #end(flight: Flight, transition: Transition, run: RunEnd): void {
    const { job } = flight
    this.#flights.delete(job.id)
    this.#loads.unload(flight)
    const at = run.at ?? this.#options.clock.now().at
    this.#reports.ended(flight, { at, startedAt: run.startedAt, pid: run.pid, transition })
    this.#tellEnd(job, transition, { ...run, at })
  }

  get #tellsOfSuccesses(): boolean {
    const { jobHooks = null, meter = null, logs } = this.#options
    return jobHooks !== null || meter !== null || logs('info')
  }

  #tellEnd(job: ClaimedJob, transition: Transition, { at, startedAt, runMs }: RunEnd & { readonly at: number }): void {
    const { jobHooks, meter, logs, log } = this.#options
    jobHooks?.ended(job, transition, { at, startedAt, runMs: runMs ?? null })
    meter?.ended(job, transition, { at, startedAt, runMs: runMs ?? null })
    const level = endLevel(transition)
    if (level !== null && logs(level)) log(endEntry(job, transition, { level, at, runMs }))
  }
}

const tokenOf = (held: Flight | BurstFlight): number => ('job' in held ? held.job.token : held.burst.like.token)

interface RunEnd {
  readonly startedAt: number | null
  readonly pid: number | null
  readonly at?: number
  readonly runMs?: number
}
