/** What a key that was pressed makes of the state. */
import { act } from './deeds.ts'
import { type Action, actionOf, tabs } from './keys.ts'
import { move, pageOf } from './move.ts'
import { back, goTo, listJobs, neighbour, open } from './places.ts'
import { type Change, inVain, just, type State } from './state.ts'

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
  return inVain(clear, 'this is the past, nothing can be changed there: Home returns to now')
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
