/**
 * The painted lines of a dashboard, and when they are drawn again: at once for a key, otherwise no more often than the
 * drawing may cost, and not at all while nothing but the clock has changed.
 */
import type { Dashboard } from './dashboard.ts'
import { frame } from './frame.ts'
import { type Ability, paint } from './parts/paint.ts'

/** Without a key the screen is drawn no sooner than this after it was drawn last, in milliseconds. */
const leastBetweenMs = 600
/** Drawing what goes on by itself takes this part of a processor at the most. */
const drawingShare = 1 / 70

/** What a terminal shows of a dashboard. */
export class Screen {
  readonly #dashboard: Dashboard
  readonly #ability: Ability
  readonly #listeners = new Set<() => void>()
  #lines: readonly string[] = []
  #body = ''
  #minute = 0
  #drawnAt = 0
  #costMs = 0
  #timer: NodeJS.Timeout | null = null

  constructor(dashboard: Dashboard, ability: Ability) {
    this.#dashboard = dashboard
    this.#ability = ability
    this.#compose()
    dashboard.subscribe((urgent) => this.#changed(urgent))
  }

  /** The lines as they were composed last; the same list until they are composed again. */
  readonly lines = (): readonly string[] => this.#lines

  /** Calls `listener` when there are other lines, until what it gives back is called. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Hears how long drawing took, in milliseconds. */
  drawn(tookMs: number): void {
    this.#costMs = this.#costMs === 0 ? tookMs : this.#costMs * 0.8 + tookMs * 0.2
  }

  #changed(urgent: boolean): void {
    const wait = Math.max(leastBetweenMs, this.#costMs / drawingShare) - (performance.now() - this.#drawnAt)
    if (urgent || wait <= 0) this.#draw()
    else this.#timer ??= setTimeout(() => this.#draw(), wait)
  }

  #draw(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (!this.#compose()) return
    this.#drawnAt = performance.now()
    for (const listener of this.#listeners) listener()
  }

  /** True where there is something new to see. */
  #compose(): boolean {
    const { state } = this.#dashboard
    // A line without anything would have no height.
    const [head = '', ...rest] = frame(state).map((line) => paint(line, this.#ability).trimEnd() || ' ')
    const body = rest.join('\n')
    const minute = Math.floor(state.at / 60_000)
    if (body === this.#body && minute === this.#minute) return false
    this.#body = body
    this.#minute = minute
    this.#lines = [head, ...rest]
    return true
  }
}
