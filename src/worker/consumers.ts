import type { Broker } from '../broker/broker.ts'
import { type ConsumerInfo, EventConsumer } from './event-consumer.ts'
import type { LogLevel } from './log-entry.ts'
import type { ResolvedOptions } from './options.ts'
import { openSink } from './sinks/open-sink.ts'

/** How long a stop goes on delivering, in milliseconds. */
const lastDeliveriesMs = 5_000

/** The consumers of a worker, each by itself. */
export class Consumers {
  readonly #consumers: readonly EventConsumer[]
  readonly #cut = new AbortController()

  private constructor(consumers: readonly EventConsumer[]) {
    this.#consumers = consumers
  }

  /** Starts all of them; those that were never here before begin with the start of this worker's session. */
  static async start(broker: Broker, session: number, options: ResolvedOptions): Promise<Consumers> {
    const { clock, log, logs, config } = options
    const say = (level: LogLevel, message: string): void => {
      if (logs(level)) log({ level, at: clock.now().at, type: 'worker.notice', message })
    }
    const own = (await broker.workers.list()).find((worker) => worker.session === session)
    const start = own === undefined ? await broker.events.last() : await broker.events.cursorAt(own.startedAt)
    const env = programEnvironment(options, broker.url)
    const consumers = (config.consumers ?? []).map((consumer) => {
      const onHeld = (ms: number): void =>
        say('warn', `consumer ${consumer.name}: its handler held up the whole worker for ${ms} ms`)
      const sink = openSink(consumer, { clock, env, onHeld })
      return new EventConsumer({ consumer, sink, broker, session, start, clock, say })
    })
    for (const consumer of consumers) consumer.start()
    return new Consumers(consumers)
  }

  /** Delivers what there is by now, for a moment; not at all once `cut` aborts. */
  async drain(cut: AbortSignal): Promise<void> {
    const timer = setTimeout(() => this.#cut.abort(), lastDeliveriesMs)
    const over = AbortSignal.any([cut, this.#cut.signal])
    await Promise.all(this.#consumers.map((consumer) => consumer.finish(over)))
    clearTimeout(timer)
  }

  /** Lets go of everything. */
  async stop(): Promise<void> {
    this.#cut.abort()
    await this.drain(this.#cut.signal)
  }

  get info(): readonly ConsumerInfo[] {
    return this.#consumers.map(({ info }) => info)
  }
}

/** What programs get: the worker's own environment, but of its `JOBQ_…` variables only the broker. */
export const programEnvironment = ({ env }: ResolvedOptions, brokerUrl: string): Record<string, string> => {
  const passed = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !entry[0].startsWith('JOBQ_'),
  )
  return { ...Object.fromEntries(passed), JOBQ_BROKER: brokerUrl }
}
