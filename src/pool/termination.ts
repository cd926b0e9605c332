import { maxTimerMs } from '../clock.ts'
import type { AskedCause, EndCause } from './pool.ts'

/** How to end something that runs: by telling it that time is up, by asking it, by force. */
export interface TerminationSteps {
  readonly warn: (signal: NodeJS.Signals) => void
  readonly ask: (cause: AskedCause) => void
  /** True when it is done; false to be called again, because it could not be right yet. */
  readonly force: () => boolean
  readonly killAfterMs: number
}

/**
 * The end of one run before its time, whoever wants it: a soft limit warns, a cancel or a stop asks and then forces, a
 * hard limit forces. The first cause wins, later ones change nothing but how soon force is used; a warning is no cause,
 * because the run may still come to an end of its own.
 */
export class Termination {
  readonly #steps: TerminationSteps
  #cause: EndCause | null = null
  #warned = false
  #timer: NodeJS.Timeout | undefined

  constructor(steps: TerminationSteps) {
    this.#steps = steps
  }

  /** Why it ends; null while nobody has asked it to. */
  get cause(): EndCause | null {
    return this.#cause
  }

  /** True once it was warned or asked. */
  get begun(): boolean {
    return this.#warned || this.#cause !== null
  }

  /** Its soft limit has passed; said once, and not to one that was asked to end. */
  warn(signal: NodeJS.Signals): void {
    if (this.begun) return
    this.#warned = true
    this.#steps.warn(signal)
  }

  /** Asks, and forces after `killAfterMs` unless it has `settled` by then. */
  begin(cause: AskedCause): void {
    if (this.#cause !== null) return
    this.#cause = cause
    this.#arm(Math.min(this.#steps.killAfterMs, maxTimerMs))
    this.#steps.ask(cause)
  }

  /** Its hard limit has passed: whoever says so uses force now. */
  expire(): void {
    this.#cause ??= 'time-limit'
    this.settle()
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
