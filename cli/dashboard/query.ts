/**
 * What the search line of the Jobs tab says: `failed queue:media #48211 resize`. Words that name a state, a queue, a task or
 * a tag become the broker's own filter; the rest is looked for in what a job shows.
 */
import { type Job, type JobState, jobStates } from '../../src/job.ts'
import { jobText } from '../job-text.ts'

/** A search. */
export interface Query {
  readonly states: readonly JobState[]
  readonly queue: string | null
  readonly task: string | null
  readonly tag: string | null
  readonly id: number | null
  /** Lower case; all of them have to be found. */
  readonly words: readonly string[]
}

const other: Readonly<Record<string, readonly JobState[]>> = {
  waiting: ['queued', 'blocked'],
  done: ['succeeded'],
  finished: ['succeeded', 'failed', 'cancelled'],
}

/** Reads a search line. */
export const parseQuery = (text: string): Query => {
  const states: JobState[] = []
  const words: string[] = []
  const named: { queue?: string; task?: string; tag?: string; id?: number } = {}
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    const [, name, value] = /^(state|queue|task|tag):(.+)$/.exec(word) ?? []
    const state = name === 'state' ? value : word
    const number = /^#?(\d{1,15})$/.exec(word)?.[1]
    if (name !== undefined && name !== 'state' && value !== undefined) named[name as 'queue' | 'task' | 'tag'] = value
    else if (isState(state)) states.push(state)
    else if (state !== undefined && Object.hasOwn(other, state)) states.push(...(other[state] ?? []))
    else if (number !== undefined) named.id = Number(number)
    else words.push(word.toLowerCase())
  }
  const { queue = null, task = null, tag = null, id = null } = named
  return { states: [...new Set(states)], queue, task, tag, id, words }
}

const isState = (word: string | undefined): word is JobState => jobStates.some((state) => state === word)

/** True where a job in this state is what the search means. */
export const matches = (query: Query, job: Job, state: JobState): boolean =>
  (query.id === null || job.id === query.id) &&
  (query.states.length === 0 || query.states.includes(state)) &&
  (query.queue === null || job.queue === query.queue) &&
  (query.task === null || job.task === query.task) &&
  (query.tag === null || job.tags.includes(query.tag)) &&
  (query.words.length === 0 || hasWords(query.words, job))

const hasWords = (words: readonly string[], job: Job): boolean => {
  const error = job.error === null ? '' : `${job.error.type} ${job.error.message}`
  const text = `${job.id} ${job.task} ${job.queue} ${job.tags.join(' ')} ${jobText(job)} ${error}`.toLowerCase()
  return words.every((word) => text.includes(word))
}
