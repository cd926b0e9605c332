/** The Jobs tab: a page of a list that may be a million long. */
import type { Job } from '../../../src/job.ts'
import { progressText } from '../../job-text.ts'
import { count, distance, duration, elapsed } from '../parts/figures.ts'
import { type Line, line, span, spread } from '../parts/line.ts'
import { table } from '../parts/table.ts'
import { countsOf } from '../picture.ts'
import { type State, shownAt, shownPicture } from '../state.ts'
import { jobLine, oneLine, type Room, toneOf } from './view.ts'

/** The lines of the Jobs tab. */
export const jobs = (state: State, { width, height }: Room): Line[] => {
  const { page, selected, search, order } = state.jobs
  const at = shownAt(state)
  const picture = shownPicture(state)
  const total = picture === null ? 0 : Object.values(countsOf(picture)).reduce((sum, each) => sum + each, 0)
  const title = search === '' ? `all ${count(total)} jobs` : `filter: ${search}`
  const head = spread(
    [span('  '), span(title, search === '' ? 'dim' : 'strong')],
    line(`${order} first `, 'dim'),
    width,
  )
  if (page === null) return [head]
  if (page.jobs.length === 0) return [head, line(''), ...nothing(state)]
  const shown = page.jobs.slice(0, height - 2)
  const ids = Math.max(4, ...shown.map(({ id }) => String(id).length))
  const rows = table<Job>(
    [
      { title: 'id', value: ({ id }) => String(id), side: 'right', width: ids, spare: 0 },
      { title: 'state', value: stateAndSign, width: 11, spare: 0, tone: toneOf },
      { title: 'queue', value: ({ queue }) => queue, width: 12, spare: 3 },
      { title: 'job', value: jobLine, spare: 0, least: 16 },
      {
        title: 'attempt',
        value: ({ attempt, maxAttempts }) => (attempt === 0 ? '' : `${attempt}/${maxAttempts}`),
        side: 'right',
        width: 7,
        spare: 4,
      },
      { title: 'time', value: (job) => timeOf(job, at), side: 'right', width: 9, spare: 2 },
      { title: 'when', value: (job) => whenOf(job, at), side: 'right', width: 9, spare: 1 },
      ...(width < 130
        ? []
        : [{ title: 'said', value: (job: Job) => oneLine(progressText(job)), width: Math.floor(width / 4), spare: 5 }]),
    ],
    shown,
    { width, height: height - 1, key: ({ id }) => id, selected },
  )
  const more =
    page.searchedTo === null ? [] : [line(`  searched down to job ${count(page.searchedTo)}; PgDn goes on`, 'dim')]
  return [head, ...rows, ...more]
}

const nothing = (state: State): Line[] => {
  const { search, page } = state.jobs
  if (page !== null && page.searchedTo !== null)
    return [line(`  nothing found down to job ${count(page.searchedTo)}`, 'dim')]
  if (search !== '') return [line(`  no job is ${search}; Esc shows all`, 'dim')]
  if (state.past !== null) return [line('  there was no job yet', 'dim')]
  return [line('  no jobs yet: jobq enqueue -- echo hi', 'dim')]
}

const stateAndSign = (job: Job): string => `${job.label ?? job.state}${job.cancelling ? ' !' : ''}`

const timeOf = ({ state, startedAt, finishedAt }: Job, at: number): string => {
  if (startedAt === null) return ''
  if (state === 'running') return elapsed(at - startedAt)
  return finishedAt === null || finishedAt < startedAt ? '' : duration(finishedAt - startedAt)
}

const whenOf = ({ state, finishedAt, dueAt, createdAt, label }: Job, at: number): string => {
  if (finishedAt !== null && state !== 'queued' && state !== 'running') return distance(finishedAt, at)
  return distance(label === null ? createdAt : dueAt, at)
}
