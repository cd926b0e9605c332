/** Up and down: in the list of a tab, page by page in that of the jobs, through the text of a job. */
import { shownEntries } from './selection.ts'
import { bodyRows, type OpenJob, type State, shownPicture } from './state.ts'

/** The lines of a page, in which keys leap. */
export const pageOf = (state: State): number => Math.max(1, bodyRows(state) - 2)

/** The key of the row `by` lines away, kept within the list. */
const step = <Key>(keys: readonly Key[], selected: Key | null, by: number): Key | null => {
  const index = selected === null ? -1 : keys.indexOf(selected)
  const start = index < 0 ? (by > 0 ? -1 : 0) : index
  return keys[Math.max(0, Math.min(keys.length - 1, start + by))] ?? null
}

/** The selection, or the page, `by` lines further down. */
export const move = (state: State, by: number): State => {
  const picture = shownPicture(state)
  switch (state.place) {
    case 'overview':
      return {
        ...state,
        overview: {
          selected: step(
            (picture?.running ?? []).map(({ job }) => job.id),
            state.overview.selected,
            by,
          ),
        },
      }
    case 'queues':
      return {
        ...state,
        queues: {
          selected: step(
            (picture?.queues ?? []).map(({ name }) => name),
            state.queues.selected,
            by,
          ),
        },
      }
    case 'workers':
      return {
        ...state,
        workers: {
          selected: step(
            (picture?.workers ?? []).map(({ name }) => name),
            state.workers.selected,
            by,
          ),
        },
      }
    case 'failures': {
      const keys = (state.failures.groups ?? []).map(({ key }) => key)
      return { ...state, failures: { ...state.failures, selected: step(keys, state.failures.selected, by) } }
    }
    case 'events': {
      const ids = shownEntries(state).map(({ id }) => id)
      const { list, held } = state.events
      // Whoever goes up wants to read: what comes waits meanwhile.
      return {
        ...state,
        events: {
          ...state.events,
          held: held ?? list,
          selected: step(ids, state.events.selected ?? ids.at(-1) ?? null, by),
        },
      }
    }
    case 'job':
      return state.job === null ? state : { ...state, job: { ...state.job, scroll: scrolled(state.job, by) } }
    case 'jobs':
      return moveJobs(state, by)
  }
}

const scrolled = ({ scroll }: OpenJob, by: number): number =>
  by === Number.NEGATIVE_INFINITY ? 0 : Math.max(0, Math.min(1_000_000, scroll + by))

const moveJobs = (state: State, by: number): State => {
  const { jobs } = state
  const ids = (jobs.page?.jobs ?? []).map(({ id }) => id)
  const [first] = ids
  const last = ids.at(-1)
  if (first === undefined || last === undefined) return state
  if (Math.abs(by) === Number.POSITIVE_INFINITY) {
    return { ...state, jobs: { ...jobs, edge: { at: by < 0 ? 'first' : 'last' }, selected: null, wanted: true } }
  }
  const index = Math.max(0, ids.indexOf(jobs.selected ?? first))
  const wanted = index + by
  const leaps = Math.abs(by) > 1
  if (wanted >= ids.length && jobs.page?.end !== true && (leaps || index === ids.length - 1)) {
    return { ...state, jobs: { ...jobs, edge: { at: 'after', id: last }, selected: null, wanted: true } }
  }
  if (wanted < 0 && jobs.edge.at !== 'first' && (leaps || index === 0)) {
    return { ...state, jobs: { ...jobs, edge: { at: 'before', id: first }, selected: null, wanted: true } }
  }
  return { ...state, jobs: { ...jobs, selected: step(ids, jobs.selected, by) } }
}
