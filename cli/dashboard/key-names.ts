/** The facts about a key that a terminal's input is taken apart into. */
export interface KeyFacts {
  readonly upArrow: boolean
  readonly downArrow: boolean
  readonly leftArrow: boolean
  readonly rightArrow: boolean
  readonly pageUp: boolean
  readonly pageDown: boolean
  readonly home: boolean
  readonly end: boolean
  readonly return: boolean
  readonly escape: boolean
  readonly tab: boolean
  readonly shift: boolean
  readonly backspace: boolean
  readonly delete: boolean
  readonly ctrl: boolean
  readonly meta: boolean
}

/** The names of the keys in what a terminal sent at once: keys typed fast arrive together, as one text. */
export const keysOf = (input: string, facts: KeyFacts): string[] => {
  if (facts.tab) return [facts.shift ? 'shift-tab' : 'tab']
  const named: readonly (readonly [boolean, string])[] = [
    [facts.upArrow, 'up'],
    [facts.downArrow, 'down'],
    [facts.leftArrow, 'left'],
    [facts.rightArrow, 'right'],
    [facts.pageUp, 'pageup'],
    [facts.pageDown, 'pagedown'],
    [facts.home, 'home'],
    [facts.end, 'end'],
    [facts.return, 'enter'],
    [facts.escape, 'esc'],
    [facts.backspace || facts.delete, 'backspace'],
  ]
  const name = named.find(([is]) => is)?.[1]
  if (name !== undefined) return [name]
  if (facts.ctrl) return [`ctrl-${input}`]
  // Esc and a key behind it that come at once look like one key with Alt.
  if (facts.meta) return ['esc', ...typed(input)]
  return typed(input)
}

const typed = (input: string): string[] =>
  Array.from(
    input,
    (character) => ({ '\r': 'enter', '\n': 'enter', '\t': 'tab', '\x7f': 'backspace' })[character] ?? character,
  )
