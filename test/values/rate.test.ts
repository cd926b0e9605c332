import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { formatRate, parseRate, type Rate } from '../../src/rate.ts'
import { refusesWithUsage } from './refuses.ts'

const table: readonly (readonly [text: string, rate: Rate | null])[] = [
  ['10/s', { count: 10, perMs: 1_000 }],
  ['100/m', { count: 100, perMs: 60_000 }],
  ['5000/h', { count: 5_000, perMs: 3_600_000 }],
  ['2/d', { count: 2, perMs: 86_400_000 }],
  ['1000000000/s', { count: 1_000_000_000, perMs: 1_000 }],
  ['none', null],
]

describe('a rate', () => {
  for (const [text, rate] of table) {
    test(text, () => {
      assert.deepEqual(parseRate(text), rate)
      assert.equal(formatRate(rate), text)
    })
  }

  for (const text of [
    '',
    '10',
    '0/s',
    '-1/s',
    '1.5/s',
    '10/w',
    '10/ms',
    '10 / s',
    '10/S',
    '/s',
    'None',
    '1e3/s',
    '1000000001/s',
  ]) {
    test(`not ${JSON.stringify(text)}`, () => refusesWithUsage(() => parseRate(text), text))
  }
})
