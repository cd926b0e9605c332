/** The Events tab: the log as it goes on. */
import type { EventType, JobqEvent } from '../../../src/event.ts'
import { eventText } from '../../event-text.ts'
import { visible } from '../../visible.ts'
import { bytes, count, distance, duration, moment } from '../parts/figures.ts'
import { type Line, line, span, spread, type Tone } from '../parts/line.ts'
import { table } from '../parts/table.ts'
import { shownEntries } from '../selection.ts'
import { type Entry, type State, shownAt } from '../state.ts'
import type { Room } from './view.ts'

/** The lines of the Events tab. */
export const events = (state: State, { width, height }: Room): Line[] => {
  const { search, held, selected, list } = state.events
  const entries = shownEntries(state)
  const waiting = held === null ? 0 : list.length - held.length
  const doing =
    state.past !== null
      ? 'up to then'
      : held === null
        ? 'live'
        : `held still${waiting > 0 ? `, ${waiting} more since` : ''}; Esc goes on`
  const head = spread(
    [span('  '), span(search === '' ? 'all events' : `filter: ${search}`, search === '' ? 'dim' : 'strong')],
    line(`${doing} `, held === null ? 'dim' : 'retrying'),
    width,
  )
  if (entries.length === 0) {
    const text =
      search === '' ? 'nothing has happened since this dashboard was opened' : 'no event matches; Esc shows all'
    return [head, line(''), line(`  ${text}`, 'dim')]
  }
  const at = shownAt(state)
  // A list that goes on shows its end; one that is held still what is selected.
  const marked = held === null && state.past === null ? entries.at(-1)?.id : (selected ?? entries.at(-1)?.id)
  const rows = table<Entry>(
    [
      {
        title: 'time',
        value: (entry) => moment(entry.at, at),
        width: entries.some((entry) => moment(entry.at, at).length > 8) ? 14 : 8,
        spare: 0,
        tone: () => 'dim',
      },
      { title: 'of', value: subject, width: Math.min(32, Math.max(14, Math.floor(width / 4))), spare: 0 },
      { title: 'queue', value: (entry) => ('note' in entry ? '' : (entry.queue ?? '')), width: 12, spare: 2 },
      {
        title: 'what',
        value: (entry) => words(entry, at),
        spare: 0,
        least: 16,
        tone: (entry) =>
          'note' in entry
            ? entry.level === 'error'
              ? 'failed'
              : entry.level === 'warn'
                ? 'retrying'
                : 'plain'
            : toneOfEvent(entry.type),
      },
    ],
    held === null && state.past === null ? entries.slice(-(height - 2)) : entries,
    { width, height: height - 1, key: ({ id }) => id, selected: held === null && state.past === null ? null : marked },
  )
  return [head, ...rows]
}

const subject = (entry: Entry): string => {
  if ('note' in entry) return 'this worker'
  return visible(entry.job === null ? (entry.worker ?? entry.queue ?? '') : `#${entry.job} ${entry.task ?? ''}`)
}

const words = (entry: Entry, at: number): string => {
  if ('note' in entry) return visible(entry.text)
  if (entry.type === 'worker.heartbeat') {
    const { active, processed, rss } = entry.data
    return `heartbeat: ${Number(active)} running, ${count(Number(processed))} done, ${bytes(Number(rss))}`
  }
  return visible(eventText(entry, { instant: (when) => distance(when, at), duration }))
}

/** The tone of an event's words: that of the state it leads to. */
export const toneOfEvent = (type: EventType): Tone => {
  const tones: Partial<Record<JobqEvent['type'], Tone>> = {
    'job.started': 'running',
    'job.succeeded': 'succeeded',
    'job.failed': 'failed',
    'job.rejected': 'failed',
    'job.retried': 'retrying',
    'job.recovered': 'retrying',
    'job.stale': 'dim',
    'job.cancelled': 'dim',
    'worker.heartbeat': 'dim',
  }
  return tones[type] ?? 'plain'
}
