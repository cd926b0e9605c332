/** One job, its story from top to bottom: what it is, why it is where it is, its attempts, what it was given and gave, its log. */

import type { JobqEvent } from '../../../src/event.ts'
import { commandTask, isFinished, type Job } from '../../../src/job.ts'
import { eventText } from '../../event-text.ts'
import { jobText } from '../../job-text.ts'
import { localTime } from '../../local-time.ts'
import { visible, visibleLines } from '../../visible.ts'
import { distance, duration, elapsed } from '../parts/figures.ts'
import { bar, titled } from '../parts/graph.ts'
import { type Line, line, span, type Tone } from '../parts/line.ts'
import { fields, wrap } from '../parts/table.ts'
import { type OpenJob, type State, shownAt } from '../state.ts'
import { toneOfEvent } from './events.ts'
import { jobTitle, type Room, toneOf } from './view.ts'

/** The lines of an open job, from where it is scrolled to. */
export const job = (state: State, room: Room): Line[] => {
  const open = state.job
  if (open === null) return []
  if (open.missing) return [line(''), line(`  there is no job ${open.id} (any more)`, 'dim')]
  if (open.job === null) return []
  const lines = story(state, open, open.job, room.width)
  const end = Math.max(0, lines.length - room.height)
  // The log of a running job is followed until somebody scrolls up.
  const first = Math.min(open.scroll, end)
  const shown = lines.slice(first, first + room.height)
  if (end === 0) return shown
  const rest = lines.length - first - room.height
  return rest <= 0
    ? shown
    : [...shown.slice(0, -1), line(`  ↓ ${rest + 1} more ${rest === 0 ? 'line' : 'lines'}`, 'dim')]
}

const story = (state: State, open: OpenJob, what: Job, width: number): Line[] => {
  const at = shownAt(state)
  const past = state.past !== null
  const over = isFinished(what.state)
  const head: Line = [
    span(` job ${what.id}  `, 'strong'),
    span(what.label ?? what.state, toneOf(what)),
    span(`  ${jobTitle(what)}`),
  ]
  const moving = what.state === 'running' && what.startedAt !== null ? ` for ${elapsed(at - what.startedAt)}` : ''
  const progress: Line[] =
    what.progress === null || what.state !== 'running' || past
      ? []
      : [
          [
            span('  '),
            span(
              `${bar(what.progress.fraction, Math.min(40, width - 20))} ${Math.round(what.progress.fraction * 100)} %`,
              'running',
            ),
            span(`  ${visible(what.progress.text ?? '')}`, 'dim'),
          ],
        ]
  const why = past ? [] : open.reasons.map(({ text }) => text)
  return [
    [...head, span(moving)],
    ...progress,
    ...fields(
      [
        ...why.map((text, index): readonly [string, string] => [index === 0 ? 'why' : '', visible(text)]),
        ['queue', `${what.queue}, priority ${what.priority}`],
        [
          'attempt',
          what.attempt === 0
            ? `not started yet, ${what.maxAttempts} at most`
            : `${what.attempt} of ${what.maxAttempts}`,
        ],
        ['created', `${localTime(what.createdAt).slice(0, 19)}, ${distance(what.createdAt, at)}`],
        [
          'took',
          over && !past && what.startedAt !== null && what.finishedAt !== null
            ? duration(what.finishedAt - what.startedAt)
            : '',
        ],
        ['worker', what.worker === null ? '' : `${what.worker}${what.pid === null ? '' : `, pid ${what.pid}`}`],
        [
          'exit code',
          what.exitCode === null || past ? '' : String(what.exitCode),
          what.exitCode === 0 ? 'plain' : 'failed',
        ],
        ['signal', past ? '' : (what.signal ?? ''), 'failed'],
        ['after', [...what.after, ...what.afterAny].map((id) => `#${id}`).join(' ')],
        ['tags', what.tags.join(' ')],
        ['unique', visible(what.unique ?? '')],
        [
          'meta',
          Object.entries(what.meta)
            .map(([key, value]) => visible(`${key}=${value}`))
            .join('  '),
        ],
      ],
      width,
    ),
    ...timeline(open.events, state, width),
    ...block('command', what.task === commandTask ? visible(jobText({ ...what, name: null })) : '', width),
    ...block('payload', what.task === commandTask ? '' : pretty(what.payload), width),
    ...(past ? [] : block('result', what.state === 'succeeded' ? pretty(what.result) : '', width)),
    ...(past || what.error === null
      ? []
      : block('error', visibleLines(what.error.stack ?? `${what.error.type}: ${what.error.message}`), width, 'failed')),
    ...(past ? [] : log(open, what, width)),
  ]
}

const timeline = (events: readonly JobqEvent[], state: State, width: number): Line[] => {
  const until = state.past?.picture?.cursor ?? Number.POSITIVE_INFINITY
  const steps = events.filter(({ type, id }) => type !== 'job.progress' && id <= until)
  const [first] = steps
  if (first === undefined) return []
  const writer = { instant: (at: number) => distance(at, shownAt(state)), duration }
  return [
    titled('timeline', width - 1),
    ...steps.map(
      (event): Line => [
        span(`  ${localTime(event.at).slice(11)}  `, 'dim'),
        span(`${event.at === first.at ? '' : `+${duration(Math.max(0, event.at - first.at))}`}`.padStart(10), 'dim'),
        span(`  ${visible(eventText(event, writer))}`, toneOfEvent(event.type)),
      ],
    ),
  ]
}

const block = (title: string, text: string, width: number, tone: Tone = 'plain'): Line[] =>
  text === ''
    ? []
    : [titled(title, width - 1), ...wrap(text.replaceAll('\t', '  '), width - 4).map((row) => line(`  ${row}`, tone))]

const log = ({ log: lines }: OpenJob, what: Job, width: number): Line[] => {
  if (lines.length === 0)
    return what.attempt === 0
      ? []
      : [
          titled('log', width - 1),
          line(what.state === 'running' ? '  nothing written yet' : '  it wrote nothing', 'dim'),
        ]
  return [titled('log', width - 1), ...lines.map((text) => line(`  ${visible(text.replaceAll('\t', '  '))}`))]
}

const pretty = (value: unknown): string => {
  if (value === null || value === undefined) return ''
  const flat = JSON.stringify(value)
  return visibleLines(flat.length <= 72 ? flat : JSON.stringify(value, null, 2))
}
