import type { ConsumedEvent, EventHandler } from '../consumer-settings.ts'
import type { Sink } from './sink.ts'

/** For longer than this a handler must not keep the worker's thread to itself, in milliseconds. */
const heldTooLongMs = 200

/** Hands events to a function of the user, in the worker's own process. */
export class HandlerSink implements Sink {
  readonly most = 1
  readonly #handle: EventHandler
  readonly #onHeld: (ms: number) => void

  /** `onHeld` is told when a call has kept everything else from running. */
  constructor(handle: EventHandler, onHeld: (ms: number) => void) {
    this.#handle = handle
    this.#onHeld = onHeld
  }

  async deliver(events: readonly ConsumedEvent[], signal: AbortSignal): Promise<void> {
    for (const event of events) await this.#call(event, signal)
  }

  #call(event: ConsumedEvent, signal: AbortSignal): unknown {
    const begun = performance.now()
    try {
      return this.#handle(event, { signal })
    } finally {
      const heldMs = performance.now() - begun
      if (heldMs > heldTooLongMs) this.#onHeld(Math.round(heldMs))
    }
  }
}
