import stringWidth from 'string-width'

/** A cell's value: text, a number, nothing, an instant (epoch milliseconds) or a duration (milliseconds). */
export type Cell = string | number | null | { readonly at: number | null } | { readonly ms: number | null }

/** A colour or weight; what it is on a terminal is `Output`'s affair. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'blue' | 'cyan'

/** One column of a table; titles are lower case. */
export interface Column<Row> {
  readonly title: string
  readonly value: (row: Row) => Cell
  /** The style of a cell on a terminal. */
  readonly style?: (row: Row) => Style | null
}

/** How cells become text. */
export interface Painter {
  readonly cell: (value: Cell) => string
  readonly paint: (style: Style, text: string) => string
  /** The terminal's width; the last column is cut to it. */
  readonly width: number
}

/** The lines of a table for a terminal, titles first: columns are aligned, those without text to the right. */
export const layTable = <Row>(columns: readonly Column<Row>[], rows: readonly Row[], painter: Painter): string[] => {
  const parts = columns.map((column) => layColumn(column, rows, painter))
  const before = parts.slice(0, -1).reduce((total, { width }) => total + width + 2, 0)
  const last = parts.at(-1)
  return Array.from({ length: rows.length + 1 }, (_, line) =>
    [...parts.slice(0, -1).map((part) => part.padded(line)), last?.cut(line, Math.max(8, painter.width - before))]
      .join('  ')
      .trimEnd(),
  )
}

interface LaidColumn {
  readonly width: number
  padded(line: number): string
  cut(line: number, width: number): string
}

const layColumn = <Row>(column: Column<Row>, rows: readonly Row[], painter: Painter): LaidColumn => {
  const texts = [column.title.toUpperCase(), ...rows.map((row) => painter.cell(column.value(row)))]
  const styles = ['bold' as const, ...rows.map((row) => column.style?.(row) ?? null)]
  const widths = texts.map((text) => stringWidth(text))
  const width = Math.max(...widths)
  const toTheRight = rows.every((row) => typeof column.value(row) !== 'string')
  const painted = (line: number, text: string): string => {
    const style = styles[line] ?? null
    return style === null ? text : painter.paint(style, text)
  }
  return {
    width,
    padded(line) {
      const padding = ' '.repeat(width - (widths[line] ?? 0))
      const text = painted(line, texts[line] ?? '')
      return toTheRight ? padding + text : text + padding
    },
    cut: (line, room) => painted(line, cutText(texts[line] ?? '', room)),
  }
}

const cutText = (text: string, width: number): string => {
  if (stringWidth(text) <= width) return text
  let shown = ''
  for (const character of text) {
    if (stringWidth(`${shown}${character}…`) > width) break
    shown += character
  }
  return `${shown}…`
}
