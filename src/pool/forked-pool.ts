/**
 * A pool of forked children: keeps as many as wanted, replaces what dies (at once, or with growing delays while
 * children die before they are ready), and brings all of them down in order.
 */
import type { ChildStatus } from '../broker/broker.ts'
import { maxTimerMs } from '../clock.ts'
import { defaultMaxOutputBytes } from '../output/output-writer.ts'
import { ForkedChild } from './forked-child.ts'
import type { ChildExit, Pool, PoolChild, PoolOptions, RunJob } from './pool.ts'
import type { ChildSettings } from './protocol.ts'
import { Sentinel } from './sentinel.ts'

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
  readonly #restarts = new Set<NodeJS.Timeout>()
  /** Deaths before readiness, since a child was last ready. */
  #failures = 0
  #stopping = false
  #changed = Promise.withResolvers<void>()

  constructor(options: PoolOptions<J>) {
    const { tasks, outputFolder, brokerUrl } = options
    this.#options = options
    this.#settings = {
      tasks,
      outputFolder,
      brokerUrl,
      maxOutputBytes: options.maxOutputBytes ?? defaultMaxOutputBytes,
      maxResultBytes: options.maxResultBytes ?? 1024 * 1024,
      killAfterMs: options.killAfterMs ?? 5_000,
    }
    this.#env = Object.fromEntries(Object.entries(options.env).filter(([name]) => !name.startsWith('JOBQ_')))
  }

  get children(): readonly PoolChild<J>[] {
    return this.#children
  }

  async start(size: number): Promise<void> {
    this.#sentinel.start()
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

  async stop({ graceMs }: { readonly graceMs: number }): Promise<void> {
    this.#bringDown()
    for (const child of this.#children) child.leave()
    const none = () => this.#children.length === 0
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
    const { program, listener } = this.#options
    const child = new ForkedChild<J>({
      program,
      listener,
      env: this.#env,
      settings: this.#settings,
      sentinel: this.#sentinel,
      ready: () => {
        this.#failures = 0
        this.#wake()
      },
      exited: (dead, exit) => this.#replace(dead, exit),
    })
    this.#children.push(child)
  }

  #replace(dead: ForkedChild<J>, exit: Omit<ChildExit<J>, 'replacedInMs'>): void {
    this.#children = this.#children.filter((child) => child !== dead)
    const wanted = !this.#stopping && this.#staying.length + this.#restarts.size < this.size
    if (wanted && !dead.wasReady) this.#failures += 1
    const delayMs = dead.wasReady ? 0 : Math.min(lastRestartMs, firstRestartMs * 2 ** (this.#failures - 1))
    if (wanted && delayMs === 0) this.#fork()
    else if (wanted) this.#forkLater(delayMs)
    if (this.#stopping && this.#children.length === 0) this.#sentinel.stop()
    this.#options.listener.exited(dead, { ...exit, replacedInMs: wanted ? delayMs : null })
    this.#wake()
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
    if (this.#children.length === 0) this.#sentinel.stop()
    for (const timer of this.#restarts) clearTimeout(timer)
    this.#restarts.clear()
    this.#wake()
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
