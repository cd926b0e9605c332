/**
 * A line of the screen before it is painted: pieces of text, each with what it means. A line knows nothing of colours or of
 * the terminal; `paint` turns it into text, so that every tab can be tested as plain text.
 */
import stringWidth from 'string-width'

/** What a piece of a line means; colour means state, never decoration. */
export type Tone =
  | 'plain'
  | 'strong'
  | 'dim'
  | 'running'
  | 'succeeded'
  | 'retrying'
  | 'failed'
  | 'alert'
  | 'selected'
  | 'past'

/** A piece of a line. */
export interface Span {
  readonly text: string
  readonly tone: Tone
}

/** One line of the screen. */
export type Line = readonly Span[]

/** A piece of a line. */
export const span = (text: string, tone: Tone = 'plain'): Span => ({ text, tone })

/** A line of one piece. */
export const line = (text: string, tone: Tone = 'plain'): Line => [{ text, tone }]

/** The text of a line. */
export const textOf = (of: Line): string => of.map(({ text }) => text).join('')

// Graphs, rules and signs that this screen is drawn with; each is as wide as a letter.
const narrow = /^[\x20-\x7e\u2500-\u25ff\u2190-\u21ff\u2026\u00b7\u2248\u2264\u2265]*$/

/** How many columns a text takes. */
export const widthOf = (text: string): number => (narrow.test(text) ? text.length : stringWidth(text))

/** How many columns a line takes. */
export const lineWidth = (of: Line): number => of.reduce((total, { text }) => total + widthOf(text), 0)

/** A text of at most so many columns; what is cut off is told by an ellipsis. */
export const cut = (text: string, width: number): string => {
  if (widthOf(text) <= width) return text
  if (width <= 0) return ''
  let shown = ''
  let taken = 0
  for (const character of text) {
    const next = widthOf(character)
    if (taken + next > width - 1) break
    shown += character
    taken += next
  }
  return `${shown}…`
}

/** A text of exactly so many columns, at its left or right end. */
export const pad = (text: string, width: number, side: 'left' | 'right' = 'left'): string => {
  const shown = cut(text, width)
  const room = ' '.repeat(Math.max(0, width - widthOf(shown)))
  return side === 'left' ? shown + room : room + shown
}

/** A line of exactly so many columns: what is too long is cut, what is too short is filled up. */
export const fit = (of: Line, width: number): Line => {
  const shown: Span[] = []
  let left = width
  for (const { text, tone } of of) {
    const taken = widthOf(text)
    if (taken <= left) shown.push({ text, tone })
    else if (left > 0) shown.push({ text: pad(text, left), tone })
    left -= taken
    if (left <= 0) break
  }
  if (left > 0) shown.push(span(' '.repeat(left)))
  return shown
}

/** Two lines side by side, the first one filled up to `width`. */
export const beside = (left: Line, right: Line, width: number): Line => [...fit(left, width), ...right]

/** A line whose end stands at the right margin; where both do not fit, the end stays. */
export const spread = (left: Line, right: Line, width: number): Line => [
  ...fit(left, Math.max(0, width - lineWidth(right))),
  ...right,
]
