import type { Entry } from './state.ts'

/** True where every word of a search is in an entry: `job.failed`, `worker.*`, `#4711`, a queue, any text. */
export const matchesEntry = (search: string, entry: Entry): boolean => {
  const text = ('note' in entry ? `${entry.level} ${entry.text}` : eventWords(entry)).toLowerCase()
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word.replace(/\*$/, '')))
}

const eventWords = ({ type, job, task, queue, worker, data }: Exclude<Entry, { readonly note: true }>): string =>
  `${type} ${job === null ? '' : `#${job}`} ${task ?? ''} ${queue ?? ''} ${worker ?? ''} ${JSON.stringify(data)}`
