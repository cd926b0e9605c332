/** From place to place: the tabs, what opens, and the way back. */
import { type Tab, tabs } from './keys.ts'
import { selectedId, shownEntries } from './selection.ts'
import { type State, shownPicture } from './state.ts'

/** The Jobs tab with the jobs that a search finds. */
export const listJobs = (state: State, search: string): State => ({
  ...state,
  place: 'jobs',
  jobs: { ...state.jobs, search, edge: { at: 'first' }, page: null, selected: null, wanted: true },
})

/** Another tab. */
export const goTo = (state: State, tab: Tab): State => ({
  ...state,
  place: tab,
  jobs: tab === 'jobs' ? { ...state.jobs, wanted: true } : state.jobs,
})

/** The tab so many further on, from the last to the first. */
export const neighbour = (state: State, by: number): Tab => {
  const tab = state.place === 'job' ? state.from : state.place
  return tabs[(tabs.indexOf(tab) + by + tabs.length) % tabs.length] ?? 'overview'
}

const openJob = (state: State, id: number): State => ({
  ...state,
  place: 'job',
  from: state.place === 'job' ? state.from : state.place,
  job: { id, job: null, missing: false, events: [], reasons: [], log: [], scroll: 0 },
})

/** What is selected, opened; the same state where nothing is. */
export const open = (state: State): State => {
  switch (state.place) {
    case 'queues':
      return state.queues.selected === null ? state : listJobs(state, `queue:${state.queues.selected}`)
    case 'workers': {
      const worker = shownPicture(state)?.workers.find(({ name }) => name === state.workers.selected)
      const job = worker?.children.find((child) => child.job !== null)?.job
      return job == null ? state : openJob(state, job)
    }
    case 'failures': {
      const group = state.failures.groups?.find(({ key }) => key === state.failures.selected)
      const [type = ''] = group?.error.split(':') ?? []
      return group === undefined
        ? state
        : listJobs(state, `failed task:${group.task}${/^\w+$/.test(type) ? ` ${type}` : ''}`)
    }
    case 'events': {
      const entry = shownEntries(state).find(({ id }) => id === state.events.selected)
      return entry === undefined || 'note' in entry || entry.job === null ? state : openJob(state, entry.job)
    }
    case 'job':
      return state
    default: {
      const id = selectedId(state)
      return id === null ? state : openJob(state, id)
    }
  }
}

/** Back to where one came from, or to all that a search hides; the same state where there is no back. */
export const back = (state: State): State => {
  if (state.place === 'job') return { ...state, place: state.from, job: null, jobs: { ...state.jobs, wanted: true } }
  if (state.place === 'jobs' && state.jobs.search !== '') return listJobs(state, '')
  if (state.place === 'events') {
    const { search, held, selected } = state.events
    if (search === '' && held === null && selected === null) return state
    return { ...state, events: { ...state.events, search: held === null ? '' : search, held: null, selected: null } }
  }
  return state
}
