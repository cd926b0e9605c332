/**
 * Rows in columns. Numbers stand at the right; one column takes the room that is left; where there is too little of it,
 * the least important columns are left out. The selected row is marked by a sign as well as by its colour.
 */
import { cut, fit, type Line, line, pad, type Span, span, type Tone, widthOf } from './line.ts'

/** One column of a table. */
export interface TableColumn<Row> {
  readonly title: string
  readonly value: (row: Row) => string
  readonly tone?: (row: Row) => Tone
  readonly side?: 'left' | 'right'
  /** Columns of text; a column without takes what is left (at least `least`). */
  readonly width?: number
  readonly least?: number
  /** The higher, the sooner it is left out; 0 always stays. */
  readonly spare: number
}

/** How to lay a table. */
export interface TableLayout<Row> {
  readonly width: number
  readonly height: number
  readonly key: (row: Row) => unknown
  /** The key of the row that is selected; null marks none, undefined is a table without a selection. */
  readonly selected?: unknown
  /** Without titles. */
  readonly bare?: boolean
}

/** The lines of a table; the selected row is always among them. */
export const table = <Row>(
  columns: readonly TableColumn<Row>[],
  rows: readonly Row[],
  layout: TableLayout<Row>,
): Line[] => {
  const { width, height, key, selected, bare = false } = layout
  const marked = selected !== undefined
  const inner = width - (marked ? 3 : 1)
  const kept = fitting(columns, inner)
  const used = kept.reduce((total, column) => total + (column.width ?? 0) + 2, -2)
  const rest = Math.max(0, inner - used)
  const widthOfColumn = (column: TableColumn<Row>): number => column.width ?? rest
  const room = height - (bare ? 0 : 1)
  const index = marked ? rows.findIndex((row) => key(row) === selected) : -1
  const first = Math.max(0, Math.min(index - Math.floor(room / 2), rows.length - room))
  const head = kept.map((column) => pad(column.title.toUpperCase(), widthOfColumn(column), column.side)).join('  ')
  const lines = rows.slice(first, first + room).map((row): Line => {
    const chosen = marked && key(row) === selected
    const cells = kept.flatMap((column, place): Span[] => {
      const text = pad(column.value(row), widthOfColumn(column), column.side)
      return [...(place === 0 ? [] : [span('  ')]), span(text, column.tone?.(row) ?? 'plain')]
    })
    const mark = marked ? (chosen ? ' ▶ ' : '   ') : ' '
    const whole = fit([span(mark), ...cells], width)
    return chosen
      ? whole.map(({ text, tone }) => span(text, tone === 'plain' || tone === 'dim' ? 'selected' : tone))
      : whole
  })
  return bare ? lines : [line(`${marked ? '   ' : ' '}${head}`, 'dim'), ...lines]
}

const fitting = <Row>(columns: readonly TableColumn<Row>[], width: number): readonly TableColumn<Row>[] => {
  const needed = columns.reduce((total, column) => total + (column.width ?? column.least ?? 8) + 2, -2)
  const spare = Math.max(...columns.map((column) => column.spare))
  if (needed <= width || spare === 0) return columns
  const last = columns.findLastIndex((column) => column.spare === spare)
  return fitting(columns.toSpliced(last, 1), width)
}

/** Titles with their values below each other, those that are empty left out; long values are wrapped. */
export const fields = (
  of: readonly (readonly [title: string, value: string, tone?: Tone])[],
  width: number,
): Line[] => {
  const shown = of.filter(([, value]) => value !== '')
  const titles = Math.max(0, ...shown.map(([title]) => title.length))
  return shown.flatMap(([title, value, tone = 'plain']) =>
    wrap(value, Math.max(8, width - titles - 3)).map(
      (text, index): Line => [span(` ${(index === 0 ? title : '').padEnd(titles)}  `, 'dim'), span(text, tone)],
    ),
  )
}

/** A text in lines of at most so many columns; its own line breaks stay. */
export const wrap = (text: string, width: number): string[] =>
  text.split('\n').flatMap((part) => {
    const rows: string[] = []
    let rest = part
    while (widthOf(rest) > width) {
      const head = cut(rest, width + 1).slice(0, -1)
      const space = head.lastIndexOf(' ')
      const end = space > width / 2 ? space : Math.max(1, head.length)
      rows.push(rest.slice(0, end))
      rest = rest.slice(end).replace(/^ /, '')
    }
    return [...rows, rest]
  })
