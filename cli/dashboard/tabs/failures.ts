/** The Failures tab: failed jobs by task and error, what failed last first. */

import { visible, visibleLines } from '../../visible.ts'
import type { FailureGroup } from '../failures.ts'
import { count, distance } from '../parts/figures.ts'
import { titled } from '../parts/graph.ts'
import { type Line, line } from '../parts/line.ts'
import { table, wrap } from '../parts/table.ts'
import { countsOf } from '../picture.ts'
import { type State, shownAt, shownPicture } from '../state.ts'
import { jobLine, type Room } from './view.ts'

/** The lines of the Failures tab. */
export const failures = (state: State, { width, height }: Room): Line[] => {
  const { groups, selected, seen } = state.failures
  if (groups === null) return []
  const picture = shownPicture(state)
  const total = picture === null ? seen : countsOf(picture).failed
  if (groups.length === 0)
    return [line(''), line(state.past === null ? '  nothing has failed' : '  nothing had failed', 'dim')]
  const at = shownAt(state)
  const rest = seen < total ? ` (of ${count(total)}, the newest ${count(seen)} are shown)` : ''
  const listed = Math.max(3, Math.min(groups.length + 1, Math.floor((height - 2) * 0.6)))
  const list = table<FailureGroup>(
    [
      {
        title: 'count',
        value: ({ ids }) => count(ids.length),
        side: 'right',
        width: 7,
        spare: 0,
        tone: () => 'failed',
      },
      { title: 'task', value: ({ task }) => task, width: Math.max(12, Math.min(24, Math.floor(width / 5))), spare: 1 },
      { title: 'error', value: ({ error }) => visible(error), spare: 0, least: 20 },
      { title: 'first', value: ({ first }) => distance(first, at), side: 'right', width: 9, spare: 3 },
      { title: 'last', value: ({ last }) => distance(last, at), side: 'right', width: 9, spare: 2 },
    ],
    groups,
    { width, height: listed, key: ({ key }) => key, selected },
  )
  const group = groups.find(({ key }) => key === selected) ?? groups[0]
  const below = height - list.length - 1 - (rest === '' ? 0 : 1)
  const example = group === undefined ? [] : exampleLines(group, width).slice(0, Math.max(0, below))
  return [...list, ...(rest === '' ? [] : [line(`  ${rest.trim()}`, 'dim')]), ...example]
}

const exampleLines = ({ example }: FailureGroup, width: number): Line[] => {
  const { id, error } = example
  const text = error === null ? `exit code ${example.exitCode}` : (error.stack ?? `${error.type}: ${error.message}`)
  return [
    titled(`for example job ${id}`, width - 1),
    line(`  ${jobLine(example)}`),
    ...wrap(visibleLines(text), width - 4).map((row) => line(`  ${row}`, 'dim')),
  ]
}
