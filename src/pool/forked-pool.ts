/**
 * A pool of forked children: keeps as many as wanted, replaces what dies (at once, or with growing delays while
 * children die before they are ready), and brings all of them down in order.
 */
import type { ChildStatus } from '../broker/broker.ts'
import { maxTimerMs } from '../clock.ts'
import { defaultMaxOutputBytes } from '../output/output-writer.ts'
import { ForkedChild } from './forked-child.ts'
import type { ChildExit, Found, FreshChildren, Pool, PoolChild, PoolOptions, RunJob } from './pool.ts'
import type { ChildSettings } from './protocol.ts'
import { lookEveryMs } from './pulse.ts'
import { Sentinel } from './sentinel.ts'
import { Standby } from './standby.ts'

const firstRestartMs = 100
const lastRestartMs = 30_000
const lastPatienceMs = 2_000

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
  readonly #restarts = new Set<NodeJS.Timeout>()
  /** Deaths before readiness, since a child was last ready. */
  #failures = 0
  #stopping = false
  #pulseTimer: NodeJS.Timeout | undefined
  #changed = Promise.withResolvers<void>()

  constructor(options: PoolOptions<J>) {
    const { tasks, outputFolder, brokerUrl } = options
    this.#options = options
    this.#settings = {
      tasks,
      outputFolder,
      brokerUrl,
      processes: options.processes ?? { defaults: {}, tasks: {} },
      maxOutputBytes: options.maxOutputBytes ?? defaultMaxOutputBytes,
      maxResultBytes: options.maxResultBytes ?? 1024 * 1024,
      killAfterMs: options.killAfterMs ?? 5_000,
      reportImports: options.reportImports ?? false,
      shared: options.shared ?? {},
    }
    this.#env = Object.fromEntries(Object.entries(options.env).filter(([name]) => !name.startsWith('JOBQ_')))
  }

  get children(): readonly PoolChild<J>[] {
    return this.#children
  }

  async start(size: number): Promise<void> {
    this.#sentinel.start()
    this.#watchPulses()
    this.resize(size)
    const first = [...this.#children]
    await this.#until(() => first.every((child) => child.wasReady || !this.#children.includes(child)))
  }

  resize(size: number): void {
    this.size = size
    if (this.#stopping) return
    while (this.#staying.length + this.#restarts.size < size) this.#fork()
    for (const timer of [...this.#restarts].slice(0, this.#staying.length + this.#restarts.size - size)) {
      clearTimeout(timer)
      this.#restarts.delete(timer)
    }
    const byNeed = this.#staying.sort((a, b) => a.inFlight - b.inFlight)
    for (const child of byNeed.slice(0, Math.max(0, byNeed.length - size))) child.leave()
  }

  async prepare(signal: AbortSignal): Promise<FreshChildren> {
    if (this.#stopping) throw new Error('the pool is being stopped')
    const children = Array.from({ length: Math.max(1, this.size) }, () => this.#make())
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
      throw error
    }
  }

  async stop({ graceMs }: { readonly graceMs: number }): Promise<void> {
    this.#bringDown()
    for (const child of this.#children) child.leave()
    const none = () => this.#children.length + this.#standby.size === 0
    if (!(await this.#until(none, graceMs))) for (const child of this.#children) child.endAll('shutdown')
    if (!(await this.#until(none, this.#settings.killAfterMs + lastPatienceMs))) this.kill()
    await this.#until(none)
  }

  kill(): void {
    this.#bringDown()
    for (const child of this.#children) child.kill()
  }

  status(): ChildStatus[] {
    return this.#children.map((child) => child.status())
  }

  get #staying(): ForkedChild<J>[] {
    return this.#children.filter(({ state }) => state !== 'stopping')
  }

  #fork(): void {
    this.#children.push(this.#make())
  }

  #make(): ForkedChild<J> {
    const { program, listener } = this.#options
    return new ForkedChild<J>({
      program,
      listener,
      env: this.#env,
      settings: this.#settings,
      sentinel: this.#sentinel,
      ready: (child, found) => {
        if (!this.#standby.loaded(child, found)) this.#begin(child, found)
      },
      exited: (dead, exit) => this.#exited(dead, exit),
    })
  }

  /** It is ready and one of the pool. */
  #begin(child: ForkedChild<J>, { tasks, problems }: Found): void {
    this.#failures = 0
    this.#options.listener.ready(child, tasks, problems)
    this.#wake()
  }

  #takeOver(fresh: readonly { readonly child: ForkedChild<J>; readonly found: Found }[]): boolean {
    if (this.#stopping) return false
    const old = this.#staying
    for (const { child, found } of fresh) {
      if (!this.#standby.release(child)) continue
      this.#children.push(child)
      this.#begin(child, found)
    }
    for (const child of old) this.#retire(child)
    this.resize(this.size)
    return true
  }

  /** One that still loads has nothing to finish, and may never listen. */
  #retire(child: ForkedChild<J>): void {
    if (child.wasReady) child.leave()
    else child.kill()
  }

  #exited(dead: ForkedChild<J>, exit: Omit<ChildExit<J>, 'replacedInMs'>): void {
    if (!this.#standby.died(dead, exit.detail)) this.#replace(dead, exit)
    if (this.#stopping) this.#endWatch()
    this.#wake()
  }

  #replace(dead: ForkedChild<J>, exit: Omit<ChildExit<J>, 'replacedInMs'>): void {
    this.#children = this.#children.filter((child) => child !== dead)
    const wanted = !this.#stopping && this.#staying.length + this.#restarts.size < this.size
    if (wanted && !dead.wasReady) this.#failures += 1
    const delayMs = dead.wasReady ? 0 : Math.min(lastRestartMs, firstRestartMs * 2 ** (this.#failures - 1))
    if (wanted && delayMs === 0) this.#fork()
    else if (wanted) this.#forkLater(delayMs)
    this.#options.listener.exited(dead, { ...exit, replacedInMs: wanted ? delayMs : null })
  }

  #forkLater(delayMs: number): void {
    const timer = setTimeout(() => {
      this.#restarts.delete(timer)
      this.#fork()
    }, delayMs)
    this.#restarts.add(timer)
  }

  #bringDown(): void {
    this.#stopping = true
    this.#standby.kill()
    this.#endWatch()
    for (const timer of this.#restarts) clearTimeout(timer)
    this.#restarts.clear()
    this.#wake()
  }

  /** Once no child is left. */
  #endWatch(): void {
    if (this.#children.length + this.#standby.size > 0) return
    this.#sentinel.stop()
    clearInterval(this.#pulseTimer)
  }

  #watchPulses(): void {
    let lookedTick = performance.now()
    this.#pulseTimer = setInterval(() => {
      const now = performance.now()
      // Where this process itself stood still, the answers may be here and not yet read.
      if (now - lookedTick < 2 * lookEveryMs) for (const child of this.#children) child.feelPulse(now)
      lookedTick = now
    }, lookEveryMs).unref()
  }

  #wake(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers<void>()
  }

  /** Waits until something holds, looking whenever a child comes or goes; false when time ran out first. */
  async #until(holds: () => boolean, timeoutMs?: number): Promise<boolean> {
    let late = false
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(
            () => {
              late = true
              this.#wake()
            },
            Math.min(timeoutMs, maxTimerMs),
          )
    while (!late && !holds()) await this.#changed.promise
    clearTimeout(timer)
    return holds()
  }
}
