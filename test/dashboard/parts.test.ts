import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { alertsOf } from '../../cli/dashboard/alerts.ts'
import { moveJobs } from '../../cli/dashboard/feed.ts'
import { type KeyFacts, keysOf } from '../../cli/dashboard/key-names.ts'
import { count, distance, duration, elapsed, rate, short, uptime } from '../../cli/dashboard/parts/figures.ts'
import { bar, graph } from '../../cli/dashboard/parts/graph.ts'
import { cut, fit, lineWidth, pad, span, textOf } from '../../cli/dashboard/parts/line.ts'
import { wrap } from '../../cli/dashboard/parts/table.ts'
import { emptyQueue } from '../../cli/dashboard/picture.ts'
import { parseQuery } from '../../cli/dashboard/query.ts'
import { addEvents, addWaits, recent, type Series } from '../../cli/dashboard/series.ts'
import { terminalAbility } from '../../cli/dashboard/terminal-ability.ts'
import type { WorkerRecord } from '../../src/broker/broker.ts'
import type { JobqEvent } from '../../src/event.ts'

const at = 1_800_000_000_000

const none: KeyFacts = {
  ...{
    upArrow: false,
    downArrow: false,
    leftArrow: false,
    rightArrow: false,
    pageUp: false,
    pageDown: false,
    home: false,
  },
  ...{
    end: false,
    return: false,
    escape: false,
    tab: false,
    shift: false,
    backspace: false,
    delete: false,
    ctrl: false,
    meta: false,
  },
}

describe('keysOf', () => {
  const rows: readonly (readonly [input: string, facts: Partial<KeyFacts>, keys: string[]])[] = [
    ['j', {}, ['j']],
    ['jjq', {}, ['j', 'j', 'q']],
    ['a\rb\t', {}, ['a', 'enter', 'b', 'tab']],
    ['ü€😀', {}, ['ü', '€', '😀']],
    ['', { downArrow: true }, ['down']],
    ['', { tab: true, shift: true }, ['shift-tab']],
    ['c', { ctrl: true }, ['ctrl-c']],
    ['', { escape: true }, ['esc']],
    ['3', { meta: true }, ['esc', '3']],
    ['', { delete: true }, ['backspace']],
  ]
  for (const [input, facts, keys] of rows) {
    test(JSON.stringify([input, facts]), () => assert.deepEqual(keysOf(input, { ...none, ...facts }), keys))
  }
})

describe('parseQuery', () => {
  const empty = { states: [], queue: null, task: null, tag: null, id: null, words: [] }
  const rows: readonly (readonly [text: string, found: object])[] = [
    ['', {}],
    ['failed', { states: ['failed'] }],
    ['state:failed cancelled', { states: ['failed', 'cancelled'] }],
    ['waiting', { states: ['queued', 'blocked'] }],
    ['queue:media task:mail/send tag:night', { queue: 'media', task: 'mail/send', tag: 'night' }],
    ['#4711', { id: 4711 }],
    ['4711', { id: 4711 }],
    ['Error: No space', { words: ['error:', 'no', 'space'] }],
  ]
  for (const [text, found] of rows) test(`'${text}'`, () => assert.deepEqual(parseQuery(text), { ...empty, ...found }))
})

describe('figures', () => {
  const rows: readonly (readonly [shown: string, expected: string])[] = [
    [count(1_284_310), '1,284,310'],
    [short(9_999), '9,999'],
    [short(12_400), '12.4k'],
    [short(1_284_310), '1.3M'],
    [rate(0), '0/s'],
    [rate(0.05), '0.05/s'],
    [rate(3.24), '3.2/s'],
    [rate(240.4), '240/s'],
    [duration(12), '12 ms'],
    [duration(1_940), '1.9 s'],
    [duration(252_000), '4m 12s'],
    [duration(11_100_000), '3h 05m'],
    [duration(360_000_000), '4d 4h'],
    [elapsed(41_900), '0:41'],
    [elapsed(11_049_000), '3h 04m'],
    [uptime(59_000), '0m'],
    [uptime(90_000_000), '1d 1h'],
    [distance(at - 300, at), 'now'],
    [distance(at - 12_900, at), '12 s ago'],
    [distance(at + 7_300_000, at), 'in 2h'],
    [bar(0.62, 10), '██████▎   '],
    [bar(2, 3), '███'],
  ]
  for (const [shown, expected] of rows) test(expected, () => assert.equal(shown, expected))
})

describe('lines', () => {
  test('are as wide as they are said to be, whatever they hold', () => {
    const rows = ['plain', 'wide 漢字漢字', '😀😀😀', 'e\u0301e\u0301e\u0301', '▂▃▅ ● ◀']
    for (const text of rows) {
      for (const width of [1, 4, 7, 30]) {
        assert.equal(lineWidth([span(pad(text, width))]), width, `${text} in ${width}`)
        assert.equal(lineWidth(fit([span(text), span('more', 'dim')], width)), width)
      }
    }
    assert.equal(cut('resize', 4), 'res…')
    assert.deepEqual(wrap('one two three', 8), ['one two', 'three'])
    assert.deepEqual(wrap('abcdefghij', 4), ['abcd', 'efgh', 'ij'])
  })

  test('of a graph show what is there, however small', () => {
    const lines = graph({ values: [0, 1, 50, 100, null], width: 14, height: 3, least: 1, label: String }).map(textOf)
    assert.deepEqual(lines, ['    100 ┤   █ ', '        ┤ ▁██ ', '      0 ┼─────'])
  })
})

const event = (type: JobqEvent['type'], more: Partial<JobqEvent> = {}): JobqEvent => ({
  ...{ id: 1, at, type, job: 1, task: 't', queue: 'q', worker: null, attempt: 1, data: {} },
  ...more,
})

describe('series', () => {
  test('counts ends by queue and keeps durations', () => {
    let series: Series = addEvents(
      [],
      [event('job.succeeded', { data: { runtimeMs: 30 } }), event('job.failed'), event('job.started')],
    )
    series = addEvents(series, [event('job.succeeded', { queue: 'p' })], 10)
    series = addWaits(series, [{ at, waitedMs: 70 }])
    const now = recent(series, at + 9_000, at - 60_000)
    assert.equal(Math.round(now.perSecond * 60), 12)
    assert.equal(Math.round(now.failuresPerSecond * 60), 1)
    assert.equal(now.waitMs.p95, 70)
    assert.equal(now.runMs.p50, 30)
    assert.deepEqual(Object.keys(now.perSecondByQueue), ['q', 'p'])
    assert.equal(recent(series, at + 120_000, 0).perSecond, 0)
  })

  test('stays small however long it goes on', () => {
    let series: Series = []
    for (let second = 0; second < 5_000; second++)
      series = addEvents(series, [event('job.succeeded', { at: at + second * 1_000 })])
    assert.equal(series.length, 240)
  })
})

describe('moveJobs', () => {
  test('moves jobs between states as events tell, and leaves open what they do not', () => {
    const before = [{ ...emptyQueue('q'), queued: 3, running: 1 }]
    const events = [
      event('job.queued'),
      event('job.started'),
      event('job.succeeded', { data: { runtimeMs: 1 } }),
      event('job.cancelled'),
    ]
    const [after] = moveJobs(before, events, 1)
    assert.deepEqual(
      { queued: after?.queued, running: after?.running, succeeded: after?.succeeded, cancelled: after?.cancelled },
      { queued: 3, running: 1, succeeded: 1, cancelled: 0 },
    )
    assert.deepEqual(before, [{ ...emptyQueue('q'), queued: 3, running: 1 }])
  })
})

describe('alerts', () => {
  const worker: WorkerRecord = {
    ...{ name: 'web-1', process: { host: 'h', pid: 1, boot: 'b', startTime: null }, queues: null, session: 1 },
    ...{ startedAt: at, heartbeatAt: at, status: 'online', size: 2, busy: 2, processed: 0, children: [] },
  }
  const waiting = { ...emptyQueue('media'), queued: 1_190, oldestWaitingMs: 252_000 }
  const calm = { at, queues: [], workers: [worker], failuresPerSecond: 0, usualFailuresPerSecond: null }
  const rows: readonly (readonly [watched: Partial<Parameters<typeof alertsOf>[0]>, texts: string[]])[] = [
    [{}, []],
    [{ queues: [waiting] }, ['media: oldest job waits 4m, all children are busy']],
    [{ queues: [{ ...waiting, paused: true }] }, ['media: paused, 1,190 waiting']],
    [{ queues: [{ ...waiting, scheduled: 1_190 }] }, []],
    [{ queues: [waiting], workers: [{ ...worker, queues: ['mail'] }] }, ['media: no worker serves it, 1,190 waiting']],
    [{ queues: [waiting], workers: [] }, ["no worker is running, 1,190 jobs wait: start one with 'jobq run'"]],
    [{ workers: [{ ...worker, heartbeatAt: at - 22_000 }] }, ['worker web-1: silent for 22 s']],
    [{ workers: [{ ...worker, trouble: 'no such file' }] }, ['worker web-1: children do not start: no such file']],
    [{ failuresPerSecond: 0.5, usualFailuresPerSecond: 0.1 }, ['failures: 30 a minute, 6 an hour ago']],
    [{ failuresPerSecond: 0.01, usualFailuresPerSecond: 0 }, []],
  ]
  for (const [watched, texts] of rows) {
    test(texts.join(', ') || `nothing for ${JSON.stringify(Object.keys(watched))}`, () => {
      assert.deepEqual(
        alertsOf({ ...calm, ...watched }).map(({ text }) => text),
        texts,
      )
    })
  }
})

describe('terminalAbility', () => {
  const rows: readonly (readonly [
    environment: Record<string, string>,
    color: 'auto' | 'always' | 'never',
    able: string,
  ])[] = [
    [{ LANG: 'C.UTF-8', TERM: 'xterm' }, 'auto', 'color weight unicode'],
    [{ LANG: 'C', TERM: 'xterm' }, 'auto', 'color weight'],
    [{ LANG: 'C.UTF-8', LC_ALL: 'C', TERM: 'xterm' }, 'auto', 'color weight'],
    [{ LANG: 'C.UTF-8', TERM: 'xterm', NO_COLOR: '1' }, 'auto', 'weight unicode'],
    [{ LANG: 'C.UTF-8', TERM: 'xterm', NO_COLOR: '1' }, 'always', 'color weight unicode'],
    [{ LANG: 'de_DE.utf8', TERM: 'dumb' }, 'auto', 'unicode'],
    [{ LANG: 'C.UTF-8', TERM: 'xterm' }, 'never', 'unicode'],
  ]
  for (const [environment, color, able] of rows) {
    test(JSON.stringify([environment, color]), () => {
      const found = terminalAbility(environment, color)
      assert.equal((['color', 'weight', 'unicode'] as const).filter((name) => found[name]).join(' '), able)
    })
  }
})
