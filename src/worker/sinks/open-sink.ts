import type { Clock } from '../../clock.ts'
import { eventJson } from '../../event-json.ts'
import type { CheckedConsumer, ConsumedEvent } from '../consumer-settings.ts'
import { HandlerSink } from './handler-sink.ts'
import { LineFile } from './line-file.ts'
import { runWithInput } from './run-with-input.ts'
import type { Sink } from './sink.ts'
import { WebhookSink } from './webhook-sink.ts'

/** What sinks work with. */
export interface SinkContext {
  readonly clock: Clock
  /** The environment of programs. */
  readonly env: Readonly<Record<string, string>>
  /** Told when a handler has kept the thread to itself for so many milliseconds. */
  readonly onHeld: (ms: number) => void
}

/** The sink of a consumer. */
export const openSink = ({ name, target }: CheckedConsumer, { clock, env, onHeld }: SinkContext): Sink => {
  if ('handle' in target) return new HandlerSink(target.handle, onHeld)
  if ('webhook' in target) return new WebhookSink(name, target.webhook, clock)
  if ('file' in target) {
    const file = new LineFile(target.file)
    return { most: 100, deliver: (events) => file.append(events.map(lineOf)) }
  }
  const { command } = target
  const run = async (events: readonly ConsumedEvent[], signal: AbortSignal): Promise<void> => {
    for (const event of events) await runWithInput({ argv: command, input: `${lineOf(event)}\n`, env, signal })
  }
  return { most: 1, deliver: run }
}

const lineOf = (event: ConsumedEvent): string => JSON.stringify(eventJson(event))
