// Processes as Linux tells of them in /proc (see proc(5)).
import fs from 'node:fs'

const read = (file: string): string => {
  try {
    return fs.readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}

/** True while the process is there and no zombie. */
export const isAlive = (pid: number): boolean => {
  const stat = read(`/proc/${pid}/stat`)
  return stat !== '' && !stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z')
}

/** True while a signal has stopped the process. */
export const isStopped = (pid: number): boolean => {
  const stat = read(`/proc/${pid}/stat`)
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T')
}

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
