import { Dashboard, type DashboardOptions } from './dashboard.ts'
import { snapshot } from './frame.ts'
import { type Ability, paint } from './parts/paint.ts'

/** How a frame is printed. */
export interface PrintOptions {
  readonly ability: Ability
  /** The instant that it shows, in epoch milliseconds; null is now. */
  readonly at: number | null
  /** Its size, where it is not printed on a terminal: COLUMNS and LINES. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** One frame of the dashboard as text, as the Overview shows it. */
export const printFrame = async (
  of: Omit<DashboardOptions, 'outside' | 'columns' | 'rows'>,
  { ability, at, environment }: PrintOptions,
): Promise<string> => {
  const nothing = (): void => undefined
  const dashboard = new Dashboard({
    ...of,
    columns: process.stdout.columns ?? sizeOf(environment.COLUMNS, 100),
    rows: process.stdout.rows ?? sizeOf(environment.LINES, 32),
    outside: { page: async () => undefined, copy: nothing, quit: nothing, interrupt: nothing },
  })
  await dashboard.open(at)
  await dashboard.complete()
  const { state } = dashboard
  dashboard.stop()
  if (state.lost !== null) throw new Error(state.lost.reason)
  return snapshot(state)
    .map((line) => `${paint(line, ability).trimEnd()}\n`)
    .join('')
}

const sizeOf = (text: string | undefined, fallback: number): number => {
  const size = Number(text)
  return Number.isInteger(size) && size > 0 && size <= 1_000 ? size : fallback
}
