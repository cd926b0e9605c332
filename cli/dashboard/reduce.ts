/**
 * How a message changes what the dashboard knows: a pure function, time is in the messages. What a change asks of the world
 * (a job to retry, an instant to travel to) comes out as commands, which `dashboard.ts` carries out.
 */
import type { Look } from './feed.ts'
import type { Edge, JobPage } from './job-pages.ts'
import { press } from './press.ts'
import { addEvents, addWaits, type Series } from './series.ts'
import { type Change, initialState, type Message, type Note, type State } from './state.ts'

/** So many events are kept. */
const eventsAtMost = 2_000

/** What a message makes of a state. */
export const reduce = (before: State, message: Message): Change => {
  const state = { ...before, at: Math.max(before.at, message.at) }
  if (message.type === 'key') return press(state, message.key)
  return { state: told(state, message), commands: [] }
}

const told = (state: State, message: Exclude<Message, { readonly type: 'key' }>): State => {
  switch (message.type) {
    case 'size': {
      const { columns, rows } = message
      return { ...state, columns, rows, jobs: { ...state.jobs, wanted: true } }
    }
    case 'tick':
      return state
    case 'look':
      return looked(state, message)
    case 'history': {
      const { list } = state.events
      const known = list.find((entry) => !('note' in entry))?.id ?? Number.POSITIVE_INFINITY
      const before = message.events.filter(({ id }) => id < known)
      const events = { ...state.events, list: [...before, ...list].slice(-eventsAtMost) }
      return { ...state, series: joined(message.series, state.series), seriesSince: message.since, events }
    }
    case 'usual':
      return { ...state, usual: message.usual }
    case 'page':
      return paged(state, message)
    case 'job': {
      const { id, job, events, reasons } = message
      if (state.job?.id !== id) return state
      return { ...state, job: { ...state.job, job, missing: job === null, events, reasons } }
    }
    case 'log':
      return state.job?.id === message.id ? { ...state, job: { ...state.job, log: message.lines } } : state
    case 'failures': {
      const { groups, seen } = message
      const { selected } = state.failures
      const kept = groups.some(({ key }) => key === selected) ? selected : (groups[0]?.key ?? null)
      return { ...state, failures: { groups, seen, selected: kept } }
    }
    case 'past': {
      const { past } = message
      // An answer for an instant that was left meanwhile is no news.
      if (past !== null && state.past?.at !== past.at) return state
      return { ...state, past, jobs: { ...state.jobs, wanted: true } }
    }
    case 'note': {
      const { at, level, text } = message
      const note: Note = { note: true, id: -state.events.list.length - at, at, level, text }
      return { ...state, events: { ...state.events, list: [...state.events.list, note].slice(-eventsAtMost) } }
    }
    case 'notice':
      return { ...state, notice: { text: message.text, good: message.good, at: message.at } }
    case 'reopened':
      return reopened(state)
    case 'lost': {
      const { retryAt, reason } = message
      return { ...state, lost: { since: state.lost?.since ?? message.at, retryAt, reason } }
    }
  }
}

/** Another queue file: nothing that was known holds, ids are of other jobs; who looks at a list goes on looking at it. */
const reopened = (state: State): State => {
  const { place, from, jobs, at } = state
  const { search, order } = jobs
  const empty = initialState(state)
  const notice = { text: 'the queue file was replaced: this is the one that is there now', good: false, at }
  return { ...empty, place: place === 'job' ? from : place, jobs: { ...empty.jobs, search, order }, notice }
}

const looked = (state: State, look: Look): State => {
  const { picture, events, weight, waits, pruned } = look
  const list = events.length === 0 ? state.events.list : [...state.events.list, ...events].slice(-eventsAtMost)
  const gap =
    pruned === null
      ? state.notice
      : { text: `events ${pruned.from} to ${pruned.to} were pruned`, good: false, at: state.at }
  return {
    ...state,
    picture,
    lost: null,
    notice: gap,
    series: addWaits(addEvents(state.series, events, weight), waits),
    events: { ...state.events, list },
    queues: { selected: state.queues.selected ?? picture.queues[0]?.name ?? null },
    workers: { selected: state.workers.selected ?? picture.workers[0]?.name ?? null },
  }
}

/** The steps of the past, and those that were watched; a step that is in both was watched from its middle on. */
const joined = (history: Series, watched: Series): Series => {
  const known = new Set(history.map(({ index }) => index))
  return [...history, ...watched.filter(({ index }) => !known.has(index))].sort((one, other) => one.index - other.index)
}

const paged = (state: State, { page, edge, search }: Extract<Message, { readonly type: 'page' }>): State => {
  const { jobs } = state
  if (jobs.search !== search) return state
  const ids = page.jobs.map(({ id }) => id)
  // Behind the last page there is nothing to see: the one before stays.
  if (ids.length === 0 && edge.at === 'after' && jobs.page !== null) {
    return { ...state, jobs: { ...jobs, page: { ...jobs.page, end: true }, edge: fromTop(jobs.page), wanted: false } }
  }
  if (ids.length === 0 && (edge.at === 'before' || edge.at === 'from')) {
    return { ...state, jobs: { ...jobs, edge: { at: 'first' }, wanted: true } }
  }
  const backwards = edge.at === 'before' || edge.at === 'last'
  const fallback = (backwards ? ids.at(-1) : ids[0]) ?? null
  const selected = jobs.selected !== null && ids.includes(jobs.selected) ? jobs.selected : fallback
  const next: Edge = edge.at === 'first' ? edge : fromTop(page)
  return { ...state, jobs: { ...jobs, page, selected, edge: next, wanted: false } }
}

const fromTop = ({ jobs }: JobPage): Edge => {
  const [first] = jobs
  return first === undefined ? { at: 'first' } : { at: 'from', id: first.id }
}
