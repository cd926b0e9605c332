/**
 * One consumer of the event log: reads behind its cursor, delivers in order, tries again what fails, and keeps in the broker
 * how far it has come. The cursor is leased, so that of several workers with this consumer one delivers; another takes over
 * within seconds when that one leaves or dies. It is saved now and then, not with every event, because a commit costs more
 * than most deliveries: what was delivered since is delivered again after a crash, never left out. The consumer holds no more
 * than one page of events, and nobody waits for it but a stop, for a moment.
 */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { Broker } from '../broker/broker.ts'
import { eventPages } from '../client/event-pages.ts'
import type { Clock } from '../clock.ts'
import { backoffDelay } from '../policy.ts'
import type { CheckedConsumer, ConsumedEvent } from './consumer-settings.ts'
import type { LogLevel } from './log-entry.ts'
import { DeliveryRefused, type Sink } from './sinks/sink.ts'

/** What a consumer works with. */
export interface ConsumerParts {
  readonly consumer: CheckedConsumer
  readonly sink: Sink
  readonly broker: Broker
  readonly session: number
  /** Where a consumer begins that was never here before: an event id. */
  readonly start: number
  readonly clock: Clock
  readonly say: (level: LogLevel, message: string) => void
}

/** What a consumer says of itself. */
export interface ConsumerInfo {
  readonly name: string
  /** Has the cursor; others wait for it. */
  readonly active: boolean
  /** The last event that is dealt with; null before it ever had the cursor. */
  readonly cursor: number | null
  /** Failures in a row of what is to be delivered now. */
  readonly failures: number
}

const pageSize = 100
const pollMs = 100
const leaseMs = 30_000
const renewMs = 10_000
/** So much may have to be delivered again after a crash, in milliseconds. */
const saveEveryMs = 500
/** How often one that waits for the cursor asks for it, in milliseconds. */
const askEveryMs = 1_000
/** Deliveries that never wait for anything let others come in between after so long, in milliseconds. */
const turnMs = 10
/** How long a delivery whose time is up may take to end, in milliseconds. */
const abortedMs = 3_000

/** A consumer that runs until it is told to finish. */
export class EventConsumer {
  readonly #parts: ConsumerParts
  readonly #finish = new AbortController()
  readonly #cut = new AbortController()
  #cursor: number | null = null
  #active = false
  #unsaved = false
  #savedTick = 0
  #failures = 0
  #running: Promise<void> | null = null

  constructor(parts: ConsumerParts) {
    this.#parts = parts
  }

  start(): void {
    this.#running = this.#run()
  }

  /** Delivers what is there by now, each event tried once more at most, and lets go of the cursor; at once when `cut` aborts. */
  async finish(cut: AbortSignal): Promise<void> {
    this.#finish.abort()
    const stop = (): void => this.#cut.abort()
    if (cut.aborted) stop()
    else cut.addEventListener('abort', stop, { once: true })
    await this.#running
    cut.removeEventListener('abort', stop)
  }

  get info(): ConsumerInfo {
    return {
      name: this.#parts.consumer.name,
      active: this.#active,
      cursor: this.#cursor,
      failures: this.#failures,
    }
  }

  async #run(): Promise<void> {
    let trouble = ''
    for (let last = false; !last && !this.#cut.signal.aborted; ) {
      // One that still waits for its cursor when it is to finish asks once more: a worker that died may be known to have by now.
      last = this.#finish.signal.aborted
      try {
        const cursor = await this.#take()
        if (cursor !== null) await this.#work(cursor)
        last ||= cursor !== null && this.#finish.signal.aborted
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error)
        if (message !== trouble) this.#say('warn', message)
        trouble = message
      }
      await this.#pause(askEveryMs)
    }
  }

  #take(): Promise<number | null> {
    const { broker, consumer, session, start, clock } = this.#parts
    return broker.cursors.take(consumer.name, { session, leaseMs, start }, clock.now())
  }

  /** Delivers behind the cursor until it is lost or the worker is to stop. */
  async #work(cursor: number): Promise<void> {
    const { broker, consumer, session } = this.#parts
    const lost = new AbortController()
    this.#cursor = cursor
    this.#active = true
    this.#noteSaved()
    let saving = Promise.resolve()
    const timer = setInterval(() => {
      saving = saving.then(() => this.#save(lost))
    }, saveEveryMs)
    try {
      await this.#deliverAll(lost.signal)
    } finally {
      clearInterval(timer)
      await saving
      if (!lost.signal.aborted) {
        await this.#save(lost, true)
        await broker.cursors.release(consumer.name, session)
      }
      this.#active = false
      this.#failures = 0
    }
  }

  async #deliverAll(lost: AbortSignal): Promise<void> {
    const { broker, consumer, sink } = this.#parts
    const over = AbortSignal.any([lost, this.#cut.signal])
    const pages = eventPages(
      broker.events,
      { ...(consumer.types === null ? {} : { types: consumer.types }), limit: pageSize },
      {
        after: this.#cursor ?? 0,
        follow: true,
        signal: over,
        finish: this.#finish.signal,
        pollMs,
        onAway: (reason) => this.#say('debug', reason ?? 'the broker is back'),
      },
    )
    let turnEnds = performance.now() + turnMs
    for await (const { events, cursor } of pages) {
      for (let index = 0; index < events.length; index += sink.most) {
        const batch = events.slice(index, index + sink.most)
        if (!(await this.#deliver(batch, over))) return
        const last = batch.at(-1)
        if (last !== undefined) this.#cursor = 'id' in last ? last.id : last.to
        this.#unsaved = true
        if (performance.now() < turnEnds) continue
        await nextTurn()
        turnEnds = performance.now() + turnMs
      }
      this.#cursor = cursor
    }
  }

  /** Delivers for good, or gives up as often as the consumer says; false where it is left to somebody else. */
  async #deliver(batch: readonly ConsumedEvent[], over: AbortSignal): Promise<boolean> {
    const { retries, backoff } = this.#parts.consumer
    for (;;) {
      if (over.aborted) return false
      const error = await this.#attempt(batch, over)
      if (error === null) {
        if (this.#failures > 0) this.#say('info', `${wordsOf(batch)} delivered after ${this.#failures} failures`)
        this.#failures = 0
        return true
      }
      if (over.aborted) return false
      this.#failures += 1
      const what = `${wordsOf(batch)} not delivered: ${error.message}`
      if (retries !== null && this.#failures > retries) {
        this.#say('error', `${what}; given up after ${this.#failures} tries`)
        this.#failures = 0
        return true
      }
      if (this.#finish.signal.aborted) {
        this.#say('warn', `${what}; left for the next start`)
        return false
      }
      const notBeforeMs = error instanceof DeliveryRefused ? error.notBeforeMs : 0
      const delayMs = Math.max(notBeforeMs, backoffDelay(backoff, this.#failures, Math.random))
      this.#say(
        'warn',
        `${what}; tried again in ${delayMs < 1_000 ? `${delayMs} ms` : `${Math.round(delayMs / 1_000)} s`}`,
      )
      await this.#pause(delayMs, over)
    }
  }

  /** One try; what went wrong, or null. A sink that does not heed its signal is waited for a moment longer only. */
  async #attempt(batch: readonly ConsumedEvent[], over: AbortSignal): Promise<Error | null> {
    const { timeoutMs } = this.#parts.consumer
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(new Error(`no end within ${timeoutMs} ms`)), timeoutMs)
    const signal = AbortSignal.any([late.signal, over])
    const aborted = Promise.withResolvers<never>()
    let last: NodeJS.Timeout | undefined
    const giveUp = (): void => {
      last = setTimeout(() => aborted.reject(signal.reason), abortedMs)
    }
    signal.addEventListener('abort', giveUp, { once: true })
    try {
      await Promise.race([this.#parts.sink.deliver(batch, signal), aborted.promise])
      return null
    } catch (error) {
      const reason: unknown = late.signal.aborted ? late.signal.reason : error
      return reason instanceof Error ? reason : new Error(String(reason))
    } finally {
      signal.removeEventListener('abort', giveUp)
      clearTimeout(timer)
      clearTimeout(last)
    }
  }

  async #save(lost: AbortController, last = false): Promise<void> {
    const { broker, consumer, session, clock } = this.#parts
    const now = clock.now()
    const due = last || this.#unsaved || now.tick - this.#savedTick >= renewMs
    if (!due || this.#cursor === null) return
    const unsaved = this.#unsaved
    this.#unsaved = false
    try {
      if (await broker.cursors.move(consumer.name, { session, leaseMs, to: this.#cursor }, now)) this.#noteSaved()
      else lost.abort()
    } catch (error) {
      this.#unsaved ||= unsaved
      this.#say('debug', `its cursor was not saved: ${error instanceof Error ? error.message : error}`)
    }
  }

  #noteSaved(): void {
    this.#savedTick = this.#parts.clock.now().tick
  }

  async #pause(ms: number, over?: AbortSignal): Promise<void> {
    const signal = over === undefined ? this.#finish.signal : AbortSignal.any([over, this.#finish.signal])
    try {
      await sleep(ms, undefined, { signal })
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  #say(level: LogLevel, message: string): void {
    this.#parts.say(level, `consumer ${this.#parts.consumer.name}: ${message}`)
  }
}

const wordsOf = (batch: readonly ConsumedEvent[]): string => {
  const [first] = batch
  if (first === undefined) return 'nothing'
  if (batch.length > 1) return `${batch.length} events`
  return 'id' in first ? `event ${first.id} (${first.type})` : `${first.type} ${first.from} to ${first.to}`
}
