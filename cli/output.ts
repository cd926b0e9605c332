/**
 * What a command prints. stdout is data: a table on a terminal, lines of tab-separated columns elsewhere, JSON with
 * `--json` (one document for a thing or a list, a line each for a stream), only ids with `--quiet`. stderr is messages.
 * Text that came from a job or a user goes through `visible` here, unless it is written with `raw`; nothing else may
 * write to a terminal. Instants are relative on a terminal and RFC 3339 elsewhere. Every write is finished when the
 * call returns.
 */
import { styleText } from 'node:util'
import { formatDuration } from '../src/duration.ts'
import { terminalAbility } from './dashboard/terminal-ability.ts'
import { Progress } from './progress.ts'
import { type Cell, type Column, layTable, type Style } from './table.ts'
import { visible, visibleJson, visibleLines } from './visible.ts'
import { writeAll } from './write.ts'

/** When to colour. */
export type ColorMode = 'auto' | 'always' | 'never'

/** What decides how output looks. */
export interface OutputOptions {
  readonly json: boolean
  readonly quiet: boolean
  readonly color: ColorMode
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Whether stdout (1) and stderr (2) are terminals, and how wide. */
  readonly terminal: { readonly stdout: boolean; readonly stderr: boolean; readonly columns: number }
  readonly now: () => number
}

/** Where a command's data and messages go. */
export class Output {
  /** `--json` was asked for. */
  readonly json: boolean
  /** `--quiet` was asked for: ids only, no messages beside errors. */
  readonly quiet: boolean
  /** stdout is a terminal. */
  readonly terminal: boolean
  readonly #options: OutputOptions
  /** Whether stdout and stderr are coloured. Asked of the environment once, because a log asks for each of its lines. */
  readonly #colored: { readonly 1: boolean; readonly 2: boolean }

  constructor(options: OutputOptions) {
    this.#options = options
    const { stdout, stderr } = options.terminal
    this.#colored = { 1: isColored(options, stdout), 2: isColored(options, stderr) }
    this.json = options.json
    this.quiet = options.quiet
    this.terminal = options.terminal.stdout
  }

  /** One line of data; text from outside must have passed `visible` (or `paint`). */
  line(text: string): void {
    writeAll(1, `${text}\n`)
  }

  /** Bytes as they are, for `--raw`. */
  raw(bytes: string | Uint8Array): void {
    writeAll(1, bytes)
  }

  /** A value as JSON text on one line, with what a terminal would obey written `\uXXXX`. */
  encode(value: unknown): string {
    return visibleJson(JSON.stringify(value))
  }

  /** One JSON document. */
  document(value: unknown): void {
    writeAll(1, `${visibleJson(JSON.stringify(value, null, this.terminal ? 2 : undefined))}\n`)
  }

  /** One line of a JSON stream. */
  record(value: unknown): void {
    writeAll(1, `${this.encode(value)}\n`)
  }

  /** Rows under titles on a terminal, tab-separated without titles elsewhere; no row prints nothing. */
  table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): void {
    if (rows.length === 0) return
    if (!this.terminal) {
      const lines = rows.map((row) => `${columns.map((column) => this.cell(column.value(row))).join('\t')}\n`)
      writeAll(1, lines.join(''))
      return
    }
    const painter = {
      cell: (value: Cell): string => this.cell(value),
      paint: (style: Style, text: string): string => this.paint(style, text),
      width: this.#options.terminal.columns,
    }
    writeAll(
      1,
      layTable(columns, rows, painter)
        .map((line) => `${line}\n`)
        .join(''),
    )
  }

  /** Titles and values, one a line: aligned on a terminal, tab-separated elsewhere. Values with line breaks are indented below. */
  fields(fields: readonly (readonly [title: string, value: Cell])[]): void {
    const width = Math.max(...fields.map(([title]) => title.length))
    for (const [title, value] of fields) {
      const multiline = typeof value === 'string' && value.includes('\n')
      if (!this.terminal) this.line(`${title}\t${this.cell(value)}`)
      else if (multiline) this.line(`${this.paint('bold', title)}\n${visibleLines(value).replace(/^/gm, '  ')}`)
      else this.line(`${this.paint('bold', title.padEnd(width))}  ${this.cell(value)}`)
    }
  }

  /** A cell as text on one line. */
  cell(value: Cell): string {
    if (value === null) return this.terminal ? '-' : ''
    if (typeof value === 'string') return visible(value)
    if (typeof value === 'number') return String(value)
    if ('at' in value) return value.at === null ? this.cell(null) : this.instant(value.at)
    return value.ms === null ? this.cell(null) : this.duration(value.ms)
  }

  /** An instant (epoch milliseconds): relative on a terminal (`3m ago`, `in 2h`), RFC 3339 UTC elsewhere. */
  instant(at: number): string {
    if (!this.terminal) return new Date(at).toISOString()
    const distance = at - this.#options.now()
    if (Math.abs(distance) < 1_000) return 'now'
    return distance > 0 ? `in ${this.duration(distance)}` : `${this.duration(-distance)} ago`
  }

  /** A duration in milliseconds: rounded to what a person reads on a terminal (`2h5m`), exact elsewhere. */
  duration(ms: number): string {
    const step = [86_400_000, 3_600_000, 60_000, 1_000].find((unit) => ms >= unit * 10)
    const coarse = this.terminal && step !== undefined ? Math.round(ms / step) * step : Math.round(ms)
    return formatDuration(coarse)
  }

  /** Text in a style, where stdout (or stderr, with `descriptor` 2) is coloured; the text is made visible. */
  paint(style: Style, text: string, descriptor: 1 | 2 = 1): string {
    const shown = visible(text)
    return this.#colored[descriptor] ? styleText(style, shown, { validateStream: false }) : shown
  }

  /** Shows how far a piece of work is, where stderr is a terminal and messages are wanted. */
  progress(title: string): Progress {
    const { terminal, environment, color } = this.#options
    if (this.quiet || !terminal.stderr || environment.TERM === 'dumb') return new Progress(title, null)
    return new Progress(title, { columns: terminal.columns, unicode: terminalAbility(environment, color).unicode })
  }

  /** A message on stderr, silenced by `--quiet`. */
  message(text: string): void {
    if (!this.quiet) writeAll(2, `${visibleLines(text)}\n`)
  }

  /** A warning or an error on stderr: `jobq: text`. */
  complain(text: string): void {
    writeAll(2, `${this.paint('red', 'jobq:', 2)} ${visibleLines(text)}\n`)
  }
}

const isColored = ({ color, environment }: OutputOptions, terminal: boolean): boolean => {
  if (color !== 'auto') return color === 'always'
  const forced = environment.CLICOLOR_FORCE
  if (environment.NO_COLOR !== undefined && environment.NO_COLOR !== '') return false
  if (forced !== undefined && forced !== '' && forced !== '0') return true
  if (environment.TERM === 'dumb' || environment.CLICOLOR === '0') return false
  return terminal
}
