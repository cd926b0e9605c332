// What each message, and each key at each place, makes of the state: rows of tables. Nothing here has a clock or a broker.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { frame } from '../../cli/dashboard/frame.ts'
import { hereOf } from '../../cli/dashboard/here.ts'
import type { JobPage } from '../../cli/dashboard/job-pages.ts'
import { bindings, briefKeys } from '../../cli/dashboard/keys.ts'
import { textOf } from '../../cli/dashboard/parts/line.ts'
import { emptyQueue, type Picture } from '../../cli/dashboard/picture.ts'
import { reduce } from '../../cli/dashboard/reduce.ts'
import { type Command, initialState, type Message, type State } from '../../cli/dashboard/state.ts'
import type { JobqEvent } from '../../src/event.ts'
import type { Job } from '../../src/job.ts'
import { sampleJob } from '../support/samples.ts'

const at = 1_800_000_000_000

const job = (id: number, more: Partial<Job> = {}): Job =>
  sampleJob({ id, state: 'failed', attempt: 1, createdAt: at, startedAt: at, finishedAt: at, ...more })

const event = (id: number, more: Partial<JobqEvent> = {}): JobqEvent => ({
  ...{ id, at, type: 'job.queued', job: id, task: 'work', queue: 'media', worker: null, attempt: 0, data: {} },
  ...more,
})

const picture: Picture = {
  at,
  cursor: 10,
  queues: [
    { ...emptyQueue('mail'), queued: 1 },
    { ...emptyQueue('media'), queued: 1_190, running: 1 },
  ],
  running: [
    { job: job(7, { state: 'running' }), since: at },
    { job: job(8, { state: 'running' }), since: at },
  ],
  workers: [],
  current: true,
}

const page = (...ids: number[]): JobPage => ({ jobs: ids.map((id) => job(id)), end: false, searchedTo: null })

const look = (more: Partial<Extract<Message, { type: 'look' }>> = {}): Message => ({
  ...{ type: 'look', at, picture, events: [], weight: 1, pruned: null, waits: [] },
  ...more,
})

/** The state after these messages and keys, and the commands of all of them. */
const after = (...steps: readonly (Message | string)[]): { state: State; commands: Command[] } => {
  let state = initialState({ url: 'sqlite:/x.db', inWorker: false, at, columns: 80, rows: 24 })
  const commands: Command[] = []
  for (const step of [look(), ...steps]) {
    const change = reduce(state, typeof step === 'string' ? { type: 'key', key: step, at } : step)
    state = change.state
    commands.push(...change.commands)
  }
  return { state, commands }
}

const jobsPage = (...ids: number[]): Message => ({
  type: 'page',
  at,
  page: page(...ids),
  edge: { at: 'first' },
  search: '',
})

/** A page whose only job can still be cancelled. */
const waitingPage: Message = {
  type: 'page',
  at,
  page: { ...page(9), jobs: [job(9, { state: 'queued', finishedAt: null })] },
  edge: { at: 'first' },
  search: '',
}

/** One queue, which is empty and goes on, and nothing that runs. */
const idle: Picture = { ...picture, queues: [emptyQueue('mail')], running: [] }

describe('places', () => {
  const rows: readonly (readonly [keys: string[], place: State['place']])[] = [
    [[], 'overview'],
    [['2'], 'jobs'],
    [['6'], 'failures'],
    [['tab'], 'jobs'],
    [['tab', 'tab', 'tab', 'tab', 'tab', 'tab'], 'overview'],
    [['shift-tab'], 'failures'],
    [['j', 'enter'], 'job'],
    [['j', 'enter', 'esc'], 'overview'],
    [['j', 'enter', 'tab'], 'jobs'],
    [['3', 'enter'], 'jobs'],
    [['/', 'x', 'enter'], 'jobs'],
    [['?', '2'], 'overview'],
  ]
  for (const [keys, place] of rows) {
    test(`${keys.join(' ') || 'nothing'} leads to ${place}`, () => assert.equal(after(...keys).state.place, place))
  }
})

describe('what keys ask for', () => {
  const failed: Message = {
    ...{ type: 'failures', at, seen: 3 },
    groups: [{ key: 'k', task: 'work', error: 'Error: x', ids: [1, 2, 3], first: at, last: at, example: job(3) }],
  }
  const rows: readonly (readonly [what: string, steps: (Message | string)[], commands: Command[]])[] = [
    ['q quits', ['q'], [{ do: 'quit' }]],
    ['Ctrl-C interrupts, even while something is typed', ['/', 'a', 'ctrl-c'], [{ do: 'interrupt' }]],
    ['r retries the selected job at once', ['2', jobsPage(9, 5), 'j', 'r'], [{ do: 'retry', ids: [5] }]],
    ['n runs it now', ['2', waitingPage, 'n'], [{ do: 'run-now', id: 9 }]],
    ['n at a job that has finished does nothing', ['2', jobsPage(9, 5), 'n'], []],
    ['C at a queue in which nothing waits does nothing', [look({ picture: idle }), '3', 'C', 'y'], []],
    ['C alone does nothing', ['2', waitingPage, 'C'], []],
    ['C and y cancel', ['2', waitingPage, 'C', 'y'], [{ do: 'cancel', id: 9 }]],
    ['C and any other key do not', ['2', waitingPage, 'C', 'Y', 'y'], [{ do: 'copy', text: '9' }]],
    ['C at a queue cancels what waits there', ['3', 'j', 'C', 'y'], [{ do: 'cancel-waiting', queue: 'media' }]],
    ['P asks before it pauses', ['3', 'P'], []],
    ['P and y pause', ['3', 'P', 'y'], [{ do: 'pause', queue: 'mail' }]],
    ['P at a job means its queue', ['2', jobsPage(9), 'P', 'y'], [{ do: 'pause', queue: 'media' }]],
    ['u resumes at once', ['3', 'u'], [{ do: 'resume', queue: 'mail' }]],
    ['R retries a group after a y', ['6', failed, 'R', 'y'], [{ do: 'retry', ids: [1, 2, 3] }]],
    ['o shows the log of an open job', ['j', 'enter', 'o'], [{ do: 'pager', id: 7 }]],
    ['[ goes back ten seconds', ['['], [{ do: 'travel', at: at - 10_000 }]],
    [
      '[ { add up',
      ['[', '{'],
      [
        { do: 'travel', at: at - 10_000 },
        { do: 'travel', at: at - 310_000 },
      ],
    ],
    [
      '] behind the end is now',
      ['[', ']'],
      [
        { do: 'travel', at: at - 10_000 },
        { do: 'travel', at: null },
      ],
    ],
    [
      'Home is now',
      ['{', 'home'],
      [
        { do: 'travel', at: at - 300_000 },
        { do: 'travel', at: null },
      ],
    ],
    [
      'nothing is changed in the past',
      ['2', jobsPage(9), '[', 'r', 'C', 'y'],
      [
        { do: 'travel', at: at - 10_000 },
        { do: 'copy', text: '9' },
      ],
    ],
    ['r without a job does nothing', ['r', '4', 'r', '6', 'R', 'y'], []],
  ]
  for (const [what, steps, commands] of rows) test(what, () => assert.deepEqual(after(...steps).commands, commands))

  test('what is upper case says what it will do', () => {
    assert.equal(after('3', 'j', 'C').state.asking?.question, 'Cancel 1,190 waiting jobs of media?')
    assert.match(after('3', 'j', 'P').state.asking?.question ?? '', /^Pause queue media\? 1,190 waiting jobs stay/)
    assert.match(
      after('2', waitingPage, 'C').state.asking?.question ?? '',
      /^Cancel job 9, which is queued \(work\)\?$/,
    )
  })

  test('C at a job that has finished asks nothing', () => {
    const { asking, notice } = after('2', jobsPage(9), 'C').state
    assert.deepEqual([asking, notice?.text], [null, 'job 9 has ended (failed): there is nothing left to cancel'])
  })

  test('n at one says which key runs it again', () => {
    const { notice } = after('2', jobsPage(9), 'n').state
    assert.equal(notice?.text, 'job 9 has ended (failed): r runs it again')
  })

  test('C at a queue in which nothing waits says so', () => {
    const { notice } = after(look({ picture: idle }), '3', 'C').state
    assert.equal(notice?.text, 'nothing waits in mail: there is nothing to cancel')
  })

  test('in the past, a key that would change something says that it cannot', () => {
    assert.match(after('2', jobsPage(9), '[', 'r').state.notice?.text ?? '', /^this is the past/)
  })
})

describe('lists', () => {
  const selected = (...steps: (Message | string)[]): number | null =>
    after('2', jobsPage(9, 8, 7), ...steps).state.jobs.selected
  test('the first row is selected, keys move the selection and stop at the first', () => {
    assert.equal(selected(), 9)
    assert.equal(selected('j'), 8)
    assert.equal(selected('down', 'down', 'up'), 8)
    assert.equal(selected('k', 'k'), 9)
  })

  test('the selected row stays selected by its id when others come', () => {
    assert.equal(selected('j', jobsPage(12, 11, 9, 8)), 8)
  })

  const edges: readonly (readonly [steps: (Message | string)[], edge: State['jobs']['edge']])[] = [
    [[], { at: 'first' }],
    [['j', 'j', 'j'], { at: 'after', id: 7 }],
    [['pagedown'], { at: 'after', id: 7 }],
    [['G'], { at: 'last' }],
    [['G', { ...jobsPage(3, 2), edge: { at: 'last' } } as Message], { at: 'from', id: 3 }],
    [['G', { ...jobsPage(3, 2), edge: { at: 'last' } } as Message, 'pageup'], { at: 'before', id: 3 }],
    [['G', { ...jobsPage(3, 2), edge: { at: 'last' } } as Message, 'g'], { at: 'first' }],
    [['s'], { at: 'first' }],
  ]
  for (const [steps, edge] of edges) {
    const keys = steps.map((step) => (typeof step === 'string' ? step : step.type)).join(' ')
    test(`${keys || 'opening'} wants the page ${JSON.stringify(edge)}`, () => {
      assert.deepEqual(after('2', jobsPage(9, 8, 7), ...steps).state.jobs.edge, edge)
    })
  }

  test('a page of another search is no news', () => {
    const { state } = after('2', '/', 'a', 'enter', jobsPage(9))
    assert.equal(state.jobs.search, 'a')
    assert.equal(state.jobs.page, null)
  })

  test('behind the last page the last one stays', () => {
    const { state } = after('2', jobsPage(9, 8), 'pagedown', { ...jobsPage(), edge: { at: 'after', id: 8 } } as Message)
    assert.deepEqual(
      state.jobs.page?.jobs.map(({ id }) => id),
      [9, 8],
    )
    assert.equal(state.jobs.page?.end, true)
  })
})

describe('typing', () => {
  const typed = (...keys: string[]): State => after('2', ...keys).state
  test('a search is read at Enter, changed with Backspace, left with Esc', () => {
    assert.equal(typed('/', 'a', 'b', 'backspace').typing, 'a')
    assert.equal(typed('/', 'a', 'esc').typing, null)
    assert.equal(typed('/', 'q', 'enter').jobs.search, 'q')
    assert.equal(typed('/', 'q', 'enter', 'esc').jobs.search, '')
    assert.equal(typed('/', 'backspace').typing, null)
    assert.equal(typed('/', 'up', 'ctrl-u', 'ü').typing, 'ü')
  })
})

describe('events', () => {
  test('come behind those from before, each once', () => {
    const history: Message = { type: 'history', at, series: [], since: at, events: [event(1), event(2), event(3)] }
    const { state } = after(look({ events: [event(3), event(4)] }), history)
    assert.deepEqual(
      state.events.list.map(({ id }) => id),
      [1, 2, 3, 4],
    )
  })

  test('are held still while somebody reads them, and go on after Esc', () => {
    const more = look({ events: [event(6)] })
    const reading = after('5', look({ events: [event(4), event(5)] }), 'k', more)
    assert.deepEqual(
      reading.state.events.held?.map(({ id }) => id),
      [4, 5],
    )
    assert.equal(reading.state.events.selected, 4)
    assert.equal(after('5', ' ', more, 'esc').state.events.held, null)
  })

  test('are no more than can be kept', () => {
    const { state } = after(look({ events: Array.from({ length: 3_000 }, (_, n) => event(n + 1)) }))
    assert.equal(state.events.list.length, 2_000)
    assert.equal(state.events.list.at(-1)?.id, 3_000)
  })

  test('that were pruned are told', () => {
    const { state } = after(look({ pruned: { type: 'events.pruned', from: 5, to: 9 } }))
    assert.equal(state.notice?.text, 'events 5 to 9 were pruned')
  })
})

describe('a broker that is away', () => {
  test('is told with the time since, until it is back; what was known stays', () => {
    const lost: Message = { type: 'lost', at: at + 5, retryAt: at + 1_005, reason: 'busy' }
    const { state } = after(lost, { ...lost, at: at + 2_000, retryAt: at + 4_000 })
    assert.deepEqual(state.lost, { since: at + 5, retryAt: at + 4_000, reason: 'busy' })
    assert.equal(state.picture, picture)
    assert.equal(after(lost, look()).state.lost, null)
  })
})

describe('the bottom line', () => {
  const paused = { ...picture, queues: [{ ...emptyQueue('media'), queued: 1, paused: true }] }
  const runs: Message = { ...waitingPage, page: { ...page(9), jobs: [job(9, { state: 'running' })] } }
  const rows: readonly (readonly [what: string, steps: (Message | string)[], named: string, not: string])[] = [
    ['at a job that has ended', ['2', jobsPage(9)], 'r y P', 'n C u Esc'],
    ['at a job that waits', ['2', waitingPage], 'n C P', 'r u'],
    ['at a job that runs', ['2', runs], 'C P', 'r n'],
    ['at a job of a paused queue', [look({ picture: paused }), '2', waitingPage], 'u', 'P'],
    ['where there are no jobs', ['2', jobsPage()], '/', '⏎ r n C P u y'],
    ['of the Overview before a job is selected', [], '/ [', '⏎ r C P u'],
    ['of the Overview at a job that runs', ['j'], '⏎ C P', 'r u'],
    ['at a queue in which jobs wait', ['3'], '⏎ C P', 'u Esc'],
    ['at an empty queue', [look({ picture: idle }), '3'], 'P', 'C u'],
    ['at a search', ['2', '/', 'x', 'enter'], 'Esc', ''],
    ['of the past', ['2', jobsPage(9), '['], 'Home y', 'r n C P'],
  ]
  for (const [what, steps, named, not] of rows) {
    test(`${what} names what can be done there`, () => {
      const keys = briefKeys(hereOf(after(...steps).state)).flatMap((brief) => brief.split(' ').slice(0, -1))
      for (const key of named.split(' ')) assert.ok(keys.includes(key), `${key} is not in ${keys}`)
      for (const key of not.split(' ')) assert.ok(!keys.includes(key), `${key} is in ${keys}`)
    })
  }

  test('shows a question whole at the widths that terminals have, and what else can be typed where there is room', () => {
    const footerOf = (columns: number, ...steps: string[]): string => {
      const { state } = after({ type: 'size', at, columns, rows: 30 }, ...steps)
      return textOf(frame(state).at(-1) ?? [])
    }
    for (const columns of [80, 100, 200]) {
      const question = 'Pause queue media? 1,190 waiting jobs stay until it is resumed.'
      assert.match(footerOf(columns, '3', 'j', 'P'), new RegExp(`^ ${question.replaceAll('?', '\\?')} .*type y`))
    }
    assert.match(footerOf(120, '3', 'j', 'P'), /resumed\. +type y, or any other key to leave it $/)
    assert.match(footerOf(60, '3', 'j', 'P'), /^ Pause queue media\? 1,190 waiting jobs stay.*… {2}type y $/)
  })
})

describe('the table of keys', () => {
  test('gives a key one meaning at a place', () => {
    for (const place of ['overview', 'jobs', 'job', 'queues', 'workers', 'events', 'failures'] as const) {
      for (const past of [false, true]) {
        const here = bindings.filter(
          (binding) =>
            (binding.places?.includes(place) ?? true) && (binding.past === undefined || binding.past === past),
        )
        const keys = here.flatMap((binding) => binding.keys).filter((key) => key !== 'home')
        assert.equal(
          new Set(keys).size,
          keys.length,
          `${place}: ${keys.filter((key, index) => keys.indexOf(key) !== index)}`,
        )
      }
    }
  })

  test('has nothing in lower case that destroys, and asks for all that is upper case but G', () => {
    const asking = bindings.filter(({ does }) => does.includes('(asks)')).flatMap(({ keys }) => keys)
    assert.deepEqual(asking, ['R', 'C', 'P'])
    const upper = bindings.flatMap(({ keys }) => keys).filter((key) => /^[A-Z]$/.test(key))
    assert.deepEqual(upper.sort(), ['C', 'G', 'P', 'R'])
  })
})
