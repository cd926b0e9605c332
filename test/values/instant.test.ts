import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseInstant, parseSince } from '../../src/instant.ts'
import { refusesWithUsage, usageOrNumber } from './refuses.ts'

const berlin = 'Europe/Berlin'
const now = Date.parse('2026-03-28T12:00:00Z')

const table: readonly (readonly [text: string, zone: string, expected: string])[] = [
  ['2026-01-01T10:00:00Z', 'UTC', '2026-01-01T10:00:00.000Z'],
  ['2026-01-01t10:00:00z', 'UTC', '2026-01-01T10:00:00.000Z'],
  ['2026-01-01T10:00:00.1239Z', 'UTC', '2026-01-01T10:00:00.123Z'],
  ['2026-01-01T10:00:00+05:30', 'UTC', '2026-01-01T04:30:00.000Z'],
  ['2026-01-01T10:00:00-08:00', 'UTC', '2026-01-01T18:00:00.000Z'],
  ['2026-01-01 10:00', berlin, '2026-01-01T09:00:00.000Z'],
  ['2026-07-01', berlin, '2026-06-30T22:00:00.000Z'],
  ['2024-02-29', 'UTC', '2024-02-29T00:00:00.000Z'],
  ['14:00', berlin, '2026-03-28T13:00:00.000Z'],
  ['13:00', berlin, '2026-03-29T11:00:00.000Z'],
  ['12:59:59', berlin, '2026-03-29T10:59:59.000Z'],
  ['today 03:00', berlin, '2026-03-28T02:00:00.000Z'],
  ['tomorrow 03:00', berlin, '2026-03-29T01:00:00.000Z'],
  ['tomorrow 23:59', 'Pacific/Kiritimati', '2026-03-30T09:59:00.000Z'],
  ['@1893484800', 'UTC', '2030-01-01T08:00:00.000Z'],
  ['@1.5', 'UTC', '1970-01-01T00:00:01.500Z'],
  ['now', 'UTC', '2026-03-28T12:00:00.000Z'],
  // The clock jumps from 02:00 to 03:00: a skipped time is taken as much later as the gap is long.
  ['tomorrow 02:30', berlin, '2026-03-29T01:30:00.000Z'],
  ['2026-03-29 02:30', berlin, '2026-03-29T01:30:00.000Z'],
  // The clock goes back from 03:00 to 02:00: a repeated time is taken the first time.
  ['2026-10-25 02:30', berlin, '2026-10-25T00:30:00.000Z'],
  ['2026-11-01 01:30', 'America/New_York', '2026-11-01T05:30:00.000Z'],
  ['2026-04-05 01:45', 'Australia/Lord_Howe', '2026-04-04T14:45:00.000Z'],
]

describe('parseInstant', () => {
  for (const [text, zone, expected] of table) {
    it(`reads ${text} in ${zone}`, () => assert.equal(new Date(parseInstant(text, now, zone)).toISOString(), expected))
  }
  it("means the machine's zone where none is given", () => {
    assert.equal(parseInstant('2026-07-01 10:00', now), new Date(2026, 6, 1, 10).getTime())
    const expected = new Date(now)
    expected.setDate(expected.getDate() + 1)
    expected.setHours(3, 0, 0, 0)
    assert.equal(parseInstant('tomorrow 03:00', now), expected.getTime())
  })
  const refused = [
    '',
    'later',
    '2026-02-30',
    '2025-02-29',
    '2026-13-01',
    '2026-00-01',
    '2026-01-01T24:00:00Z',
    '2026-01-01T10:60:00Z',
    '2026-01-01T10:00:60Z',
    '2026-01-01T10:00:00+25:00',
    '24:00',
    '8:00',
    '-08:00',
    '@',
    '@-5',
    '@1e3',
    '@NaN',
    '@9999999999999999',
    '5m',
    'yesterday 03:00',
    `2026-01-01T10:00:00.${'1'.repeat(50)}Z`,
  ]
  for (const text of refused) it(`refuses ${text}`, () => refusesWithUsage(() => parseInstant(text, now, 'UTC'), text))
  it('refuses an unknown zone', () => refusesWithUsage(() => parseInstant('08:00', now, 'Mars/Base'), 'Mars/Base'))

  it('gives a finite number or a usage error for any text', () => {
    const like = fc.string({ unit: fc.constantFrom(...'0123456789-:TZ+@. ') })
    fc.assert(
      fc.property(fc.oneof(fc.string(), like), fc.constantFrom('UTC', berlin, undefined), (text, zone) =>
        usageOrNumber(() => parseInstant(text, now, zone)),
      ),
    )
  })

  it('reads back any date', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }), (date) => {
        assert.equal(parseInstant(date.toISOString(), now), date.getTime())
      }),
    )
  })
})

describe('parseSince', () => {
  const ages: readonly (readonly [string, string])[] = [
    ['2h', '2026-03-28T10:00:00.000Z'],
    ['90', '2026-03-28T11:58:30.000Z'],
    ['10 min ago', '2026-03-28T11:50:00.000Z'],
    ['2 hours ago', '2026-03-28T10:00:00.000Z'],
    ['1 day ago', '2026-03-27T12:00:00.000Z'],
    ['11:00', '2026-03-28T11:00:00.000Z'],
    ['13:00', '2026-03-27T13:00:00.000Z'],
    ['2026-03-01', '2026-03-01T00:00:00.000Z'],
  ]
  for (const [text, expected] of ages) {
    it(`reads ${text}`, () => assert.equal(new Date(parseSince(text, now, 'UTC')).toISOString(), expected))
  }
  for (const text of ['', 'ago', '-2h', 'x ago', '5 moons ago', '1'.repeat(65)])
    it(`refuses ${text}`, () => refusesWithUsage(() => parseSince(text, now), text))
  it('gives a finite number or a usage error for any text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'0123456789smh ago') })), (text) =>
        usageOrNumber(() => parseSince(text, now, 'UTC')),
      ),
    )
  })
})
