import fs from 'node:fs'
import { machineTick } from './time-card.ts'

/** One process of the machine. */
export interface ProcessEntry {
  readonly pid: number
  readonly parent: number
  /** When it began, as `machineTick` counts, to a few hundredths of a second. */
  readonly startedTick: number
}

/** Linux counts in hundredths of a second towards programs, whatever the kernel itself does. */
const jiffyMs = 10

/** All processes, as `/proc` tells (see proc(5)); none where there is no `/proc`. */
export const readProcessTable = (): ProcessEntry[] => {
  const uptime = read('/proc/uptime')
  if (uptime === null) return []
  const bootTick = machineTick() - Number.parseFloat(uptime) * 1_000
  return fs.readdirSync('/proc').flatMap((name) => {
    const stat = /^\d+$/.test(name) ? read(`/proc/${name}/stat`) : null
    if (stat === null) return []
    // The name of the program stands in parentheses and may contain anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [parent, started] = [Number(fields[1]), Number(fields[19])]
    return { pid: Number(name), parent, startedTick: bootTick + started * jiffyMs }
  })
}

/** The variables that a process was started with, each as `NAME=value`; none where that may not be looked at. */
export const environmentOf = (pid: number): ReadonlySet<string> =>
  new Set(read(`/proc/${pid}/environ`)?.split('\0') ?? [])

const read = (file: string): string | null => {
  try {
    return fs.readFileSync(file, 'latin1')
  } catch {
    return null
  }
}
