/**
 * The keys: one table that the dashboard obeys, shows in its bottom line and prints as its help. Lower case never destroys;
 * what is upper case says what it will do and asks first.
 */

import type { QueueSummary } from '../../src/broker/broker.ts'
import { isFinished, type Job } from '../../src/job.ts'

/** A tab. */
export const tabs = ['overview', 'jobs', 'queues', 'workers', 'events', 'failures'] as const
/** One of `tabs`. */
export type Tab = (typeof tabs)[number]
/** Where one can be: in a tab, or in a job that was opened from one. */
export type Place = Tab | 'job'

/** What a key does. */
export type Action =
  | 'quit'
  | 'interrupt'
  | 'help'
  | 'next-tab'
  | 'previous-tab'
  | `tab-${1 | 2 | 3 | 4 | 5 | 6}`
  | 'up'
  | 'down'
  | 'page-up'
  | 'page-down'
  | 'top'
  | 'bottom'
  | 'open'
  | 'back'
  | 'search'
  | 'order'
  | 'hold-still'
  | 'retry'
  | 'retry-group'
  | 'cancel'
  | 'pause'
  | 'resume'
  | 'run-now'
  | 'pager'
  | 'copy'
  | 'earlier'
  | 'later'
  | 'much-earlier'
  | 'much-later'
  | 'live'

/** What the keys of a place have before them. */
export interface Here {
  readonly place: Place
  /** The dashboard shows the past. */
  readonly past: boolean
  /** The job that is selected; null also where it has not been read yet. */
  readonly job: Job | null
  readonly isJobSelected: boolean
  /** The queue that is selected, or that of the job. */
  readonly queue: QueueSummary | null
  /** There is something to open. */
  readonly opens: boolean
  /** There is somewhere to go back to. */
  readonly returns: boolean
}

/** One row of the table. */
export interface Binding {
  /** Names as `keysOf` gives them. */
  readonly keys: readonly string[]
  readonly action: Action
  /** How the help shows the keys. */
  readonly shown: string
  readonly does: string
  /** Where it works; absent: everywhere. */
  readonly places?: readonly Place[]
  /** What the bottom line calls it; absent: it is not there. */
  readonly brief?: string
  /** When the bottom line names it; absent: wherever it works. */
  readonly when?: (here: Here) => boolean
  /** Only while the dashboard shows the past, or only while it does not. */
  readonly past?: boolean
}

const lists: readonly Place[] = ['overview', 'jobs', 'queues', 'workers', 'events', 'failures']
const ofJobs: readonly Place[] = ['overview', 'jobs', 'job']

/** How many jobs of a queue wait, for whatever. */
export const waitingIn = ({ queued, blocked }: QueueSummary): number => queued + blocked

const hasEnded = ({ job }: Here): boolean => job !== null && isFinished(job.state)
const waits = ({ job }: Here): boolean => job !== null && (job.state === 'queued' || job.state === 'blocked')
const hasToCancel = ({ place, job, queue }: Here): boolean =>
  place === 'queues' ? queue !== null && waitingIn(queue) > 0 : job !== null && !isFinished(job.state)

/** Every key, in the order of the help. */
export const bindings: readonly Binding[] = [
  { keys: ['down', 'j'], action: 'down', shown: '↓ j', does: 'down a line', brief: '↑↓ select' },
  { keys: ['up', 'k'], action: 'up', shown: '↑ k', does: 'up a line' },
  { keys: ['pagedown', 'ctrl-d', 'ctrl-f'], action: 'page-down', shown: 'PgDn ^D', does: 'down a page' },
  { keys: ['pageup', 'ctrl-u', 'ctrl-b'], action: 'page-up', shown: 'PgUp ^U', does: 'up a page' },
  { keys: ['g'], action: 'top', shown: 'g', does: 'to the first' },
  { keys: ['G', 'end'], action: 'bottom', shown: 'G End', does: 'to the last' },
  {
    keys: ['enter', 'right', 'l'],
    action: 'open',
    shown: '⏎ → l',
    does: 'open what is selected',
    brief: '⏎ open',
    when: ({ opens }) => opens,
    places: lists,
  },
  {
    keys: ['esc', 'left', 'h', 'backspace'],
    action: 'back',
    shown: 'Esc ← h',
    does: 'back; end a search',
    brief: 'Esc back',
    when: ({ returns }) => returns,
    places: ['job', 'jobs', 'events'],
  },
  { keys: ['tab'], action: 'next-tab', shown: 'Tab', does: 'the next tab' },
  { keys: ['shift-tab'], action: 'previous-tab', shown: 'Shift-Tab', does: 'the tab before' },
  { keys: ['1'], action: 'tab-1', shown: '1 … 6', does: 'a tab by its number' },
  { keys: ['2'], action: 'tab-2', shown: '', does: '' },
  { keys: ['3'], action: 'tab-3', shown: '', does: '' },
  { keys: ['4'], action: 'tab-4', shown: '', does: '' },
  { keys: ['5'], action: 'tab-5', shown: '', does: '' },
  { keys: ['6'], action: 'tab-6', shown: '', does: '' },
  {
    keys: ['/'],
    action: 'search',
    shown: '/',
    does: 'search jobs or events',
    brief: '/ filter',
    places: ['jobs', 'events', 'overview'],
  },
  { keys: ['s'], action: 'order', shown: 's', does: 'newest or oldest first', brief: 's order', places: ['jobs'] },
  {
    keys: [' '],
    action: 'hold-still',
    shown: 'Space',
    does: 'hold the events still',
    brief: 'Space hold',
    places: ['events'],
  },
  {
    keys: ['r'],
    action: 'retry',
    past: false,
    shown: 'r',
    does: 'run a finished job again',
    brief: 'r retry',
    when: hasEnded,
    places: ['jobs', 'job', 'overview'],
  },
  {
    keys: ['n'],
    action: 'run-now',
    past: false,
    shown: 'n',
    does: 'run a waiting job now',
    brief: 'n now',
    when: waits,
    places: ['jobs', 'job'],
  },
  {
    keys: ['R'],
    action: 'retry-group',
    past: false,
    shown: 'R',
    does: 'retry the group (asks)',
    brief: 'R retry all',
    places: ['failures'],
  },
  {
    keys: ['C'],
    action: 'cancel',
    past: false,
    shown: 'C',
    does: 'cancel job or queue (asks)',
    brief: 'C cancel',
    when: hasToCancel,
    places: [...ofJobs, 'queues'],
  },
  {
    keys: ['P'],
    action: 'pause',
    past: false,
    shown: 'P',
    does: 'pause the queue (asks)',
    brief: 'P pause queue',
    when: ({ queue }) => queue?.paused === false,
    places: ['queues', 'overview', 'jobs', 'job'],
  },
  {
    keys: ['u'],
    action: 'resume',
    past: false,
    shown: 'u',
    does: 'let a paused queue go on',
    brief: 'u resume',
    when: ({ queue }) => queue?.paused === true,
    places: ['queues', 'overview', 'jobs', 'job'],
  },
  { keys: ['o'], action: 'pager', shown: 'o', does: 'the log in $PAGER', brief: 'o log', places: ['job'] },
  {
    keys: ['y'],
    action: 'copy',
    shown: 'y',
    does: "copy the job's id",
    brief: 'y copy id',
    when: ({ isJobSelected }) => isJobSelected,
    places: ['jobs', 'job'],
  },
  { keys: ['['], action: 'earlier', shown: '[', does: 'time travel: 10 s back', brief: '[ ] time travel' },
  { keys: [']'], action: 'later', shown: ']', does: '10 s on', past: true },
  { keys: ['{'], action: 'much-earlier', shown: '{', does: '5 minutes back', brief: '{ } leap' },
  { keys: ['}'], action: 'much-later', shown: '}', does: '5 minutes on', past: true },
  { keys: ['home'], action: 'live', shown: 'Home', does: 'back to now', brief: 'Home now', past: true },
  { keys: ['home'], action: 'top', shown: '', does: '' },
  { keys: ['?'], action: 'help', shown: '?', does: 'this help' },
  { keys: ['q'], action: 'quit', shown: 'q', does: 'quit', brief: 'q quit' },
  { keys: ['ctrl-c'], action: 'interrupt', shown: '^C', does: 'quit, stop the own worker' },
]

/** What a key does at a place; null for nothing. */
export const actionOf = (key: string, place: Place, past: boolean): Action | null =>
  bindings.find((binding) => binding.keys.includes(key) && worksAt(binding, place, past))?.action ?? null

/** The keys that do something here and now, as the bottom line names them. */
export const briefKeys = (here: Here): readonly string[] => {
  const shown = bindings.filter(
    (binding) =>
      binding.brief !== undefined && worksAt(binding, here.place, here.past) && binding.when?.(here) !== false,
  )
  // The way back comes first.
  return [
    ...shown.filter((binding) => binding.past === true),
    ...shown.filter((binding) => binding.past !== true),
  ].flatMap(({ brief }) => brief ?? [])
}

const worksAt = ({ places, past: onlyPast }: Binding, place: Place, past: boolean): boolean =>
  (places === undefined || places.includes(place)) && (onlyPast === undefined || onlyPast === past)
