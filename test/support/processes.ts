// Processes as Linux tells of them in /proc (see proc(5)).
import fs from 'node:fs'

const read = (file: string): string => {
  try {
    return fs.readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}

/** What stands behind the name of its program: the state, and so on; empty when it is gone. */
const statOf = (pid: number): string[] => {
  const stat = read(`/proc/${pid}/stat`)
  return stat === '' ? [] : stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

/** True while the process is there and no zombie. */
export const isAlive = (pid: number): boolean => startOf(pid) !== null

/** True while a signal has stopped the process. */
export const isStopped = (pid: number): boolean => statOf(pid)[0] === 'T'

/** When a process started, in ticks since the machine's start; null when it is gone or a zombie. With its pid it names one process only. */
export const startOf = (pid: number): string | null => {
  const [state = 'Z', ...others] = statOf(pid)
  return state === 'Z' ? null : (others[18] ?? null)
}

/** What a process was started as. */
export const commandLineOf = (pid: number): string => read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')

/** The direct children of a process. */
export const childrenOf = (pid: number): number[] =>
  read(`/proc/${pid}/task/${pid}/children`)
    .split(' ')
    .filter((text) => text !== '')
    .map(Number)

/** A process with all that descends from it. */
export const treeOf = (pid: number): number[] => [pid, ...childrenOf(pid).flatMap(treeOf)]

/** Processes that have `NAME=value` in the environment which they were started with. */
export const processesWith = (variable: string): number[] =>
  fs
    .readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid && read(`/proc/${pid}/environ`).split('\0').includes(variable))
    .filter(isAlive)

/** Sends a signal; a process that is gone is none to complain of. */
export const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
