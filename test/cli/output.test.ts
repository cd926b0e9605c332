import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { Output, type OutputOptions } from '../../cli/output.ts'
import { type Column, layTable } from '../../cli/table.ts'

const now = Date.parse('2026-01-01T12:00:00Z')
const output = (terminal: boolean, more: Partial<OutputOptions> = {}): Output =>
  new Output({
    json: false,
    quiet: false,
    color: 'auto',
    environment: {},
    terminal: { stdout: terminal, stderr: terminal, columns: 40 },
    now: () => now,
    ...more,
  })

describe('instants', () => {
  const table: readonly (readonly [number, string])[] = [
    [0, 'now'],
    [-5_000, '5s ago'],
    [-90_000, '1m30s ago'],
    [-3 * 3_600_000, '3h ago'],
    [-14 * 86_400_000, '14d ago'],
    [65_400, 'in 1m5s'],
    [2 * 86_400_000 + 1_000, 'in 2d'],
  ]
  for (const [distance, text] of table)
    it(`are ${text} on a terminal`, () => assert.equal(output(true).instant(now + distance), text))
  it('are RFC 3339 in UTC with milliseconds elsewhere', () =>
    assert.equal(output(false).instant(now + 1), '2026-01-01T12:00:00.001Z'))
})

describe('colour', () => {
  const red = '\u001b[31mx\u001b[39m'
  const table: readonly (readonly [what: string, terminal: boolean, more: Partial<OutputOptions>, shown: string])[] = [
    ['on a terminal', true, {}, red],
    ['not in a pipe', false, {}, 'x'],
    ['not with NO_COLOR', true, { environment: { NO_COLOR: '1' } }, 'x'],
    ['despite an empty NO_COLOR', true, { environment: { NO_COLOR: '' } }, red],
    ['in a pipe with CLICOLOR_FORCE', false, { environment: { CLICOLOR_FORCE: '1' } }, red],
    ['not with CLICOLOR_FORCE=0', false, { environment: { CLICOLOR_FORCE: '0' } }, 'x'],
    ['not on a dumb terminal', true, { environment: { TERM: 'dumb' } }, 'x'],
    ['with always, whatever the environment', false, { color: 'always', environment: { NO_COLOR: '1' } }, red],
    ['not with never', true, { color: 'never', environment: { CLICOLOR_FORCE: '1' } }, 'x'],
  ]
  for (const [what, terminal, more, shown] of table)
    it(`is used ${what}`, () => assert.equal(output(terminal, more).paint('red', 'x'), shown))
  it('makes what it paints visible', () =>
    assert.equal(output(true).paint('red', '\u001b'), '\u001b[31m\\x1b\u001b[39m'))
})

describe('a table', () => {
  const columns: readonly Column<readonly [number, string, string]>[] = [
    { title: 'id', value: ([id]) => id },
    { title: 'name', value: ([, name]) => name },
    { title: 'text', value: ([, , text]) => text },
  ]
  const terminal = output(true)
  const lay = (rows: readonly (readonly [number, string, string])[]): string[] =>
    layTable(columns, rows, {
      cell: (value) => terminal.cell(value),
      paint: (style, text) => terminal.paint(style, text),
      width: 24,
    }).map((line) => stripVTControlCharacters(line))
  it('aligns columns by what a terminal shows, numbers to the right', () => {
    assert.deepEqual(
      lay([
        [1, 'a', 'x'],
        [200, '日本', 'y'],
      ]),
      [' ID  NAME  TEXT', '  1  a     x', '200  日本  y'],
    )
  })
  it('cuts the last column at the edge', () => {
    assert.deepEqual(lay([[1, 'a', 'x'.repeat(50)]])[1], ` 1  a     ${'x'.repeat(13)}…`)
  })
  it('shows escapes and keeps a row on its line', () => {
    assert.deepEqual(lay([[1, 'a\nb', '\u001b[2J']])[1], ' 1  a\\nb  \\x1b[2J')
  })
})
