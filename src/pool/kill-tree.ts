/**
 * Killing a process with all that it started. What it started may have left its process group, may ignore every other
 * signal, and may start more while one looks; so each is stopped first, which it cannot refuse, and killed once a look
 * finds nothing new. What has lost its parent is known by the variables that its job gave it, if it kept them. Should
 * this process be killed meanwhile, the sentinel does the rest: what was stopped would stand there for ever.
 */
import { environmentOf, type ProcessEntry, readProcessTable } from './process-table.ts'
import type { Sentinel } from './sentinel.ts'
import { freeze, signalProcess } from './signal-process.ts'

/** What is to be killed. */
export interface DoomedTree {
  /** One that the sentinel knows of already; null where only what it started is left. */
  readonly pid: number | null
  /** What was started before this moment of `machineTick` belongs to others. */
  readonly sinceTick: number
  /** Variables that mark what was started for a job, each as `NAME=value`; a list for each job. */
  readonly marks: readonly (readonly string[])[]
}

/** How exactly the start of a process is known, in milliseconds. */
const inexactMs = 30
const mostLooks = 20

/** Kills it; where the system does not tell what it started, only itself. */
export const killTree = (tree: DoomedTree, sentinel: Pick<Sentinel, 'add' | 'remove'>): void => {
  const doomed = new Set<number>()
  const stop = (pid: number): void => {
    doomed.add(pid)
    if (pid !== tree.pid) sentinel.add(pid)
    freeze(pid)
  }
  if (tree.pid !== null) stop(tree.pid)
  for (let look = 0; look < mostLooks; look++) {
    const before = doomed.size
    const young = readProcessTable().filter(({ startedTick }) => startedTick >= tree.sinceTick - inexactMs)
    while (stopMore(young, { tree, doomed, stop }));
    if (doomed.size === before) break
  }
  for (const pid of doomed) {
    signalProcess(pid, 'SIGKILL')
    if (pid !== tree.pid) sentinel.remove(pid)
  }
}

interface Hunt {
  readonly tree: DoomedTree
  readonly doomed: ReadonlySet<number>
  readonly stop: (pid: number) => void
}

/** Stops those of a table whose turn it is; true when there were any. */
const stopMore = (processes: readonly ProcessEntry[], { tree, doomed, stop }: Hunt): boolean => {
  const found = processes.filter(
    ({ pid, parent }) => !doomed.has(pid) && pid !== process.pid && (doomed.has(parent) || isMarked(pid, tree.marks)),
  )
  for (const { pid } of found) stop(pid)
  return found.length > 0
}

const isMarked = (pid: number, marks: DoomedTree['marks']): boolean => {
  if (marks.length === 0) return false
  const environment = environmentOf(pid)
  return marks.some((variables) => variables.every((variable) => environment.has(variable)))
}
