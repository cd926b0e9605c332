/** Everything that the dashboard knows, the messages that change it, and what a change asks of the world. */
import type { JobqEvent } from '../../src/event.ts'
import type { Job } from '../../src/job.ts'
import type { Reason } from '../../src/why.ts'
import type { FailureGroup } from './failures.ts'
import type { Look } from './feed.ts'
import type { Usual } from './history.ts'
import type { Edge, JobPage } from './job-pages.ts'
import type { Place, Tab } from './keys.ts'
import type { Picture } from './picture.ts'
import type { Series } from './series.ts'

/** A line of the worker's own log, which is shown among the events. */
export interface Note {
  readonly note: true
  readonly id: number
  readonly at: number
  readonly level: string
  readonly text: string
}

/** What the Events tab lists. */
export type Entry = JobqEvent | Note

/** A job that is open. */
export interface OpenJob {
  readonly id: number
  /** Null until it was read. */
  readonly job: Job | null
  readonly missing: boolean
  readonly events: readonly JobqEvent[]
  readonly reasons: readonly Reason[]
  /** The last lines that it has written. */
  readonly log: readonly string[]
  /** Lines that are scrolled past; null stays at the end of the log while the job runs. */
  readonly scroll: number
}

/** The past that is shown. */
export interface PastView {
  /** Epoch milliseconds. */
  readonly at: number
  /** Null until the way there was walked. */
  readonly picture: Picture | null
  readonly series: Series
  readonly events: readonly JobqEvent[]
  /** How much of the way is done, from 0 to 1; null when it has ended. */
  readonly reading: number | null
}

/** What the world is asked to do. */
export type Command =
  | { readonly do: 'retry'; readonly ids: readonly number[] }
  | { readonly do: 'run-now'; readonly id: number }
  | { readonly do: 'cancel'; readonly id: number }
  | { readonly do: 'cancel-waiting' | 'pause' | 'resume'; readonly queue: string }
  | { readonly do: 'copy'; readonly text: string }
  | { readonly do: 'pager'; readonly id: number }
  | { readonly do: 'travel'; readonly at: number | null }
  | { readonly do: 'quit' | 'interrupt' }

/** Everything there is to know for a frame. */
export interface State {
  /** Where the broker is, without a password. */
  readonly url: string
  /** The dashboard is part of a worker. */
  readonly inWorker: boolean
  /** Epoch milliseconds of the newest message. */
  readonly at: number
  readonly columns: number
  readonly rows: number
  readonly place: Place
  /** Where the open job was opened. */
  readonly from: Tab
  readonly picture: Picture | null
  readonly series: Series
  /** Since when the series is whole. */
  readonly seriesSince: number
  readonly usual: Usual | null
  readonly past: PastView | null
  readonly jobs: {
    readonly search: string
    readonly order: 'newest' | 'oldest'
    readonly edge: Edge
    readonly page: JobPage | null
    readonly selected: number | null
    /** Asks for the page again; the first of it selects itself where nothing is selected. */
    readonly wanted: boolean
  }
  readonly job: OpenJob | null
  readonly overview: { readonly selected: number | null }
  readonly queues: { readonly selected: string | null }
  readonly workers: { readonly selected: string | null }
  readonly failures: {
    readonly groups: readonly FailureGroup[] | null
    /** How many failed jobs were looked at. */
    readonly seen: number
    readonly selected: string | null
  }
  readonly events: {
    readonly list: readonly Entry[]
    readonly search: string
    /** What is shown while it is held still; null while it goes on. */
    readonly held: readonly Entry[] | null
    readonly selected: number | null
  }
  /** The search line while it is typed. */
  readonly typing: string | null
  /** What waits for a yes. */
  readonly asking: { readonly question: string; readonly command: Command } | null
  /** The lines of the help that are scrolled past; null while it is not shown. */
  readonly help: number | null
  readonly notice: { readonly text: string; readonly good: boolean; readonly at: number } | null
  /** The broker is away. */
  readonly lost: { readonly since: number; readonly retryAt: number; readonly reason: string } | null
}

/** What happens to the dashboard; every message has its instant. */
export type Message = { readonly at: number } & (
  | { readonly type: 'key'; readonly key: string }
  | { readonly type: 'size'; readonly columns: number; readonly rows: number }
  | { readonly type: 'tick' }
  | ({ readonly type: 'look' } & Look)
  | { readonly type: 'history'; readonly series: Series; readonly since: number; readonly events: readonly JobqEvent[] }
  | { readonly type: 'usual'; readonly usual: Usual | null }
  | { readonly type: 'page'; readonly page: JobPage; readonly edge: Edge; readonly search: string }
  | {
      readonly type: 'job'
      readonly id: number
      readonly job: Job | null
      readonly events: readonly JobqEvent[]
      readonly reasons: readonly Reason[]
    }
  | { readonly type: 'log'; readonly id: number; readonly lines: readonly string[] }
  | { readonly type: 'failures'; readonly groups: readonly FailureGroup[]; readonly seen: number }
  | { readonly type: 'past'; readonly past: PastView | null }
  | { readonly type: 'note'; readonly level: string; readonly text: string }
  | { readonly type: 'notice'; readonly text: string; readonly good: boolean }
  | { readonly type: 'reopened' }
  | { readonly type: 'lost'; readonly retryAt: number; readonly reason: string }
)

/** A message without its instant. */
export type Told = Message extends infer Each ? (Each extends Message ? Omit<Each, 'at'> : never) : never

/** What a message comes to. */
export interface Change {
  readonly state: State
  readonly commands: readonly Command[]
}

/** A change that asks nothing of the world. */
export const just = (state: State): Change => ({ state, commands: [] })

/** What a key was pressed for in vain. */
export const inVain = (state: State, text: string): Change =>
  just({ ...state, notice: { text, good: false, at: state.at } })

/** A dashboard that knows nothing yet. */
export const initialState = ({
  url,
  inWorker,
  at,
  columns,
  rows,
}: Pick<State, 'url' | 'inWorker' | 'at' | 'columns' | 'rows'>): State => ({
  url,
  inWorker,
  at,
  columns,
  rows,
  place: 'overview',
  from: 'overview',
  picture: null,
  series: [],
  seriesSince: at,
  usual: null,
  past: null,
  jobs: { search: '', order: 'newest', edge: { at: 'first' }, page: null, selected: null, wanted: true },
  job: null,
  overview: { selected: null },
  queues: { selected: null },
  workers: { selected: null },
  failures: { groups: null, seen: 0, selected: null },
  events: { list: [], search: '', held: null, selected: null },
  typing: null,
  asking: null,
  help: null,
  notice: null,
  lost: null,
})

/** What a tab shows: the past where one has gone there, else the present. */
export const shownPicture = ({ past, picture }: State): Picture | null => (past === null ? picture : past.picture)

/** The instant that is shown, in epoch milliseconds. */
export const shownAt = ({ past, at }: State): number => past?.at ?? at

/** How many lines a tab has for itself. */
export const bodyRows = ({ rows }: Pick<State, 'rows'>): number => Math.max(1, rows - (rows < 20 ? 5 : 6))
