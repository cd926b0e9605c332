import type { ConsumedEvent } from '../consumer-settings.ts'

/** Where the events of a consumer go. */
export interface Sink {
  /** So many events at most in one delivery. */
  readonly most: number
  /** Resolves once they are dealt with, for good; rejects to be given all of them again. */
  deliver(events: readonly ConsumedEvent[], signal: AbortSignal): Promise<void>
}

/** A delivery that failed, and when it is worth trying again at the earliest, in milliseconds from now. */
export class DeliveryRefused extends Error {
  readonly notBeforeMs: number

  constructor(message: string, notBeforeMs: number) {
    super(message)
    this.notBeforeMs = notBeforeMs
  }
}
