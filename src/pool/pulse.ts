/** A child that has work and has said nothing for so long is asked whether it still hears, in milliseconds. */
const quietMs = 2_000
/** One that has not answered for so long is stuck: something holds its event loop, or the process is stopped. */
const patienceMs = 5_000

/** How often a pool is to look at the pulse of its children, in milliseconds. */
const lookEveryMs = 1_000

/** Whether a child hears. Costs nothing while it reports, or has nothing to do. */
export class Pulse {
  #askedTick: number | null = null
  #stuck = false

  /**
   * Looks now (milliseconds of the monotonic clock), with when the child last said something: `ask` it, or take it for
   * stuck from this look on (`stuck`, once until it is heard again); null when all is well.
   */
  look(now: number, child: { readonly busy: boolean; readonly heardTick: number }): 'ask' | 'stuck' | null {
    const { busy, heardTick } = child
    if (!busy || (this.#askedTick !== null && heardTick >= this.#askedTick)) {
      this.#askedTick = null
      this.#stuck = false
    }
    if (!busy) return null
    if (this.#askedTick === null) {
      if (now - heardTick < quietMs) return null
      this.#askedTick = now
      return 'ask'
    }
    if (this.#stuck || now - this.#askedTick < patienceMs) return null
    this.#stuck = true
    return 'stuck'
  }

  /** True once it has been found stuck, until it is heard again. */
  isStuck(heardTick: number): boolean {
    return this.#stuck && this.#askedTick !== null && heardTick < this.#askedTick
  }
}

/** Has the children feel for their pulse again and again; gives what ends it. */
export const feelPulses = (children: () => readonly { feelPulse(now: number): void }[]): (() => void) => {
  let lookedTick = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    // Where this process itself stood still, the answers may be here and not yet read.
    if (now - lookedTick < 2 * lookEveryMs) for (const child of children()) child.feelPulse(now)
    lookedTick = now
  }, lookEveryMs).unref()
  return () => clearInterval(timer)
}
