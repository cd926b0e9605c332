import { type Line, line, type Span, span, type Tone } from './line.ts'

const eighths = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const

/** What to draw. */
export interface Graph {
  /** Oldest first; null where nothing was measured. The last ones are drawn, one a column. */
  readonly values: readonly (number | null)[]
  readonly width: number
  readonly height: number
  /** What stands beside the top of the scale. */
  readonly label: (top: number) => string
  /** The least that the top of the scale can be. */
  readonly least: number
  readonly tone?: Tone
}

const labelWidth = 7

/** A graph of bars on an axis, as many lines as it is high. */
export const graph = ({ values, width, height, label, least, tone = 'plain' }: Graph): Line[] => {
  const columns = Math.max(1, width - labelWidth - 2)
  const shown = [...Array<null>(Math.max(0, columns - values.length)).fill(null), ...values.slice(-columns)]
  const top = niceTop(Math.max(least, ...shown.map((value) => value ?? 0)))
  const bars = height - 1
  const rows = Array.from({ length: bars }, (_, row): Line => {
    const floor = bars - 1 - row
    const filled = shown.map((value) => {
      const level = ((value ?? 0) / top) * bars - floor
      const eighth = Math.max(0, Math.min(8, Math.round(level * 8)))
      // What is there is seen, however small it is.
      return eighths[floor === 0 && (value ?? 0) > 0 ? Math.max(1, eighth) : eighth]
    })
    return [axis(row === 0 ? label(top) : '', '┤'), span(filled.join(''), tone)]
  })
  return [...rows, [axis('0', '┼'), span('─'.repeat(columns), 'dim')]]
}

const axis = (text: string, sign: string): Span => span(`${text.padStart(labelWidth)} ${sign}`, 'dim')

/** The next of 1, 2, 4, 5, 8 times a power of ten, so that a scale does not change with every value. */
const niceTop = (value: number): number => {
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 4, 5, 8, 10].find((step) => step * power >= value) ?? 10) * power
}

const parts = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const

/** A bar that is filled to a fraction (0 to 1), in `width` columns. */
export const bar = (fraction: number, width: number): string => {
  const units = Math.round(Math.max(0, Math.min(1, fraction)) * width * 8)
  const whole = Math.floor(units / 8)
  return `${'█'.repeat(whole)}${parts[units % 8]}`.padEnd(width)
}

/** A rule with a title in it. */
export const titled = (title: string, width: number): Line => {
  if (title === '') return line('─'.repeat(width), 'dim')
  return [
    span('─ ', 'dim'),
    span(title, 'strong'),
    span(` ${'─'.repeat(Math.max(0, width - title.length - 3))}`, 'dim'),
  ]
}
