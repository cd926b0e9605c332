import type { Dashboard } from './dashboard.ts'
import { frame } from './frame.ts'
import { type Ability, paint } from './parts/paint.ts'

/** The painted lines of a dashboard: a new list only where something other than the clock has changed. */
export class Screen {
  readonly #dashboard: Dashboard
  readonly #ability: Ability
  #lines: readonly string[] = []
  #body = ''
  #minute = 0

  constructor(dashboard: Dashboard, ability: Ability) {
    this.#dashboard = dashboard
    this.#ability = ability
  }

  /** The lines as they are now; the same list as before where nothing but the time has changed. */
  readonly lines = (): readonly string[] => {
    const { state } = this.#dashboard
    const [head, ...rest] = frame(state).map((line) => paint(line, this.#ability))
    const body = rest.join('\n')
    const minute = Math.floor(state.at / 60_000)
    if (body === this.#body && minute === this.#minute && this.#lines.length > 0) return this.#lines
    this.#body = body
    this.#minute = minute
    this.#lines = [head ?? '', ...rest]
    return this.#lines
  }
}
