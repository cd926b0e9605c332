/** The whole screen as lines: where one is, what there is, which keys work. Exactly as many lines as the screen has. */

import { visible } from '../visible.ts'
import { hereOf } from './here.ts'
import { briefKeys, tabs } from './keys.ts'
import { clockTime, count, moment, uptime } from './parts/figures.ts'
import { cut, fit, type Line, line, lineWidth, type Span, span, spread, widthOf } from './parts/line.ts'
import { bodyRows, type State, shownPicture } from './state.ts'
import { events } from './tabs/events.ts'
import { failures } from './tabs/failures.ts'
import { help } from './tabs/help.ts'
import { job } from './tabs/job.ts'
import { jobs } from './tabs/jobs.ts'
import { overview } from './tabs/overview.ts'
import { queues } from './tabs/queues.ts'
import type { Room } from './tabs/view.ts'
import { workers } from './tabs/workers.ts'

/** The smallest screen on which everything can be used. */
export const leastColumns = 60
/** As `leastColumns`. */
export const leastRows = 16

const parts: Readonly<Record<State['place'], (state: State, room: Room) => Line[]>> = {
  overview,
  jobs,
  job,
  queues,
  workers,
  events,
  failures,
}

/** The lines of the screen. */
export const frame = (state: State): Line[] => {
  const { columns, rows } = state
  if (columns < leastColumns || rows < leastRows) return tooSmall(columns, rows)
  const room = { width: columns, height: bodyRows(state) }
  const rule = line('─'.repeat(columns), 'dim')
  const shown =
    state.help !== null
      ? help(room, state.help)
      : shownPicture(state) === null
        ? reading(state)
        : parts[state.place](state, room)
  const body = [...shown, ...Array<Line>(room.height).fill([])].slice(0, room.height)
  const head = rows < 20 ? [header(state), tabLine(state), rule] : [header(state), rule, tabLine(state), rule]
  return [...head, ...body, rule, footer(state)].map((each) => fit(each, columns))
}

/** The frame as it is printed: without what only makes sense on a screen, and without empty lines at its end. */
export const snapshot = (state: State): Line[] => {
  const lines = frame(state).slice(0, -2)
  const last = lines.findLastIndex((each) => each.some(({ text }) => text.trim() !== ''))
  return lines.slice(0, last + 1)
}

const tooSmall = (columns: number, rows: number): Line[] =>
  Array.from({ length: rows }, (_, row) =>
    fit(
      row === Math.floor(rows / 2)
        ? line(cut(`make the window at least ${leastColumns}×${leastRows}`.replace('×', 'x'), columns))
        : [],
      columns,
    ),
  )

const header = (state: State): Line => {
  const { columns, past } = state
  const picture = shownPicture(state)
  const workers = picture?.workers ?? []
  const since = Math.min(...workers.map(({ startedAt }) => startedAt))
  const up = workers.length === 0 ? '' : ` · up ${uptime((past?.at ?? state.at) - since)}`
  const said =
    workers.length === 0 ? 'no worker' : `${count(workers.length)} ${workers.length === 1 ? 'worker' : 'workers'}`
  const tail = picture === null ? '' : ` · ${said}${up}`
  const right = [span(`${clockTime(state.at)}  `, 'dim'), ...standing(state), span(' ')]
  const room = columns - lineWidth(right) - widthOf(tail) - 8
  const where = cutFront(visible(state.url.replace(/^sqlite:/, '')), room)
  return spread([span(' jobq  ', 'strong'), span(where), span(tail, 'dim')], right, columns)
}

const standing = ({ past, lost, at }: State): Span[] => {
  if (past !== null) return [span(`◀ ${moment(past.at, at)}`, 'past')]
  return lost === null ? [span('● live', 'succeeded')] : [span('○ lost', 'failed')]
}

/** A path whose beginning says less than its end. */
const cutFront = (text: string, width: number): string =>
  widthOf(text) <= width ? text : `…${text.slice(-Math.max(1, width - 1))}`

const tabLine = (state: State): Line => {
  const here = state.place === 'job' ? state.from : state.place
  const wide = state.columns >= 76
  const names = tabs.map((tab, index) => {
    const name = `${tab[0]?.toUpperCase()}${tab.slice(1)}`
    return span(wide ? ` ${index + 1} ${name} ` : `${index + 1} ${name}`, tab === here ? 'selected' : 'plain')
  })
  const gap = wide ? '' : ' '
  const opened =
    state.place === 'job' && state.job !== null ? [span(`  › job ${state.job.id}`.replace('›', '→'), 'strong')] : []
  return spread(
    [span(' '), ...names.flatMap((name) => [name, span(gap)]), ...opened],
    state.columns >= helpColumns ? line('? help ', 'dim') : [],
    state.columns,
  )
}

const reading = ({ lost, past }: State): Line[] => {
  if (past !== null)
    return [line(''), line(`  reading the log back… ${Math.round((past.reading ?? 0) * 100)} %`, 'dim')]
  return lost === null ? [line(''), line('  reading…', 'dim')] : []
}

const noticeMs = 6_000
/** From this width on the help is named beside the tabs, else among the keys. */
const helpColumns = 66

/** A question is read to its end before it is answered: what else can be typed is only said where there is room. */
const question = (text: string, columns: number): Line => {
  const answers = ['  type y, or any other key to leave it ', '  type y ']
  const answer = answers.find((each) => widthOf(text) + 1 + widthOf(each) <= columns) ?? '  type y '
  return spread([span(` ${cut(text, columns - 1 - widthOf(answer))}`, 'alert')], line(answer, 'strong'), columns)
}

const footer = (state: State): Line => {
  const { asking, typing, notice, lost, past, at, columns, help: helping } = state
  if (asking !== null) return question(visible(asking.question), columns)
  if (typing !== null)
    return [
      span(state.place === 'events' ? ' filter the events: ' : ' filter the jobs: ', 'strong'),
      span(visible(typing)),
      span('█'),
      span(typing === '' ? '   failed  queue:media  task:mail/send  tag:night  4711' : '', 'dim'),
    ]
  if (notice !== null && at - notice.at < noticeMs)
    return [span(` ${visible(notice.text)}`, notice.good ? 'succeeded' : 'failed')]
  if (lost !== null) {
    const wait = Math.max(0, Math.ceil((lost.retryAt - at) / 1_000))
    // The header says which file it is.
    const file = state.url.replace(/^sqlite:/, '')
    const reason = visible(lost.reason.replace(`${file}: `, '').replaceAll(file, 'the queue file'))
    return [span(` broker away since ${clockTime(lost.since)}, trying again in ${wait} s: ${reason}`, 'failed')]
  }
  if (past?.reading != null)
    return [span(` reading the log back to ${clockTime(past.at)}… ${Math.round(past.reading * 100)} %`, 'retrying')]
  if (helping !== null) return line(' ↑↓ scroll, any other key goes back', 'dim')
  const keys = briefKeys(hereOf(state))
  // The last of them tells how to get out; what does not fit is left out before it.
  const [quit = '', ...others] = keys.toReversed()
  const kept = others.reverse()
  const room = columns - (past === null ? 3 : 13)
  const last = columns < helpColumns ? ['? help', quit] : [quit]
  while (kept.length > 0 && widthOf([...kept, ...last].join('  ')) > room) kept.pop()
  const shown = [...kept, ...last].flatMap((key) => {
    const [name = '', ...words] = key.split(' ')
    return [span(name, 'strong'), span(` ${words.join(' ')}  `, 'dim')]
  })
  return [span(' '), ...(past === null ? [] : [span(' the past ', 'past'), span(' ')]), ...shown]
}
