// What a run of tests has left: processes, found by the path of the run's temporary directory in what Linux tells of them
// in /proc (see proc(5)), and files in that directory.
import fs from 'node:fs'
import path from 'node:path'

/** A process that outlived the run, and the test file whose directory it knows. */
export interface LeftProcess {
  readonly pid: number
  readonly file: string
  readonly command: string
}

// What a killed worker's sentinel and children need to notice that they are to go.
const patienceMs = 5_000

/** The processes, other than this one, that know this directory and are still there after a few seconds. */
export const leftProcesses = async (folder: string): Promise<LeftProcess[]> => {
  const end = performance.now() + patienceMs
  for (;;) {
    const left = processesOf(folder)
    if (left.length === 0 || performance.now() > end) return left
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** What lies in the directories of the test files, relative to the run's. */
export const leftFiles = (folder: string): string[] =>
  fs
    .readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) =>
      entry.isDirectory()
        ? fs.readdirSync(path.join(folder, entry.name)).map((name) => `${entry.name}/${name}`)
        : entry.name,
    )

const processesOf = (folder: string): LeftProcess[] => {
  if (!fs.existsSync('/proc/self/environ')) return []
  return fs.readdirSync('/proc').flatMap((entry) => {
    const pid = Number(entry)
    if (!(pid > 0) || pid === process.pid || isGone(pid)) return []
    const command = read(`/proc/${pid}/cmdline`)
    const known = [read(`/proc/${pid}/environ`), command, linkOf(`/proc/${pid}/cwd`)].join('\0')
    const place = known.lastIndexOf(folder)
    if (place < 0) return []
    const [name = ''] = /^\/?[^/\0]*/.exec(known.slice(place + folder.length)) ?? []
    return [
      { pid, file: name === '' ? 'the run itself' : name.slice(1), command: command.replaceAll('\0', ' ').trim() },
    ]
  })
}

const isGone = (pid: number): boolean => {
  const stat = read(`/proc/${pid}/stat`)
  return stat === '' || stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z')
}

const read = (file: string): string => {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

const linkOf = (file: string): string => {
  try {
    return fs.readlinkSync(file)
  } catch {
    return ''
  }
}
