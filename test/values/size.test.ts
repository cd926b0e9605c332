import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { formatSize, parseSize } from '../../src/size.ts'
import { refusesWithUsage, usageOrNumber } from './refuses.ts'

const table: readonly (readonly [string | number, number])[] = [
  ['0', 0],
  ['4096', 4096],
  ['512B', 512],
  ['64k', 65_536],
  ['64K', 65_536],
  ['64KiB', 65_536],
  ['64kb', 65_536],
  ['256M', 268_435_456],
  ['1.5M', 1_572_864],
  ['1G', 1_073_741_824],
  ['2T', 2_199_023_255_552],
  [10, 10],
]

describe('parseSize', () => {
  for (const [text, bytes] of table) it(`reads ${text}`, () => assert.equal(parseSize(text), bytes))
  for (const text of ['', 'M', '-1', '1 M', '1X', '1e3', 'NaN', 'Infinity', '9999999999T', '1MM', NaN, -1, Infinity]) {
    it(`refuses ${JSON.stringify(text)}`, () => refusesWithUsage(() => parseSize(text), text))
  }
  it('gives a finite number or a usage error for any input', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'0123456789.kMGTiB-') }), fc.double()),
        (value) => usageOrNumber(() => parseSize(value)),
      ),
    )
  })
})

describe('formatSize', () => {
  const shown: readonly (readonly [number, string])[] = [
    [0, '0'],
    [512, '512'],
    [65_536, '64k'],
    [1_572_864, '1.5M'],
    [1_048_576, '1M'],
    [10 * 1024 ** 3, '10G'],
  ]
  for (const [bytes, text] of shown) it(`writes ${text}`, () => assert.equal(formatSize(bytes), text))
})
