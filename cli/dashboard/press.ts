/** What a key that was pressed makes of the state. */
import { isFinished, type Job } from '../../src/job.ts'
import { matchesEntry } from './entries.ts'
import { type Action, actionOf, type Tab, tabs } from './keys.ts'
import { count } from './parts/figures.ts'
import { bodyRows, type Change, type Command, type Entry, type OpenJob, type State, shownPicture } from './state.ts'

const stepBackMs = 10_000
const leapMs = 300_000
/** The help has no more lines than this. */
const helpRows = 30

/** What a key comes to. */
export const press = (state: State, key: string): Change => {
  const clear = { ...state, notice: null }
  if (key === 'ctrl-c') return { state: clear, commands: [{ do: 'interrupt' }] }
  if (state.asking !== null) return answer(clear, key)
  if (state.typing !== null) return type(clear, key)
  if (state.help !== null)
    return just({ ...clear, help: scrollHelp(state.help, actionOf(key, 'jobs', false), pageOf(state)) })
  const action = actionOf(key, state.place, state.past !== null)
  if (action !== null) return perform(clear, action)
  if (state.past === null || actionOf(key, state.place, false) === null) return just(clear)
  const text = 'this is the past, nothing can be changed there: Home returns to now'
  return just({ ...clear, notice: { text, good: false, at: state.at } })
}

/** The lines of the help to scroll past after an action; null closes it. */
const scrollHelp = (scroll: number, action: Action | null, page: number): number | null => {
  const by = new Map<Action | null, number>([
    ['up', -1],
    ['down', 1],
    ['page-up', -page],
    ['page-down', page],
  ]).get(action)
  return by === undefined ? null : Math.max(0, Math.min(helpRows, scroll + by))
}

const just = (state: State): Change => ({ state, commands: [] })

const answer = (state: State, key: string): Change => {
  const { asking } = state
  const after = { ...state, asking: null }
  if (key === 'y' && asking !== null) return { state: after, commands: [asking.command] }
  return just({ ...after, notice: { text: 'nothing was done', good: true, at: state.at } })
}

const type = (state: State, key: string): Change => {
  const text = state.typing ?? ''
  if (key === 'enter') return just(searched({ ...state, typing: null }, text))
  if (key === 'esc') return just({ ...state, typing: null })
  if (key === 'ctrl-u') return just({ ...state, typing: '' })
  if (key === 'backspace') return just({ ...state, typing: text === '' ? null : [...text].slice(0, -1).join('') })
  return just([...key].length === 1 ? { ...state, typing: text + key } : state)
}

const searched = (state: State, text: string): State => {
  const search = text.trim()
  if (state.place === 'events') return { ...state, events: { ...state.events, search } }
  return listJobs(state, search)
}

/** The Jobs tab with the jobs that a search finds. */
const listJobs = (state: State, search: string): State => ({
  ...state,
  place: 'jobs',
  jobs: { ...state.jobs, search, edge: { at: 'first' }, page: null, selected: null, wanted: true },
})

const perform = (state: State, action: Action): Change => {
  switch (action) {
    case 'quit':
      return { state, commands: [{ do: 'quit' }] }
    case 'interrupt':
      return { state, commands: [{ do: 'interrupt' }] }
    case 'help':
      return just({ ...state, help: 0 })
    case 'next-tab':
      return just(goTo(state, neighbour(state, 1)))
    case 'previous-tab':
      return just(goTo(state, neighbour(state, -1)))
    case 'tab-1':
    case 'tab-2':
    case 'tab-3':
    case 'tab-4':
    case 'tab-5':
    case 'tab-6':
      return just(goTo(state, tabs[Number(action.slice(4)) - 1] ?? 'overview'))
    case 'up':
      return just(move(state, -1))
    case 'down':
      return just(move(state, 1))
    case 'page-up':
      return just(move(state, -pageOf(state)))
    case 'page-down':
      return just(move(state, pageOf(state)))
    case 'top':
      return just(move(state, Number.NEGATIVE_INFINITY))
    case 'bottom':
      return just(move(state, Number.POSITIVE_INFINITY))
    case 'open':
      return just(open(state))
    case 'back':
      return just(back(state))
    case 'search':
      return just({ ...state, typing: state.place === 'events' ? state.events.search : state.jobs.search })
    case 'order': {
      const order = state.jobs.order === 'newest' ? 'oldest' : 'newest'
      return just({ ...state, jobs: { ...state.jobs, order, edge: { at: 'first' }, selected: null, wanted: true } })
    }
    case 'hold-still': {
      const { held, list } = state.events
      return just({ ...state, events: { ...state.events, held: held === null ? list : null } })
    }
    case 'earlier':
      return travel(state, -stepBackMs)
    case 'later':
      return travel(state, stepBackMs)
    case 'much-earlier':
      return travel(state, -leapMs)
    case 'much-later':
      return travel(state, leapMs)
    case 'live':
      return {
        state: { ...state, past: null, jobs: { ...state.jobs, wanted: true } },
        commands: [{ do: 'travel', at: null }],
      }
    default:
      return act(state, action)
  }
}

type Deed = 'retry' | 'retry-group' | 'cancel' | 'pause' | 'resume' | 'run-now' | 'pager' | 'copy'

/** What changes the broker, or needs the job that is selected. */
const act = (state: State, action: Deed): Change => {
  const id = selectedJob(state)
  if (action === 'copy' || action === 'pager') {
    if (id === null) return just(state)
    return { state, commands: [action === 'pager' ? { do: 'pager', id } : { do: 'copy', text: String(id) }] }
  }
  switch (action) {
    case 'retry':
      return id === null ? just(state) : { state, commands: [{ do: 'retry', ids: [id] }] }
    case 'run-now':
      return id === null ? just(state) : { state, commands: [{ do: 'run-now', id }] }
    case 'cancel':
      if (state.place === 'queues') return askForQueue(state, 'cancel-waiting')
      return id === null ? just(state) : askToCancel(state, id)
    case 'pause':
    case 'resume':
      return askForQueue(state, action)
    case 'retry-group': {
      const group = state.failures.groups?.find(({ key }) => key === state.failures.selected)
      if (group === undefined) return just(state)
      const jobs = `${count(group.ids.length)} failed ${group.ids.length === 1 ? 'job' : 'jobs'}`
      return ask(state, `Run ${jobs} of ${group.task} again?`, { do: 'retry', ids: group.ids })
    }
  }
}

const ask = (state: State, question: string, command: Command): Change =>
  just({ ...state, asking: { question, command } })

const askToCancel = (state: State, id: number): Change => {
  const job = knownJob(state, id)
  if (job !== undefined && isFinished(job.state)) {
    const text = `job ${id} has ended (${job.state}): there is nothing left to cancel`
    return just({ ...state, notice: { text, good: false, at: state.at } })
  }
  const what = job === undefined ? '' : `, which is ${job.state} (${job.task})`
  return ask(state, `Cancel job ${id}${what}?`, { do: 'cancel', id })
}

const askForQueue = (state: State, action: 'cancel-waiting' | 'pause' | 'resume'): Change => {
  const name = selectedQueue(state)
  const queue = state.picture?.queues.find((candidate) => candidate.name === name)
  if (name === null || queue === undefined) return just(state)
  const waiting = queue.queued + queue.blocked
  const jobs = waiting === 1 ? '1 waiting job' : `${count(waiting)} waiting jobs`
  if (action === 'resume') return { state, commands: [{ do: 'resume', queue: name }] }
  if (action === 'pause') {
    return ask(state, `Pause queue ${name}? ${jobs} ${waiting === 1 ? 'stays' : 'stay'} there until it is resumed.`, {
      do: 'pause',
      queue: name,
    })
  }
  return ask(state, `Cancel ${jobs} of ${name}?`, { do: 'cancel-waiting', queue: name })
}

const knownJob = (state: State, id: number): Job | undefined =>
  [
    ...(state.job?.job == null ? [] : [state.job.job]),
    ...(state.jobs.page?.jobs ?? []),
    ...(state.picture?.running ?? []).map(({ job }) => job),
  ].find((job) => job.id === id)

/** The job that keys mean; null where none is selected. */
export const selectedJob = (state: State): number | null => {
  if (state.place === 'job') return state.job?.id ?? null
  if (state.place === 'jobs') return state.jobs.selected
  if (state.place === 'overview') return state.overview.selected
  return null
}

const selectedQueue = (state: State): string | null => {
  if (state.place === 'queues') return state.queues.selected
  if (state.place === 'job') return state.job?.job?.queue ?? null
  const id = selectedJob(state)
  const known = [...(state.jobs.page?.jobs ?? []), ...(state.picture?.running ?? []).map(({ job }) => job)]
  return known.find((job) => job.id === id)?.queue ?? null
}

const travel = (state: State, byMs: number): Change => {
  const at = (state.past?.at ?? state.at) + byMs
  if (at >= state.at)
    return {
      state: { ...state, past: null, jobs: { ...state.jobs, wanted: true } },
      commands: [{ do: 'travel', at: null }],
    }
  const { picture = null, series = [], events = [] } = state.past ?? {}
  return { state: { ...state, past: { at, picture, series, events, reading: 0 } }, commands: [{ do: 'travel', at }] }
}

const goTo = (state: State, tab: Tab): State => ({
  ...state,
  place: tab,
  jobs: tab === 'jobs' ? { ...state.jobs, wanted: true } : state.jobs,
})

const neighbour = (state: State, by: number): Tab => {
  const tab = state.place === 'job' ? state.from : state.place
  return tabs[(tabs.indexOf(tab) + by + tabs.length) % tabs.length] ?? 'overview'
}

const pageOf = (state: State): number => Math.max(1, bodyRows(state) - 2)

/** The key of the row `by` lines away, kept within the list. */
const step = <Key>(keys: readonly Key[], selected: Key | null, by: number): Key | null => {
  const index = selected === null ? -1 : keys.indexOf(selected)
  const start = index < 0 ? (by > 0 ? -1 : 0) : index
  return keys[Math.max(0, Math.min(keys.length - 1, start + by))] ?? null
}

const move = (state: State, by: number): State => {
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

const openJob = (state: State, id: number): State => ({
  ...state,
  place: 'job',
  from: state.place === 'job' ? state.from : state.place,
  job: { id, job: null, missing: false, events: [], reasons: [], log: [], scroll: 0 },
})

const open = (state: State): State => {
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
      const id = selectedJob(state)
      return id === null ? state : openJob(state, id)
    }
  }
}

const back = (state: State): State => {
  if (state.place === 'job') return { ...state, place: state.from, job: null, jobs: { ...state.jobs, wanted: true } }
  if (state.place === 'jobs' && state.jobs.search !== '') return listJobs(state, '')
  if (state.place === 'events') {
    const { search, held } = state.events
    return { ...state, events: { ...state.events, search: held === null ? '' : search, held: null, selected: null } }
  }
  return state
}

/** The entries that the Events tab lists. */
export const shownEntries = (state: State): readonly Entry[] => {
  const { list, held, search } = state.events
  const from = state.past === null ? (held ?? list) : state.past.events
  return search === '' ? from : from.filter((entry) => matchesEntry(search, entry))
}
