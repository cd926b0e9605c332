/** What the keys mean: the job, the queue, the events. Where nothing is selected, it is null. */
import type { QueueSummary } from '../../src/broker/broker.ts'
import type { Job } from '../../src/job.ts'
import { matchesEntry } from './entries.ts'
import { type Entry, type State, shownPicture } from './state.ts'

/** The id of the job. */
export const selectedId = (state: State): number | null => {
  if (state.place === 'job') return state.job?.id ?? null
  if (state.place === 'jobs') return state.jobs.selected
  if (state.place === 'overview') return state.overview.selected
  return null
}

/** The job, as it was read last; null also where it has not been read yet. */
export const selectedJob = (state: State): Job | null => {
  const { place, job, jobs } = state
  const id = selectedId(state)
  if (id === null) return null
  if (place === 'job') return job?.job ?? null
  const listed = place === 'jobs' ? jobs.page?.jobs : shownPicture(state)?.running.map((running) => running.job)
  return listed?.find((each) => each.id === id) ?? null
}

/** The queue, or that of the job. */
export const selectedQueue = (state: State): QueueSummary | null => {
  const name = state.place === 'queues' ? state.queues.selected : selectedJob(state)?.queue
  return state.picture?.queues.find((queue) => queue.name === name) ?? null
}

/** The entries that the Events tab lists. */
export const shownEntries = (state: State): readonly Entry[] => {
  const { list, held, search } = state.events
  const from = state.past === null ? (held ?? list) : state.past.events
  return search === '' ? from : from.filter((entry) => matchesEntry(search, entry))
}
