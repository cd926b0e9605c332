import type { Row } from './figures.ts'

const headings = ['', 'work', 'figure', 'unit', 'against', 'its figure', 'ratio', 'goal', 'met', 'durability']
const numeric = new Set([2, 5, 6])

/** The rows as a table for people. */
export const formatTable = (rows: readonly Row[]): string => {
  const lines = [headings, ...rows.map(cells)]
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          numeric.has(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

const cells = (row: Row): string[] => [
  row.work,
  row.what,
  number(row.figure),
  row.unit,
  row.against ?? '',
  row.other === null ? '' : number(row.other),
  row.ratio === null ? '' : number(row.ratio),
  row.goal ?? '',
  row.met === null ? '' : row.met ? 'yes' : 'NO',
  row.durability,
]

const number = (value: number): string => {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Number.isInteger(value) ? 0 : 2
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}
