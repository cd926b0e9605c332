import { maxTimerMs } from '../clock.ts'
import type { EndCause } from './pool.ts'

/** How to end something that runs, politely and then by force. */
export interface TerminationSteps {
  readonly ask: (cause: EndCause) => void
  /** True when it is done; false to be called again, because it could not be right yet. */
  readonly force: () => boolean
  readonly killAfterMs: number
}

/** The end of one run before its time: the first cause wins, later ones change nothing. */
export class Termination {
  readonly #steps: TerminationSteps
  #cause: EndCause | null = null
  #timer: NodeJS.Timeout | undefined

  constructor(steps: TerminationSteps) {
    this.#steps = steps
  }

  /** Why it was asked to end; null while nobody has. */
  get cause(): EndCause | null {
    return this.#cause
  }

  /** Asks, and forces after `killAfterMs` unless it has `settled` by then. */
  begin(cause: EndCause): void {
    if (this.#cause !== null) return
    this.#cause = cause
    this.#arm(Math.min(this.#steps.killAfterMs, maxTimerMs))
    this.#steps.ask(cause)
  }

  /** It has ended. */
  settle(): void {
    clearTimeout(this.#timer)
  }

  #arm(delayMs: number): void {
    this.#timer = setTimeout(() => {
      if (!this.#steps.force()) this.#arm(Math.max(100, Math.min(this.#steps.killAfterMs, 1_000)))
    }, delayMs)
  }
}
