import type { Sentinel } from './sentinel.ts'
import { signalGroup } from './signal-process.ts'

const brieflyMs = 1_000

/** The program that a child runs at present: ended with the child, and, if it lasts, with the worker too. */
export class ProgramWatch {
  readonly #sentinel: Sentinel
  #pid: number | null = null
  #timer: NodeJS.Timeout | undefined
  #told = false

  constructor(sentinel: Sentinel) {
    this.#sentinel = sentinel
  }

  /** A program runs, as the leader of its process group. */
  begin(pid: number): void {
    this.end()
    this.#pid = pid
    // Told late, because most programs are over soon, and the child by itself is enough unless it is killed as well.
    this.#timer = setTimeout(() => {
      this.#told = true
      this.#sentinel.add(-pid)
    }, brieflyMs)
  }

  /** It has ended. */
  end(): void {
    clearTimeout(this.#timer)
    if (this.#told && this.#pid !== null) this.#sentinel.remove(-this.#pid)
    this.#told = false
    this.#pid = null
  }

  /** Kills it. */
  kill(): void {
    if (this.#pid !== null) signalGroup(this.#pid, 'SIGKILL')
  }
}
