import fs from 'node:fs'

/** A process and all that descend from it, itself first; from Linux's /proc. */
export const processTree = (root: number): number[] => {
  const parents = new Map(runningPids().map((pid) => [pid, parentOf(pid)]))
  const tree = [root]
  for (const pid of tree) {
    for (const [child, parent] of parents) if (parent === pid) tree.push(child)
  }
  return tree
}

/** How long processes have been on a processor, in seconds, all of their threads together. */
export const processorSeconds = (pids: readonly number[]): number => {
  const threads = pids.flatMap((pid) => fs.readdirSync(`/proc/${pid}/task`).map((thread) => `${pid}/task/${thread}`))
  const nanoseconds = threads.map((thread) =>
    Number(fs.readFileSync(`/proc/${thread}/schedstat`, 'utf8').split(' ')[0]),
  )
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e9
}

/** The memory of processes in MiB, pages that several share counted once between them. */
export const proportionalMebibytes = (pids: readonly number[]): number => {
  const kibibytes = pids.map((pid) => {
    const [, size] = /^Pss:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? []
    return Number(size)
  })
  return kibibytes.reduce((sum, each) => sum + each, 0) / 1024
}

const runningPids = (): number[] =>
  fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)

const parentOf = (pid: number): number | null => {
  try {
    // The name, in parentheses, may itself hold spaces and parentheses.
    const [, rest = ''] = /\) \S (.*)/.exec(fs.readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? []
    return Number(rest.split(' ')[0])
  } catch {
    // It has ended since it was listed.
    return null
  }
}
