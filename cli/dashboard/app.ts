import { Box, Text, useApp, useInput, useWindowSize } from 'ink'
import { createElement as h, memo, type ReactElement, useEffect, useSyncExternalStore } from 'react'
import type { Dashboard } from './dashboard.ts'
import { keysOf } from './key-names.ts'
import type { Screen } from './screen.ts'

/** What the terminal is given up for, and taken back afterwards. */
export type Suspend = (work: () => Promise<void>) => Promise<void>

/** What the app draws and whom it tells. */
export interface AppProps {
  readonly dashboard: Dashboard
  readonly screen: Screen
  /** Hears how to give the terminal to another program for a while. */
  readonly onSuspend: (suspend: Suspend) => void
}

/** The screen, a line each. Lines are as wide as the screen, so nothing has to be laid out, wrapped or cut. */
export const App = ({ dashboard, screen, onSuspend }: AppProps): ReactElement => {
  const { columns, rows } = useWindowSize()
  const { suspendTerminal } = useApp()
  useEffect(() => dashboard.tell({ type: 'size', columns, rows }), [dashboard, columns, rows])
  useEffect(() => onSuspend((work) => suspendTerminal(work)), [onSuspend, suspendTerminal])
  useInput((input, key) => {
    for (const name of keysOf(input, key)) dashboard.press(name)
  })
  const lines = useSyncExternalStore(screen.subscribe, screen.lines)
  return h(
    Box,
    { flexDirection: 'column', width: columns, height: rows },
    ...lines.slice(0, rows).map((text, index) => h(Row, { key: index, text })),
  )
}

const Row = memo(({ text }: { readonly text: string }): ReactElement => h(Text, { wrap: 'truncate' }, text))
