import type { Broker } from '../../src/broker/broker.ts'
import type { Clock, Moment } from '../../src/clock.ts'
import type { Job } from '../../src/job.ts'
import { readSeries } from './history.ts'
import { readPage } from './job-pages.ts'
import { Past } from './past.ts'
import { parseQuery } from './query.ts'
import type { PastView } from './state.ts'

/** What a time machine works with. */
export interface TimeMachineOptions {
  readonly broker: Broker
  readonly clock: Clock
  /** How much before an instant the graphs show, in milliseconds. */
  readonly historyMs: number
  readonly tell: (
    told:
      | { readonly type: 'past'; readonly past: PastView | null }
      | { readonly type: 'notice'; readonly text: string; readonly good: boolean },
  ) => void
}

/** Events shown before an instant. */
const eventsBefore = 500

/** Goes to instants of the past, the last one that was asked for. */
export class TimeMachine {
  readonly #options: TimeMachineOptions
  #past: Past | null = null
  #journey: AbortController | null = null
  #under: Promise<void> = Promise.resolve()

  constructor(options: TimeMachineOptions) {
    this.#options = options
  }

  /** The past that was travelled to; null in the present. */
  get past(): Past | null {
    return this.#past
  }

  /** Goes to an instant (epoch milliseconds), or back to the present with null. */
  async travel(at: number | null): Promise<void> {
    this.#journey?.abort()
    const journey = new AbortController()
    this.#journey = journey
    const before = this.#under
    // One journey at a time: each begins where the last one ended.
    this.#under = before.then(() => (journey.signal.aborted ? undefined : this.#go(at, journey.signal)))
    await this.#under
  }

  stop(): void {
    this.#journey?.abort()
  }

  async #go(at: number | null, signal: AbortSignal): Promise<void> {
    const { broker, clock, historyMs, tell } = this.#options
    if (at === null) {
      this.#past = null
      return
    }
    this.#past ??= await Past.begin(broker, clock)
    const begins = await this.#past.begins()
    const empty = { at, picture: null, series: [], events: [] }
    let shown = 0
    const picture = await this.#past.travel(
      at,
      (fraction) => {
        // Short ways are over before anybody could read this.
        if (performance.now() - shown < 100) return
        shown = performance.now()
        tell({ type: 'past', past: { ...empty, reading: fraction } })
      },
      signal,
    )
    if (picture === null) return
    const { cursor } = picture
    const series = await readSeries(broker, { from: at - historyMs, to: at }, clock.now())
    const { events } = await broker.events.read({ after: Math.max(0, cursor - eventsBefore), limit: eventsBefore })
    tell({
      type: 'past',
      past: { at, picture, series, events: events.filter(({ id }) => id <= cursor), reading: null },
    })
    if (begins === null || begins > at) {
      const text =
        begins === null
          ? 'the log is empty'
          : `the log begins at ${new Date(begins).toLocaleString('sv')}: nothing is known of before`
      tell({ type: 'notice', text, good: false })
    }
  }
}

/** A job as it was at an instant, as far as the log tells: its state, and no start or end that came later. */
export const asOf = (past: Past, job: Job, at: number): Job => ({
  ...job,
  state: past.standing(job, at) ?? job.state,
  label: null,
  progress: null,
  cancelling: false,
  attempt: past.hasMoved(job) ? 0 : job.attempt,
  startedAt: job.startedAt !== null && job.startedAt <= at ? job.startedAt : null,
  finishedAt: job.finishedAt !== null && job.finishedAt <= at ? job.finishedAt : null,
})

/** The jobs that stood failed at an instant, the newest first, as many as a tab can show. */
export const failedThen = async (
  past: Past,
  broker: Broker,
  { at, now }: { readonly at: number; readonly now: Moment },
): Promise<readonly Job[]> => {
  const page = await readPage(
    broker.jobs,
    {
      query: parseQuery('failed'),
      order: 'newest',
      edge: { at: 'first' },
      limit: 500,
      standing: (job) => past.standing(job, at),
    },
    now,
  )
  return page.jobs
}
