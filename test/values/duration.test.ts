import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { formatDuration, maxDurationMs, parseDuration } from '../../src/duration.ts'
import { refusesWithUsage, usageOrNumber } from './refuses.ts'

const table: readonly (readonly [string | number, number])[] = [
  ['90', 90_000],
  ['0', 0],
  ['0.5', 500],
  ['500ms', 500],
  ['1.5s', 1_500],
  ['5m', 300_000],
  ['2h', 7_200_000],
  ['1d', 86_400_000],
  ['2w', 1_209_600_000],
  ['1h30m', 5_400_000],
  ['1d2h3m4s5ms', 93_784_005],
  ['5m500ms', 300_500],
  ['PT5M', 300_000],
  ['PT1.5S', 1_500],
  ['P1D', 86_400_000],
  ['P1W', 604_800_000],
  ['P1DT2H3M4S', 93_784_000],
  [1_500, 1_500],
  [0, 0],
]

describe('parseDuration', () => {
  for (const [text, ms] of table) it(`reads ${text}`, () => assert.equal(parseDuration(text), ms))

  const refused = [
    '',
    ' ',
    '5 m',
    '-5',
    '-1s',
    '+1',
    '1e3',
    'NaN',
    'Infinity',
    '0x10',
    '5x',
    'm',
    '1m1h',
    '1s1s',
    'P',
    'PT',
    'P1DT',
    'P1M',
    'P1Y',
    'pt5m',
    '1.',
    '.5',
    '١',
    '5\n',
    '9'.repeat(40),
    `${'1'.repeat(70)}s`,
    NaN,
    -1,
    Infinity,
    5e15,
  ]
  for (const text of refused)
    it(`refuses ${JSON.stringify(text)}`, () => refusesWithUsage(() => parseDuration(text), text))

  it('gives a finite number or a usage error for any input', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'0123456789.smhdwPTHMS-') }), fc.double()),
        (value) => usageOrNumber(() => parseDuration(value)),
      ),
    )
  })

  it('reads back what formatDuration writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: maxDurationMs }), (ms) =>
        assert.equal(parseDuration(formatDuration(ms)), ms),
      ),
    )
  })
})

describe('formatDuration', () => {
  const shown: readonly (readonly [number, string])[] = [
    [0, '0ms'],
    [20, '20ms'],
    [1_500, '1.5s'],
    [60_000, '1m'],
    [90_000_000, '1d1h'],
    [3_600_001, '1h0.001s'],
  ]
  for (const [ms, text] of shown) it(`writes ${text}`, () => assert.equal(formatDuration(ms), text))
})
