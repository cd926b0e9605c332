import type { Line, Tone } from './line.ts'

/** How a terminal can be written to. */
export interface Ability {
  readonly color: boolean
  /** It shows more than ASCII. */
  readonly unicode: boolean
  /** It knows bold, dim and inverse text, which even a terminal without colours does. */
  readonly weight: boolean
}

const weights: Readonly<Partial<Record<Tone, string>>> = { strong: '1', dim: '2', selected: '7', alert: '1', past: '7' }

// Bright blue: the plain one can hardly be read on black.
const colors: Readonly<Partial<Record<Tone, string>>> = {
  strong: '1',
  dim: '2',
  running: '94',
  succeeded: '32',
  retrying: '33',
  failed: '31',
  alert: '1;31',
  selected: '7',
  past: '30;43',
}

// Where only ASCII can be shown, each sign that the screen is drawn with has one of the same width.
const plain: Readonly<Record<string, string>> = {
  ...{
    '─': '-',
    '│': '|',
    '┤': '|',
    '┼': '+',
    '┴': '+',
    '●': '*',
    '○': 'o',
    '◀': '<',
    '▶': '>',
    '▲': '^',
    '▼': 'v',
    '…': '~',
  },
  ...{
    '·': '.',
    '↑': '^',
    '↓': 'v',
    '←': '<',
    '→': '>',
    '≈': '~',
    '▏': '|',
    '▎': '|',
    '▍': '|',
    '▌': '#',
    '▋': '#',
    '▊': '#',
  },
  ...{
    '▉': '#',
    '█': '#',
    '▇': '#',
    '▆': '#',
    '▅': '+',
    '▄': '+',
    '▃': ':',
    '▂': '.',
    '▁': '_',
    '░': '.',
    '✓': '+',
    '⏎': '>',
  },
}

/** A line as text with the sequences that a terminal of this ability takes for its tones. */
export const paint = (line: Line, ability: Ability): string =>
  line
    .map(({ text, tone }) => {
      const shown = ability.unicode ? text : ascii(text)
      const code = ability.color ? colors[tone] : ability.weight ? weights[tone] : undefined
      return code === undefined || shown === '' ? shown : `\x1b[${code}m${shown}\x1b[0m`
    })
    .join('')

const ascii = (text: string): string => text.replace(/[^\x20-\x7e]/gu, (character) => plain[character] ?? '?')
