import type { QueueSummary } from '../../../src/broker/broker.ts'
import { coarse, count, rate } from '../parts/figures.ts'
import { type Line, line } from '../parts/line.ts'
import { table } from '../parts/table.ts'
import { recent } from '../series.ts'
import { type State, shownAt, shownPicture } from '../state.ts'
import type { Room } from './view.ts'

/** The lines of the Queues tab. */
export const queues = (state: State, { width, height }: Room): Line[] => {
  const picture = shownPicture(state)
  if (picture === null) return []
  if (picture.queues.length === 0) return [line(''), line('  no queues yet: jobq enqueue -- echo hi', 'dim')]
  const series = state.past?.series ?? state.series
  const now = recent(series, shownAt(state), state.past === null ? state.seriesSince : 0)
  const past = state.past !== null
  const grown = past ? 0 : Math.max(0, state.at - picture.at)
  const number = (title: string, spare: number, value: (queue: QueueSummary) => number) => ({
    title,
    value: (queue: QueueSummary) => count(value(queue)),
    side: 'right' as const,
    width: 9,
    spare,
  })
  return table<QueueSummary>(
    [
      { title: 'queue', value: ({ name }) => name, spare: 0, least: 12 },
      {
        title: 'state',
        value: ({ paused }) => (paused ? 'paused' : 'open'),
        width: 6,
        spare: 2,
        tone: ({ paused }) => (paused ? 'retrying' : 'dim'),
      },
      number('waiting', 0, (queue) => queue.queued - queue.scheduled),
      {
        ...number('running', 0, (queue) => queue.running),
        width: 7,
        tone: ({ running }) => (running > 0 ? 'running' : 'plain'),
      },
      {
        title: 'oldest',
        value: ({ oldestWaitingMs }) => (oldestWaitingMs === null ? '' : coarse(oldestWaitingMs + grown)),
        side: 'right',
        width: 9,
        spare: 4,
      },
      { title: 'speed', value: ({ name }) => rate(now.perSecondByQueue[name] ?? 0), side: 'right', width: 8, spare: 3 },
      ...(past ? [] : [number('scheduled', 7, (queue) => queue.scheduled)]),
      number('blocked', 8, (queue) => queue.blocked),
      {
        ...number('failed', 1, (queue) => queue.failed),
        width: 7,
        tone: ({ failed }) => (failed > 0 ? 'failed' : 'plain'),
      },
      { ...number('done', 5, (queue) => queue.succeeded), width: 11 },
      number('cancelled', 9, (queue) => queue.cancelled),
    ],
    picture.queues,
    { width, height, key: ({ name }) => name, selected: state.queues.selected },
  )
}
