/** The Overview: one look tells the health, what needs a person stands out, what waits and runs is below. */
import type { QueueSummary } from '../../../src/broker/broker.ts'
import { percentiles } from '../../../src/stats.ts'
import { alertsOf, isWorse } from '../alerts.ts'
import { clockTime, coarse, count, duration, elapsed, rate, short } from '../parts/figures.ts'
import { bar, graph, titled } from '../parts/graph.ts'
import { beside, fit, type Line, line, span, type Tone } from '../parts/line.ts'
import { table } from '../parts/table.ts'
import { countsOf, type Picture, type RunningJob } from '../picture.ts'
import { type Recent, recent, stepMs, valuesUntil } from '../series.ts'
import { type State, shownAt, shownPicture } from '../state.ts'
import { jobTitle, type Room } from './view.ts'

/** The lines of the Overview. */
export const overview = (state: State, room: Room): Line[] => {
  const picture = shownPicture(state)
  if (picture === null) return []
  const { width, height } = room
  const at = shownAt(state)
  const series = state.past?.series ?? state.series
  const now = recent(series, at, state.past === null ? state.seriesSince : 0)
  const alerts = state.past === null ? alertLines(state, picture, now) : []
  const top = figures(state, picture, now, width)
  const wide = width >= 90
  const left = height - top.length - alerts.length
  // Graphs give way before what waits and runs does.
  const graphRows = left < 15 ? 0 : left < 22 ? 4 : Math.min(10, Math.floor(left / 3.5))
  const graphs = graphRows === 0 ? [] : graphLines(state, now, { width, height: graphRows + 1 })
  const lists = left - graphs.length
  return [...top, ...graphs, ...alerts, ...listLines(state, picture, { width, height: lists, wide, now })].slice(
    0,
    height,
  )
}

const figures = (state: State, picture: Picture, now: Recent, width: number): Line[] => {
  const counts = countsOf(picture)
  const scheduled = picture.queues.reduce((total, queue) => total + queue.scheduled, 0)
  const size = picture.workers.reduce((total, worker) => total + worker.size, 0)
  const about = picture.current ? '' : '≈'
  const worse = state.past === null && isWorse(now.failuresPerSecond, state.usual?.failuresPerSecond ?? null)
  const say = (value: number): string => `${about}${width < 80 ? short(value) : count(value)}`
  const figure = (title: string, value: string, tone: Tone = 'plain'): Line => [
    span(`${title} `, 'dim'),
    span(value, tone),
  ]
  const waiting = counts.queued - scheduled
  // In little room a figure of the second row goes to the third.
  const narrow = width < 80
  const row = (cells: readonly Line[], places: number): Line => {
    const cell = Math.min(24, Math.floor((width - 2) / places))
    return fit([span('  '), ...cells.flatMap((each) => fit(each, cell))], width)
  }
  const age = oldestMs(state, picture)
  const oldest = figure('oldest', age === null ? '-' : coarse(age))
  const more = [
    ...(narrow ? [oldest] : []),
    ...(scheduled === 0 ? [] : [figure('scheduled', say(scheduled))]),
    ...(counts.blocked === 0 ? [] : [figure('blocked', say(counts.blocked))]),
    ...(counts.cancelled === 0 ? [] : [figure('cancelled', say(counts.cancelled), 'dim')]),
  ]
  return [
    row(
      [
        figure('waiting', say(waiting), waiting > 0 ? 'strong' : 'plain'),
        figure(
          'running',
          size === 0 ? say(counts.running) : `${say(counts.running)}/${count(size)}`,
          counts.running > 0 ? 'running' : 'plain',
        ),
        figure('failed', `${say(counts.failed)}${worse ? ' ▲' : ''}`, counts.failed > 0 ? 'failed' : 'plain'),
        figure('done', say(counts.succeeded), counts.succeeded > 0 ? 'succeeded' : 'plain'),
      ],
      4,
    ),
    row(
      [
        figure('speed', rate(now.perSecond)),
        figure('wait p95', milliseconds(now.waitMs.p95)),
        figure('run p95', milliseconds(now.runMs.p95)),
        ...(narrow ? [] : [oldest]),
      ],
      narrow ? 3 : 4,
    ),
    ...(more.length === 0 ? [] : [row(more, narrow ? 3 : 4)]),
  ]
}

const milliseconds = (ms: number | null): string => (ms === null ? '-' : duration(ms))

/** For how long the job that is due for the longest time has waited. */
const oldestMs = (state: State, picture: Picture): number | null => {
  const ages = picture.queues.flatMap(({ oldestWaitingMs }) => oldestWaitingMs ?? [])
  if (ages.length === 0) return null
  return Math.max(...ages) + (state.past === null ? Math.max(0, state.at - picture.at) : 0)
}

const alertLines = (state: State, picture: Picture, now: Recent): Line[] => {
  const alerts = alertsOf({
    at: state.at,
    queues: picture.queues,
    workers: picture.workers,
    failuresPerSecond: now.failuresPerSecond,
    usualFailuresPerSecond: state.usual?.failuresPerSecond ?? null,
  })
  const shown = alerts.slice(0, alerts.length > 3 ? 2 : 3)
  const rest = alerts.length - shown.length
  return [
    ...shown.map((alert): Line => line(`  ! ${alert.text}`, 'alert')),
    ...(rest === 0 ? [] : [line(`  ! and ${rest} more`, 'alert')]),
  ]
}

const graphLines = (state: State, now: Recent, { width, height }: Room): Line[] => {
  const series = state.past?.series ?? state.series
  const at = shownAt(state)
  const perStep = stepMs / 1_000
  const ends = valuesUntil(series, at - stepMs, (step) => (step === null ? 0 : step.ends / perStep))
  const waits = valuesUntil(series, at - stepMs, (step) => (step === null ? null : percentiles(step.waitsMs).p95))
  const both = width >= 90
  const half = both ? Math.floor((width - 3) / 2) : width - 1
  const minutes = Math.round(((half - 9) * stepMs) / 60_000)
  const speed = [
    titled(`jobs/s, last ${minutes} min`, half),
    ...graph({ values: ends, width: half, height: height - 1, least: 1, label: (top) => short(top), tone: 'running' }),
  ]
  if (!both) return speed.map((each) => [span(' '), ...each])
  const { p50, p95, p99 } = now.waitMs
  const worse = p95 !== null && state.usual?.waitP95Ms != null && p95 > 100 && p95 > state.usual.waitP95Ms * 2
  const title =
    p50 === null
      ? 'wait before the start, p95'
      : `wait p50 ${milliseconds(p50)}  p95 ${milliseconds(p95)}${worse ? ' ▲' : ''}  p99 ${milliseconds(p99)}`
  const wait = [
    titled(title, width - half - 3),
    ...graph({
      values: waits,
      width: width - half - 3,
      height: height - 1,
      least: 10,
      label: (top) => duration(top).replace('.0', ''),
      tone: 'retrying',
    }),
  ]
  return speed.map((each, row) => beside([span(' '), ...each], [span(' '), ...(wait[row] ?? [])], half + 2))
}

const listLines = (
  state: State,
  picture: Picture,
  { width, height, wide, now }: Room & { readonly wide: boolean; readonly now: Recent },
): Line[] => {
  if (height < 2) return []
  if (wide) {
    const half = Math.floor((width - 3) / 2)
    const queues = [titled('queues', half), ...queueLines(state, picture, { width: half, height: height - 1, now })]
    const running = [
      titled('running', width - half - 3),
      ...runningLines(state, picture, { width: width - half - 3, height: height - 1 }),
    ]
    return Array.from({ length: Math.max(queues.length, running.length) }, (_, row) =>
      beside([span(' '), ...(queues[row] ?? [])], [span(' '), ...(running[row] ?? [])], half + 2),
    )
  }
  const busy = Math.max(1, Math.min(picture.running.length, Math.ceil(height / 2) - 1))
  const running = [titled('running', width - 1), ...runningLines(state, picture, { width: width - 1, height: busy })]
  const queues = [
    titled('queues', width - 1),
    ...queueLines(state, picture, { width: width - 1, height: height - running.length - 1, now }),
  ]
  return [...queues, ...running].map((each) => [span(' '), ...each])
}

const queueLines = (
  state: State,
  picture: Picture,
  { width, height, now }: Room & { readonly now: Recent },
): Line[] => {
  const busy = picture.queues.filter(
    (queue) => queue.queued + queue.running > 0 || queue.paused || (now.perSecondByQueue[queue.name] ?? 0) > 0,
  )
  if (busy.length === 0) return [line(' nothing waits: jobq enqueue -- echo hi', 'dim')]
  const due = (queue: QueueSummary): number => queue.queued - queue.scheduled
  // By name, as the tab has them: a list that changes its order all the time cannot be read.
  const shown = busy.length <= height ? busy : busy.toSorted((one, other) => due(other) - due(one)).slice(0, height - 1)
  const most = Math.max(1, ...shown.map(due))
  const lines = table<QueueSummary>(
    [
      { title: 'queue', value: ({ name }) => name, spare: 0, least: 8 },
      { title: 'waiting', value: (queue) => short(due(queue)), side: 'right', width: 6, spare: 0 },
      { title: '', value: (queue) => bar(due(queue) / most, 8), width: 8, spare: 3 },
      { title: 'speed', value: ({ name }) => rate(now.perSecondByQueue[name] ?? 0), side: 'right', width: 8, spare: 1 },
      {
        title: '',
        value: (queue) => note(state, queue, now),
        width: 12,
        spare: 2,
        tone: (queue) => (queue.paused ? 'retrying' : 'dim'),
      },
    ],
    shown,
    { width, height, key: ({ name }) => name, bare: true },
  )
  return busy.length <= height ? lines : [...lines, line(` and ${busy.length - shown.length} more in tab 3`, 'dim')]
}

const note = (state: State, queue: QueueSummary, now: Recent): string => {
  if (queue.paused) return 'paused'
  const speed = now.perSecondByQueue[queue.name] ?? 0
  const seconds = (queue.queued - queue.scheduled) / speed
  if (state.past !== null || seconds < 10 || !Number.isFinite(seconds) || seconds > 7 * 86_400) return ''
  return seconds < 86_400
    ? `drains ${clockTime(state.at + seconds * 1_000).slice(0, 5)}`
    : `drains ${Math.round(seconds / 86_400)}d`
}

const runningLines = (state: State, picture: Picture, { width, height }: Room): Line[] => {
  const { running } = picture
  if (running.length === 0) return [line(' nothing runs', 'dim')]
  const at = shownAt(state)
  const shown = running.length <= height ? running : running.slice(0, Math.max(1, height - 1))
  const selected = state.overview.selected
  const lines = table<RunningJob>(
    [
      {
        title: 'id',
        value: ({ job }) => `#${job.id}`,
        width: Math.max(...shown.map(({ job }) => String(job.id).length)) + 1,
        spare: 0,
      },
      { title: 'job', value: ({ job }) => jobTitle(job), spare: 0, least: 12 },
      { title: '', value: progress, width: 13, spare: 2, tone: () => 'running' },
      { title: '', value: ({ since }) => elapsed(at - since), side: 'right', width: 6, spare: 0 },
    ],
    selected === null ? shown : around(running, selected, shown.length),
    { width, height, key: ({ job }) => job.id, bare: true, selected },
  )
  return running.length <= height
    ? lines
    : [...lines.slice(0, height - 1), line(`   and ${count(running.length - shown.length)} more in tab 2`, 'dim')]
}

/** So many running jobs that the selected one is among them. */
const around = (running: readonly RunningJob[], selected: number, size: number): readonly RunningJob[] => {
  const index = running.findIndex(({ job }) => job.id === selected)
  const first = Math.max(0, Math.min(index - size + 1, running.length - size))
  return running.slice(first, first + size)
}

const progress = ({ job }: RunningJob): string => {
  if (job.cancelling) return 'cancelling'
  if (job.progress === null) return 'running'
  return `${bar(job.progress.fraction, 7)} ${String(Math.round(job.progress.fraction * 100)).padStart(3)} %`
}
