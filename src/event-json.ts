import type { EventsPruned, JobqEvent } from './event.ts'

/** An event as it is told to programs: instants (whatever ends in `At`) as RFC 3339 in UTC, what its type adds beside the rest. */
export const eventJson = (event: JobqEvent | EventsPruned): Record<string, unknown> => {
  if (event.type === 'events.pruned') return { type: event.type, from: event.from, to: event.to }
  const { id, at, type, job, task, queue, worker, attempt, data } = event
  const fixed = { id, at: new Date(at).toISOString(), type, job, task, queue, worker, attempt }
  return { ...fixed, ...instantsAsText(data), ...fixed }
}

/** The same facts with those whose name ends in `At` turned from epoch milliseconds into RFC 3339. */
export const instantsAsText = (facts: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [
      name,
      name.endsWith('At') && typeof value === 'number' ? new Date(value).toISOString() : value,
    ]),
  )
