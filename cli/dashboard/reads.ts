/**
 * What a dashboard reads of its broker beside the feed: a page of jobs, an open job, the failures, what was before it was
 * opened. Each read gives the message that tells of it; in the past it tells what was so then.
 */
import type { Queue } from '../../src/client.ts'
import type { Clock } from '../../src/clock.ts'
import type { Job } from '../../src/job.ts'
import { readCircumstances } from '../../src/why/circumstances.ts'
import { explain } from '../../src/why.ts'
import type { Doer } from './doer.ts'
import { groupFailures } from './failures.ts'
import type { Feed } from './feed.ts'
import { readSeries, readUsual } from './history.ts'
import { readPage } from './job-pages.ts'
import { parseQuery } from './query.ts'
import { bodyRows, type PastView, type State, type Told } from './state.ts'
import { asOf, failedThen, type TimeMachine } from './time-machine.ts'

/** A broker, and what works on it. */
export interface Site {
  readonly queue: Queue
  readonly clock: Clock
  /** What of a job may be shown. */
  readonly shown: (job: Job) => Job
  readonly feed: Feed
  readonly doer: Doer
  readonly time: TimeMachine
}

/** How far back the graphs begin. */
export const historyMs = 20 * 60_000
const failuresAtMost = 2_000
/** Events from before the dashboard was opened. */
const eventsBefore = 300

/** The page of jobs that is wanted. */
export const readJobs = async ({ queue, clock, shown, time }: Site, state: State): Promise<Told> => {
  const { search, order, edge } = state.jobs
  const { past } = state
  const machine = time.past
  const then = past === null || machine === null ? null : { machine, at: past.at }
  await then?.machine.catchUp()
  const standing = then === null ? {} : { standing: (job: Job) => then.machine.standing(job, then.at) }
  const limit = Math.max(1, bodyRows(state) - 2)
  const page = await readPage(
    queue.broker.jobs,
    { query: parseQuery(search), order, edge, limit, ...standing },
    clock.now(),
  )
  const jobs = page.jobs.map((job) => shown(then === null ? job : asOf(then.machine, job, then.at)))
  return { type: 'page', page: { ...page, jobs }, edge, search }
}

/** A job, and why it is where it is; `pastOf` gives the past that is shown once it was read. */
export const readJob = async (
  { queue, clock, shown, time }: Site,
  id: number,
  pastOf: () => PastView | null,
): Promise<Told> => {
  const { broker } = queue
  const job = await broker.jobs.get(id, clock.now())
  const { events } = await broker.events.read({ after: 0, job: id, limit: 1_000 })
  const reasons = job === null ? [] : explain(await readCircumstances(broker, job, clock.now()))
  const past = pastOf()
  const machine = time.past
  if (past !== null) await machine?.catchUp()
  const then = job === null || past === null || machine === null ? job : asOf(machine, job, past.at)
  const started = events.findLast((event) => event.type === 'job.started' && event.id <= (past?.picture?.cursor ?? 0))
  const known = then === null ? null : shown(past === null ? then : { ...then, attempt: started?.attempt ?? 0 })
  return { type: 'job', id, job: known, events, reasons }
}

/** The failed jobs, in groups. */
export const readFailures = async ({ queue, clock, shown, time }: Site, past: PastView | null): Promise<Told> => {
  const machine = time.past
  if (past !== null) await machine?.catchUp()
  const jobs =
    past === null || machine === null
      ? await queue.broker.jobs.list({ states: ['failed'], limit: failuresAtMost }, clock.now())
      : await failedThen(machine, queue.broker, { at: past.at, now: clock.now() })
  return { type: 'failures', groups: groupFailures(jobs.map(shown)), seen: jobs.length }
}

/** The graphs until now, and the events before the one with the id `cursor`. */
export const readHistory = async ({ queue, clock }: Site, cursor: number): Promise<Told> => {
  const now = clock.now()
  const since = now.at - historyMs
  const series = await readSeries(queue.broker, { from: since, to: now.at }, now)
  const after = Math.max(0, cursor - eventsBefore)
  const { events } = await queue.broker.events.read({ after, limit: eventsBefore })
  return { type: 'history', series, since, events }
}

/** How it was an hour ago. */
export const readUsualRates = async ({ queue, clock }: Site): Promise<Told> => {
  const now = clock.now()
  const stretch = { from: now.at - 65 * 60_000, to: now.at - 55 * 60_000 }
  return { type: 'usual', usual: await readUsual(queue.broker, stretch, now) }
}
