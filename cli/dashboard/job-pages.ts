/**
 * Pages of a list of jobs, however long it is: each is read from where the one before ended, and a search that finds little
 * is read in small steps, so that neither the broker nor the screen waits for it.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { JobFilter, JobIndex } from '../../src/broker/broker.ts'
import type { Moment } from '../../src/clock.ts'
import type { Job, JobState } from '../../src/job.ts'
import { matches, type Query } from './query.ts'

/** Which page: the first, the last, or one beside or beginning with a job. */
export type Edge = { readonly at: 'first' | 'last' } | { readonly at: 'after' | 'before' | 'from'; readonly id: number }

/** Which jobs, in which order, from where, and how many. */
export interface PageRequest {
  readonly query: Query
  readonly order: 'newest' | 'oldest'
  readonly edge: Edge
  readonly limit: number
  /** The state that a job is to be shown in; null where it is not there. Absent: the one that it has. */
  readonly standing?: (job: Job) => JobState | null
}

/** A page of jobs. */
export interface JobPage {
  readonly jobs: readonly Job[]
  /** Nothing comes behind it. */
  readonly end: boolean
  /** The id up to which was searched, where the search was given up for now. */
  readonly searchedTo: number | null
}

/** So many ids are looked at in one read where the broker filters, and where each job has to be looked at here. */
const broadReach = 20_000
const narrowReach = 500
/** A page for which more ids would have to be looked at is given as far as it got. */
const searchAtMost = 200_000

/** Reads a page. */
export const readPage = async (index: JobIndex, request: PageRequest, now: Moment): Promise<JobPage> => {
  const { query, order, edge, limit } = request
  if (query.id !== null) return readOne(index, request, now)
  const backwards = edge.at === 'last' || edge.at === 'before'
  const direction = backwards === (order === 'newest') ? 'oldest' : 'newest'
  const ends = await extent(index, now)
  if (ends === null) return { jobs: [], end: true, searchedTo: null }
  const ascending = direction === 'oldest'
  const inclusive = ascending ? -1 : 1
  let cursor = ascending ? ends.first - 1 : ends.last + 1
  if ('id' in edge) cursor = edge.id + (edge.at === 'from' ? inclusive : 0)
  const filter = filterOf(request)
  const far = ascending ? ends.last : ends.first
  const found: Job[] = []
  let searched = 0
  for (; found.length < limit; ) {
    if (ascending ? cursor >= far : cursor <= far) break
    if (searched >= searchAtMost) break
    const rows = await index.list({ ...filter, order: direction, cursor, limit }, now)
    for (const job of rows) if (isShown(request, job) && found.length < limit) found.push(job)
    const last = rows.at(-1)
    if (rows.length === limit && last !== undefined) cursor = last.id
    else if (filter.reach === undefined) cursor = far
    else {
      cursor += ascending ? filter.reach : -filter.reach
      searched += filter.reach
      await nextTurn()
    }
  }
  const through = ascending ? cursor >= far : cursor <= far
  const jobs = backwards ? found.reverse() : found
  const givenUp = found.length < limit && !through
  return {
    jobs,
    end: backwards ? false : found.length < limit && through,
    searchedTo: givenUp ? Math.max(cursor, 0) : null,
  }
}

const readOne = async (index: JobIndex, request: PageRequest, now: Moment): Promise<JobPage> => {
  const job = await index.get(request.query.id ?? 0, now)
  return { jobs: job !== null && isShown(request, job) ? [job] : [], end: true, searchedTo: null }
}

const extent = async (index: JobIndex, now: Moment): Promise<{ first: number; last: number } | null> => {
  const [last] = await index.list({ order: 'newest', limit: 1 }, now)
  const [first] = await index.list({ order: 'oldest', limit: 1 }, now)
  return first === undefined || last === undefined ? null : { first: first.id, last: last.id }
}

const isShown = ({ query, standing }: PageRequest, job: Job): boolean => {
  const state = standing === undefined ? job.state : standing(job)
  return state !== null && matches(query, job, state)
}

/** As much of the search as the broker can do, and how far it may look at once. */
const filterOf = ({ query, standing }: PageRequest): JobFilter => {
  const { states, queue, task, tag, words } = query
  const known = states.length > 0 && standing === undefined
  const filter: JobFilter = {
    ...(known ? { states } : {}),
    ...(queue === null ? {} : { queue }),
    ...(task === null ? {} : { task }),
    ...(tag === null ? {} : { tag }),
  }
  const looked = words.length > 0 || standing !== undefined
  const free = !known && queue === null && task === null && tag === null && !looked
  // The broker finds these by an index.
  const indexed = known && states.length === 1 && states[0] !== 'queued' && states[0] !== 'succeeded'
  if (free || (indexed && queue === null && task === null && tag === null && !looked)) return filter
  return { ...filter, reach: looked ? narrowReach : broadReach }
}
