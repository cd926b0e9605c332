/**
 * Pictures of the whole broker, every so often. A camera takes one picture at a time; ticks that pass meanwhile are not made
 * up for. What goes wrong is told in the log and harms nobody else.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Broker } from '../broker/broker.ts'
import { type BrokerState, readState } from '../client/broker-state.ts'
import type { CheckedCamera } from './camera-settings.ts'
import { programEnvironment } from './consumers.ts'
import type { LogLevel } from './log-entry.ts'
import type { ResolvedOptions } from './options.ts'
import { LineFile } from './sinks/line-file.ts'
import { runWithInput } from './sinks/run-with-input.ts'

/** How long a stop waits for a picture that is being taken, in milliseconds. */
const lastPictureMs = 3_000

type Picture = (state: BrokerState, signal: AbortSignal) => unknown

/** The cameras of a worker, each by itself. */
export class Cameras {
  readonly #broker: Broker
  readonly #options: ResolvedOptions
  readonly #stop = new AbortController()
  readonly #running: readonly Promise<void>[]

  constructor(broker: Broker, options: ResolvedOptions) {
    this.#broker = broker
    this.#options = options
    this.#running = (options.config.cameras ?? []).map((camera, index) => this.#run(camera, `cameras[${index}]`))
  }

  /** Takes no more pictures; one that is being taken is told to end, and waited for a moment. */
  async stop(): Promise<void> {
    this.#stop.abort()
    const late = new AbortController()
    const patience = sleep(lastPictureMs, undefined, { signal: late.signal }).catch(() => undefined)
    await Promise.race([Promise.all(this.#running), patience])
    late.abort()
  }

  async #run(camera: CheckedCamera, name: string): Promise<void> {
    const take = this.#pictureOf(camera)
    const { everyMs } = camera
    const begun = performance.now()
    for (let tick = 0; !this.#stop.signal.aborted; ) {
      const passedMs = performance.now() - begun
      tick = Math.max(tick, Math.floor(passedMs / everyMs)) + 1
      await this.#pause(tick * everyMs - passedMs)
      if (!this.#stop.signal.aborted) await this.#shoot(camera, take, name)
    }
  }

  #pictureOf({ target }: CheckedCamera): Picture {
    if ('shutter' in target) return (state, signal) => target.shutter(state, { signal })
    if ('file' in target) {
      const file = new LineFile(target.file)
      return (state) => file.append([JSON.stringify(state)])
    }
    const env = programEnvironment(this.#options, this.#broker.url)
    return (state, signal) => runWithInput({ argv: target.command, input: `${JSON.stringify(state)}\n`, env, signal })
  }

  async #shoot({ timeoutMs }: CheckedCamera, take: Picture, name: string): Promise<void> {
    const late = new AbortController()
    const timer = setTimeout(() => {
      this.#say('warn', `${name}: a picture is not taken after ${timeoutMs} ms; there is no other one before it ends`)
      late.abort(new Error('its time is up'))
    }, timeoutMs)
    try {
      const state = await readState(this.#broker, this.#options.clock.now())
      await take(state, AbortSignal.any([late.signal, this.#stop.signal]))
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#say('warn', `${name}: ${error instanceof Error ? error.message : error}`)
    } finally {
      clearTimeout(timer)
    }
  }

  async #pause(ms: number): Promise<void> {
    const { signal } = this.#stop
    try {
      await sleep(ms, undefined, { signal })
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  #say(level: LogLevel, message: string): void {
    const { clock, log, logs } = this.#options
    if (logs(level)) log({ level, at: clock.now().at, type: 'worker.notice', message })
  }
}
