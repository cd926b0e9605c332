/**
 * How far long work has come, as one line of stderr that is written over and gone in the end: where stderr is a terminal, and
 * nowhere else. It appears only when the work has taken a moment, is written
 * ten times a second at most, and taken away when a signal ends the program.
 *
 * Of our own, because the packages for this write through streams, past the one place that writes here, and hide the cursor,
 * which a killed program leaves hidden.
 */
import { formatDuration } from '../src/duration.ts'
import { writeAll } from './write.ts'

const number = (value: number): string => Math.floor(value).toLocaleString('en-US')

/** Where a bar is drawn; null draws none. */
export interface ProgressPlace {
  readonly columns: number
  /** It shows more than ASCII. */
  readonly unicode: boolean
}

const firstAfterMs = 300
const atMostEveryMs = 100
/** Estimates before this are worth nothing. */
const estimateAfterMs = 2_000
const barWidth = 24
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** The progress of one piece of work. */
export class Progress {
  readonly #place: ProgressPlace | null
  readonly #title: string
  readonly #begun = performance.now()
  #drawnAt = Number.NEGATIVE_INFINITY
  /** What stands there; null for nothing. */
  #drawn: string | null = null
  #first: number | null = null
  #listening = false

  constructor(title: string, place: ProgressPlace | null) {
    this.#title = title
    this.#place = place
  }

  /** Whether anybody sees it. */
  get shown(): boolean {
    return this.#place !== null
  }

  /** Says that so much of so much is done; a total of null is not known. `noun` is what is counted, `%` for nothing else. */
  update(done: number, total: number | null, noun: string): void {
    this.#show((passedMs) => this.#line({ done, total, noun, passedMs }))
  }

  /** Says what there is no measure of, and for how long it goes on. */
  say(text: string): void {
    this.#show((passedMs) => `${this.#title} ${text}, ${formatDuration(Math.floor(passedMs / 1_000) * 1_000)}`)
  }

  /** Says what is done now, in the place of a bar, before work that keeps the thread and so could not heed a signal. */
  still(text: string): void {
    if (this.#place === null) return
    this.#quiet()
    this.#draw(`${this.#title}: ${text}`, performance.now())
  }

  /** Takes the line away. */
  end(): void {
    this.#quiet()
    if (this.#drawn !== null) writeAll(2, '\r\x1b[K')
    this.#drawn = null
  }

  #show(line: (passedMs: number) => string): void {
    const now = performance.now()
    const passedMs = now - this.#begun
    if (this.#place === null || passedMs < firstAfterMs || now - this.#drawnAt < atMostEveryMs) return
    this.#listen()
    this.#draw(line(passedMs), now)
  }

  #draw(line: string, now: number): void {
    this.#drawnAt = now
    if (line === this.#drawn) return
    this.#drawn = line
    writeAll(2, `\r${line.slice(0, this.#room)}\x1b[K`)
  }

  #line(work: {
    readonly done: number
    readonly total: number | null
    readonly noun: string
    readonly passedMs: number
  }) {
    const { done, total, noun, passedMs } = work
    if (total === null) return `${this.#title}: ${number(done)} ${noun}`
    const fraction = total === 0 ? 1 : Math.min(1, done / total)
    const full = Math.floor(fraction * barWidth)
    const [on, off] = this.#place?.unicode === true ? ['█', '░'] : ['#', '-']
    const bar = `${on.repeat(full)}${off.repeat(barWidth - full)}`
    const percent = `${Math.floor(fraction * 100)} %`.padStart(5)
    const count = noun === '%' ? '' : `  ${number(done)} of ${number(total)} ${noun}`
    const line = `${this.#title} ${bar} ${percent}${count}`
    const left = `, about ${this.#left(fraction, passedMs)} left`
    return this.#knows(fraction, passedMs) && line.length + left.length <= this.#room ? line + left : line
  }

  /** Whether what was done since the beginning is enough to say how long the rest takes. */
  #knows(fraction: number, passedMs: number): boolean {
    this.#first ??= fraction
    return passedMs > estimateAfterMs && fraction - this.#first > 0.01 && fraction < 1
  }

  #left(fraction: number, passedMs: number): string {
    const leftMs = (passedMs * (1 - fraction)) / Math.max(0.01, fraction - (this.#first ?? 0))
    return formatDuration(Math.max(1_000, Math.round(leftMs / 1_000) * 1_000))
  }

  /** The last column stays free: some terminals go to the next line there. */
  get #room(): number {
    return Math.max(0, (this.#place?.columns ?? 80) - 1)
  }

  #listen(): void {
    if (this.#listening) return
    this.#listening = true
    for (const signal of signals) process.on(signal, this.#ended)
  }

  #quiet(): void {
    this.#listening = false
    for (const signal of signals) process.off(signal, this.#ended)
  }

  readonly #ended = (signal: NodeJS.Signals): void => {
    this.end()
    // Nobody listens any more, so this ends the program as it would have.
    process.kill(process.pid, signal)
  }
}
