/** The Workers tab: who works, and what each child of the one that is selected does. */
import type { ChildStatus, WorkerRecord } from '../../../src/broker/broker.ts'
import { visible } from '../../visible.ts'
import { bytes, count, distance, elapsed, uptime } from '../parts/figures.ts'
import { titled } from '../parts/graph.ts'
import { type Line, line } from '../parts/line.ts'
import { table } from '../parts/table.ts'
import { type State, shownAt, shownPicture } from '../state.ts'
import { oneLine, type Room } from './view.ts'

/** The lines of the Workers tab. */
export const workers = (state: State, { width, height }: Room): Line[] => {
  const picture = shownPicture(state)
  if (picture === null) return []
  const all = picture.workers
  if (all.length === 0) {
    const text = state.past === null ? "no worker is running: start one with 'jobq run'" : 'no worker was running'
    return [line(''), line(`  ${text}`, 'dim')]
  }
  const at = shownAt(state)
  const listed = Math.min(all.length + 1, Math.max(3, Math.floor(height / 3)))
  const list = table<WorkerRecord>(
    state.past === null ? columns(at) : columns(at).filter(({ title }) => ['worker', 'up'].includes(title)),
    all,
    { width, height: listed, key: ({ name }) => name, selected: state.workers.selected },
  )
  if (state.past !== null)
    return [...list, line(''), line('  of the past only the coming and going of workers is known', 'dim')]
  const worker = all.find(({ name }) => name === state.workers.selected) ?? all[0]
  if (worker === undefined) return list
  const trouble =
    worker.trouble == null ? [] : [line(`  ! its children do not start: ${oneLine(worker.trouble)}`, 'alert')]
  const started = state.events.list.filter(
    (entry) => !('note' in entry) && entry.type === 'child.exited' && entry.worker === worker.name,
  ).length
  const recycled = started === 0 ? '' : `, ${count(started)} ended since this dashboard was opened`
  return [
    ...list,
    titled(`children of ${worker.name}${recycled}`, width - 1),
    ...trouble,
    ...childLines(worker, width, height - listed - 1 - trouble.length),
  ]
}

const columns = (at: number) => [
  { title: 'worker', value: ({ name }: WorkerRecord) => name, spare: 0, least: 14 },
  { title: 'host', value: (worker: WorkerRecord) => worker.process.host.split('/', 1)[0] ?? '', width: 14, spare: 6 },
  {
    title: 'pid',
    value: (worker: WorkerRecord) => String(worker.process.pid),
    side: 'right' as const,
    width: 7,
    spare: 4,
  },
  {
    title: 'status',
    value: statusOf(at),
    width: 9,
    spare: 0,
    tone: (worker: WorkerRecord) =>
      statusOf(at)(worker) === 'online' ? ('succeeded' as const) : ('retrying' as const),
  },
  {
    title: 'busy',
    value: ({ busy, size }: WorkerRecord) => `${busy}/${size}`,
    side: 'right' as const,
    width: 7,
    spare: 0,
  },
  {
    title: 'done',
    value: ({ processed }: WorkerRecord) => count(processed),
    side: 'right' as const,
    width: 10,
    spare: 1,
  },
  {
    title: 'up',
    value: ({ startedAt }: WorkerRecord) => uptime(at - startedAt),
    side: 'right' as const,
    width: 9,
    spare: 2,
  },
  {
    title: 'heard',
    value: ({ heartbeatAt }: WorkerRecord) => distance(heartbeatAt, at),
    side: 'right' as const,
    width: 12,
    spare: 5,
  },
  { title: 'queues', value: ({ queues }: WorkerRecord) => queues?.join(' ') ?? 'all', width: 12, spare: 3 },
]

const statusOf =
  (at: number) =>
  ({ status, heartbeatAt }: WorkerRecord): string =>
    at - heartbeatAt > 15_000 ? 'silent' : status

const childLines = (worker: WorkerRecord, width: number, height: number): Line[] => {
  if (worker.children.length === 0) return [line('  no children yet', 'dim')]
  return table<ChildStatus>(
    [
      { title: 'pid', value: ({ pid }) => String(pid), side: 'right', width: 8, spare: 0 },
      {
        title: 'state',
        value: stateOf,
        width: 12,
        spare: 0,
        tone: ({ state, stuckMs }) => (stuckMs !== null ? 'alert' : state === 'busy' ? 'running' : 'dim'),
      },
      {
        title: 'job',
        value: ({ job, task }) => (job === null ? '' : `#${job} ${visible(task ?? '')}`),
        spare: 0,
        least: 12,
      },
      {
        title: 'since',
        value: ({ job, sinceMs }) => (job === null ? '' : elapsed(sinceMs)),
        side: 'right',
        width: 8,
        spare: 1,
      },
      {
        title: 'in hand',
        value: ({ inFlight }) => (inFlight === 0 ? '' : count(inFlight)),
        side: 'right',
        width: 7,
        spare: 3,
      },
      { title: 'memory', value: ({ rss }) => (rss === null ? '' : bytes(rss)), side: 'right', width: 8, spare: 0 },
      { title: 'done', value: ({ processed }) => count(processed), side: 'right', width: 9, spare: 2 },
    ],
    worker.children,
    { width, height: Math.max(2, height), key: ({ pid }) => pid },
  )
}

const stateOf = ({ state, stuckMs }: ChildStatus): string => (stuckMs === null ? state : `! stuck ${elapsed(stuckMs)}`)
