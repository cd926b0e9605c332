/**
 * A pool of forked children: keeps as many as wanted, replaces what dies (at once, or with growing delays while
 * children die before they are ready), and brings all of them down in order.
 */
import os from 'node:os'
import type { ChildStatus } from '../broker/broker.ts'
import { JobqError } from '../errors.ts'
import { Changes } from './changes.ts'
import { childSettings } from './child-settings.ts'
import { ForkedChild } from './forked-child.ts'
import { lostTasks } from './lost-tasks.ts'
import type {
  ChildExit,
  ExitReason,
  Found,
  FreshChildren,
  Pool,
  PoolChild,
  PoolOptions,
  RunJob,
  StartTrouble,
} from './pool.ts'
import type { ChildSettings } from './protocol.ts'
import { feelPulses } from './pulse.ts'
import { Recycling } from './recycling.ts'
import { Sentinel } from './sentinel.ts'
import { Standby } from './standby.ts'
import { StartUp } from './start-up.ts'
import { problemText } from './task-summary.ts'
import type { ChildLimits } from './wear.ts'

const lastPatienceMs = 2_000
/** A child that dies so soon, and has done nothing, has failed to start. */
const earlyMs = 10_000
const neverAborted = new AbortController().signal
const stopped = (): JobqError => new JobqError('conflict', 'the pool is being stopped')

/** Makes a pool; nothing runs before `start`. */
export const createPool = <J extends RunJob>(options: PoolOptions<J>): Pool<J> => new ForkedPool(options)

class ForkedPool<J extends RunJob> implements Pool<J> {
  size = 0
  readonly #options: PoolOptions<J>
  readonly #settings: ChildSettings
  readonly #env: NodeJS.ProcessEnv
  readonly #sentinel = new Sentinel()
  #children: ForkedChild<J>[] = []
  readonly #standby = new Standby<J>()
  /** Those of `prepare`: whoever asked for them decides about them. */
  readonly #prepared = new Set<ForkedChild<J>>()
  /** What the last child to join has found. */
  #found: Found | null = null
  readonly #startUp: StartUp
  /** Null where children last for ever. */
  readonly #recycling: Recycling<J> | null
  #stopping = false
  #endPulse: () => void = () => {}
  readonly #changes = new Changes()

  constructor(options: PoolOptions<J>) {
    this.#options = options
    this.#settings = childSettings(options)
    this.#startUp = new StartUp({
      retry: () => this.#fill(),
      tell: () => options.listener.troubled?.(this.trouble),
    })
    const { maxJobs = null, maxBytes = null } = options.childLimits ?? {}
    this.#recycling = maxJobs === null && maxBytes === null ? null : this.#newRecycling({ maxJobs, maxBytes })
    this.#env = Object.fromEntries(Object.entries(options.env).filter(([name]) => !name.startsWith('JOBQ_')))
  }

  get trouble(): StartTrouble | null {
    const { trouble } = this.#startUp
    return trouble && { ...trouble, ready: this.#staying.filter((child) => child.wasReady).length }
  }

  get children(): readonly PoolChild<J>[] {
    return this.#children
  }

  async start(size: number): Promise<void> {
    this.#sentinel.start()
    this.#endPulse = feelPulses(() => this.#children)
    this.resize(size)
    const first = [...this.#children]
    await this.#changes.until(() => first.every((child) => child.wasReady || !this.#children.includes(child)))
  }

  resize(size: number): void {
    this.size = size
    if (this.#stopping) return
    this.#fill()
    const byNeed = this.#staying.sort((a, b) => Number(a.wasReady) - Number(b.wasReady) || a.inFlight - b.inFlight)
    for (const child of byNeed.slice(0, Math.max(0, byNeed.length - size))) this.#dismiss(child, 'shrunk')
  }

  async prepare(signal: AbortSignal): Promise<FreshChildren> {
    if (this.#stopping) throw stopped()
    const busy = this.#staying.filter(({ inFlight }) => inFlight > 0).length
    const count = Math.max(1, Math.min(this.size, Math.max(busy, os.availableParallelism())))
    const children = Array.from({ length: count }, () => this.#make())
    for (const child of children) this.#prepared.add(child)
    const drop = (): void => {
      for (const child of children) if (this.#standby.has(child)) child.kill()
    }
    try {
      const fresh = await Promise.all(
        children.map(async (child) => ({ child, found: await this.#standby.add(child, signal) })),
      )
      return { found: fresh.map(({ found }) => found), takeOver: () => this.#takeOver(fresh), drop }
    } catch (error) {
      drop()
      throw this.#stopping ? stopped() : error
    }
  }

  async stop({ graceMs }: { readonly graceMs: number }): Promise<void> {
    this.#bringDown()
    for (const child of this.#children) this.#dismiss(child, 'stopped')
    const none = () => this.#children.length + this.#standby.size === 0
    if (!(await this.#changes.until(none, graceMs))) for (const child of this.#children) child.endAll('shutdown')
    if (!(await this.#changes.until(none, this.#settings.killAfterMs + lastPatienceMs))) this.kill()
    await this.#changes.until(none)
  }

  kill(): void {
    this.#bringDown()
    for (const child of this.#children) child.kill('stopped')
  }

  status(): ChildStatus[] {
    return this.#children.map((child) => child.status())
  }

  get #staying(): ForkedChild<J>[] {
    return this.#children.filter((child) => !child.going)
  }

  /** Starts what is missing, as far as children start at all. */
  #fill(): void {
    if (this.#stopping) return
    while (this.#staying.length < this.size && this.#mayStart()) this.#children.push(this.#make())
    this.#recycling?.lookAtAll()
  }

  #mayStart(): boolean {
    const starting = this.#staying.filter((child) => !child.wasReady).length + this.#standby.size
    return !this.#stopping && this.#startUp.mayStart(starting)
  }

  #newRecycling(limits: ChildLimits): Recycling<J> {
    return new Recycling<J>({
      limits,
      children: () => this.#staying,
      mayStart: () => this.#mayStart(),
      start: () => {
        const child = this.#make()
        return { child, loaded: this.#standby.add(child, neverAborted) }
      },
      takeOver: (old, fresh, found) => {
        if (this.#join(fresh, found)) this.#dismiss(old, old.wornBy)
      },
    })
  }

  /**
   * A child leaves, in its own time, and is not replaced by what stood ready for that. One that still loads has nothing
   * to finish, and may never listen.
   */
  #dismiss(child: ForkedChild<J>, reason: ExitReason): void {
    if (child.wasReady) child.leave(reason)
    else child.kill(reason)
    this.#recycling?.forget(child)?.child.kill('replaced')
  }

  /** One that has loaded beside the pool becomes one of it. */
  #join(child: ForkedChild<J>, found: Found): boolean {
    if (this.#stopping || !this.#standby.release(child)) return false
    this.#prepared.delete(child)
    this.#children.push(child)
    this.#begin(child, found)
    return true
  }

  #make(): ForkedChild<J> {
    const { program, listener } = this.#options
    return new ForkedChild<J>({
      program,
      listener,
      env: this.#env,
      settings: this.#settings,
      sentinel: this.#sentinel,
      maxJobs: this.#options.childLimits?.maxJobs ?? Number.POSITIVE_INFINITY,
      changed: this.#recycling === null ? null : this.#recycling.look,
      limitsOf: this.#options.limitsOf ?? null,
      ready: (child, found) => {
        if (this.#isPoorer(child, found)) return
        this.#startUp.succeeded()
        if (!this.#standby.loaded(child, found)) this.#begin(child, found)
        this.#fill()
      },
      exited: (dead, exit) => this.#exited(dead, exit),
    })
  }

  /**
   * Ends a child that has lost a task to a mistake in its file, as if it had not started, while another one still has it
   * from before; with the new one, jobs of that task would fail. The others go on with the old code even where they are worn.
   */
  #isPoorer(child: ForkedChild<J>, { problems }: Found): boolean {
    const others = this.#staying.filter((other) => other !== child && other.wasReady)
    const judged = this.#prepared.has(child) || others.length === 0
    const lost = judged ? [] : lostTasks(this.#found?.tasks ?? [], problems)
    if (lost.length === 0) return false
    const detail = [`it could not load ${lost.join(', ')}`, ...problems.map(problemText)].join('; ')
    this.#startUp.failed({ detail, begunTick: child.begunTick, wasReady: false })
    child.kill('not-started')
    for (const other of others.filter(({ remaining }) => remaining <= 0)) {
      other.renew()
      this.#options.listener.returned(other, [])
    }
    return true
  }

  /** It is ready and one of the pool. */
  #begin(child: ForkedChild<J>, { tasks, problems }: Found): void {
    this.#found = { tasks, problems }
    this.#options.listener.ready(child, tasks, problems)
    this.#recycling?.look(child)
    this.#changes.tell()
  }

  #takeOver(fresh: readonly { readonly child: ForkedChild<J>; readonly found: Found }[]): boolean {
    if (this.#stopping) return false
    const old = this.#staying
    for (const { child, found } of fresh) this.#join(child, found)
    for (const child of old) this.#dismiss(child, 'reloaded')
    this.resize(this.size)
    return true
  }

  #exited(dead: ForkedChild<J>, exit: Omit<ChildExit<J>, 'replacedInMs'>): void {
    const { begunTick, wasReady } = dead
    const idle = dead.processed === 0 && exit.jobs.length === 0 && performance.now() - begunTick < earlyMs
    const judged = this.#prepared.delete(dead)
    if (!judged && !dead.going && !this.#stopping && (!wasReady || idle)) {
      this.#startUp.failed({ detail: exit.detail, begunTick, wasReady })
    }
    this.#recycling?.lost(dead)
    if (!this.#standby.died(dead, exit.detail)) this.#replace(dead, exit)
    this.#fill()
    if (this.#stopping) this.#endWatch()
    this.#changes.tell()
  }

  #replace(dead: ForkedChild<J>, exit: Omit<ChildExit<J>, 'replacedInMs'>): void {
    this.#children = this.#children.filter((child) => child !== dead)
    const next = this.#recycling?.forget(dead) ?? null
    const wanted = !this.#stopping && this.#staying.length < this.size
    if (next !== null && !(wanted && this.#join(next.child, next.found))) next.child.kill('replaced')
    const replacedInMs = wanted ? this.#startUp.delayMs : null
    this.#options.listener.exited(dead, { ...exit, replacedInMs })
  }

  #bringDown(): void {
    this.#stopping = true
    this.#standby.kill()
    this.#endWatch()
    this.#startUp.stop()
    this.#changes.tell()
  }

  /** Once no child is left. */
  #endWatch(): void {
    if (this.#children.length + this.#standby.size > 0) return
    this.#sentinel.stop()
    this.#endPulse()
  }
}
