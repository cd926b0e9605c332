/**
 * The dashboard in a terminal: the other screen, raw keys, no cursor; and the terminal as it was after every way out, be it a
 * key, a signal or a failure. What nobody can answer, KILL, is the only exception.
 */
import { spawn } from 'node:child_process'
import { render } from 'ink'
import { createElement as h } from 'react'
import { App, type Suspend } from './app.ts'
import { Dashboard, type DashboardOptions } from './dashboard.ts'
import type { Ability } from './parts/paint.ts'
import { Screen } from './screen.ts'

/** How a dashboard is shown. */
export interface MountOptions extends Omit<DashboardOptions, 'outside' | 'columns' | 'rows'> {
  readonly ability: Ability
  /** The command that shows long texts; the environment's. */
  readonly pager: string
  /** The instant to begin with, in epoch milliseconds; null begins now. */
  readonly at: number | null
  /** What the interrupt key does, beside ending the dashboard where that is all there is. */
  readonly onInterrupt: () => void
}

/** A dashboard on a screen. */
export interface Mounted {
  readonly dashboard: Dashboard
  /** Resolves when it was closed, by a key or by `close`; rejects when it could not go on. */
  readonly closed: Promise<void>
  /** Gives the terminal back as it was; idempotent. */
  close(): void
}

/** Opens the dashboard on this process's terminal. */
export const mount = async (options: MountOptions): Promise<Mounted> => {
  const { ability, pager, at, onInterrupt, ...of } = options
  let suspend: Suspend = (work) => work()
  const dashboard = new Dashboard({
    ...of,
    columns: process.stdout.columns ?? 80,
    rows: process.stdout.rows ?? 24,
    outside: {
      page: (text) => suspend(() => showInPager(pager, text)),
      copy: (text) => void process.stdout.write(`\x1b]52;c;${Buffer.from(text).toString('base64')}\x07`),
      quit: () => close(),
      interrupt: onInterrupt,
    },
  })
  await openUnechoed(dashboard, at)
  const screen = new Screen(dashboard, ability)
  const element = h(App, {
    dashboard,
    screen,
    onSuspend: (given: Suspend) => {
      suspend = given
    },
  })
  const instance = render(element, {
    alternateScreen: true,
    exitOnCtrlC: false,
    incrementalRendering: true,
    // A machine that builds may have a terminal all the same, and somebody who looks at it.
    interactive: true,
    maxFps: 30,
    patchConsole: false,
    onRender: ({ renderTime }) => screen.drawn(renderTime),
  })
  dashboard.start()
  let isOpen = true
  function close(): void {
    if (!isOpen) return
    isOpen = false
    dashboard.stop()
    process.off('uncaughtException', close)
    process.off('unhandledRejection', close)
    instance.unmount()
  }
  // Whoever reports a failure writes to the terminal that the user will see then.
  process.prependListener('uncaughtException', close)
  process.prependListener('unhandledRejection', close)
  const closed = instance.waitUntilExit().then(close, (error: unknown) => {
    close()
    throw error
  })
  return { dashboard, closed, close }
}

/** The first look; keys that are typed meanwhile are not echoed but wait for the screen that they are meant for. */
const openUnechoed = async (dashboard: Dashboard, at: number | null): Promise<void> => {
  process.stdin.setRawMode(true)
  try {
    await dashboard.open(at)
  } catch (error) {
    process.stdin.setRawMode(false)
    throw error
  }
}

const showInPager = (pager: string, text: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn(pager, {
      shell: true,
      stdio: ['pipe', 'inherit', 'inherit'],
      env: { LESS: '-R', ...process.env },
    })
    child.on('error', reject)
    child.on('close', () => resolve())
    // Who leaves the pager early need not have read all of it.
    child.stdin.on('error', () => undefined)
    child.stdin.end(text)
  })
