/**
 * The rights and limits of programs, by the system's own tools: `nice`, `ionice`, `prlimit` and `setpriv`, each of
 * which becomes the next and at last the program itself, so that its process is the same with and without them. What
 * is missing or not allowed is found out beforehand, by starting `true` in the same way: `nice`, for one, complains
 * and goes on, and the exit code of a tool could be the program's as well.
 */
import { spawnSync } from 'node:child_process'
import os from 'node:os'
import { ownProcessOptions, type ProcessOptions, type ProcessPlan, processOptionsOf } from '../process-options.ts'
import { findProgram } from './find-program.ts'

/** How the programs of one task are started. */
export interface Launch {
  readonly env: Readonly<Record<string, string>>
  /** Goes before the program and its arguments; empty where nothing is to be changed. */
  readonly prefix: readonly string[]
  /** Why they cannot be started so; null if they can. */
  readonly problem: string | null
}

/** What is to be known of a task: whether it is a program or runs inside of a child, which it shares with others. */
export interface Launched {
  readonly name: string
  readonly isProgram: boolean
}

type Variables = Readonly<Record<string, string>>

interface Change {
  readonly prefix: readonly string[]
  readonly env: Variables
}

class Impossible extends Error {}

/** How each of these tasks is started; those that need nothing special are not in it. `env` is what programs get anyway. */
export const planLaunches = (plan: ProcessPlan, tasks: readonly Launched[], env: Variables): Map<string, Launch> => {
  const tried = new Map<string, Launch>()
  const launches = new Map<string, Launch>()
  for (const { name, isProgram } of tasks) {
    const options = isProgram ? processOptionsOf(plan, name) : (ownProcessOptions(plan, name) ?? {})
    const keys = Object.keys(options)
    if (keys.length === 0) continue
    const key = JSON.stringify(options)
    const launch = isProgram ? (tried.get(key) ?? tryLaunch(options, env)) : { prefix: [], env, problem: shared(keys) }
    if (isProgram) tried.set(key, launch)
    launches.set(name, launch)
  }
  return launches
}

const shared = (keys: readonly string[]): string =>
  `${keys.join(', ')}: only for commands and executables, since tasks in TypeScript and JavaScript share their process`

const tryLaunch = (options: ProcessOptions, env: Variables): Launch => {
  try {
    const changes = [nice(options), ioNice(options), limits(options), account(options, env)]
    const prefix = changes.flatMap((change) => change?.prefix ?? [])
    const launch = { prefix: located(prefix, env), env: changes.at(-1)?.env ?? env }
    return { ...launch, problem: problemOf(launch) }
  } catch (error) {
    if (error instanceof Impossible) return { prefix: [], env, problem: error.message }
    throw error
  }
}

/** The same words, each tool as the file that it stands for, whatever PATH a job brings. */
const located = (prefix: readonly string[], env: Variables): readonly string[] => {
  const missing = prefix.find((word) => tools.has(word) && findProgram(word, env.PATH, null) === word)
  if (missing !== undefined) throw new Impossible(`${tools.get(missing)}: there is no program ${missing} here`)
  return prefix.map((word) => (tools.has(word) ? findProgram(word, env.PATH, null) : word))
}

/** The programs used, with the options that need them. */
const tools = new Map([
  ['nice', 'nice'],
  ['ionice', 'ionice'],
  ['prlimit', 'rlimits'],
  ['setpriv', 'user, group'],
])

const problemOf = ({ prefix: [tool, ...rest], env }: Omit<Launch, 'problem'>): string | null => {
  if (tool === undefined) return null
  const probe = spawnSync(tool, [...rest, 'true'], {
    env: { ...env, LC_ALL: 'C' },
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  })
  if (probe.error) return probe.error.message
  // Some of the tools begin with the path that they were started by.
  const said = (probe.stderr.trim().split('\n', 1)[0] ?? '').replace(/^\S*\//, '')
  if (said !== '') return said
  if (probe.status === 0) return null
  return `not even 'true' can be run so (${probe.signal ?? `exit code ${probe.status}`})`
}

const nice = ({ nice: wanted }: ProcessOptions): Change | null => {
  // The tool adds to what it has.
  const added = (wanted ?? 0) - os.getPriority()
  return wanted === undefined || added === 0 ? null : { prefix: ['nice', '-n', String(added), '--'], env: {} }
}

const ioNice = ({ ionice }: ProcessOptions): Change | null => {
  if (ionice === undefined) return null
  const [kind = '', level] = ionice.split(':')
  return { prefix: ['ionice', '-c', kind, ...(level === undefined ? [] : ['-n', level]), '--'], env: {} }
}

const limits = ({ rlimits = {} }: ProcessOptions): Change | null => {
  const { cpu, ...others } = rlimits
  const words = Object.entries(others).map(([name, limit]) => `--${name}=${limit}`)
  // A second between the signal that tells of the limit (XCPU) and the one that ends the process (KILL).
  const seconds = cpu === undefined ? 0 : Math.max(1, Math.ceil(cpu / 1_000))
  if (seconds > 0) words.push(`--cpu=${seconds}:${seconds + 1}`)
  return words.length === 0 ? null : { prefix: ['prlimit', ...words, '--'], env: {} }
}

/** Another user has another home; everything else of the environment stays. */
const account = ({ user, group }: ProcessOptions, env: Variables): Change => {
  if (user === undefined && group === undefined) return { prefix: [], env }
  if (process.getuid?.() !== 0) throw new Impossible('user, group: only a worker that runs as root may change them')
  if (user === undefined) return { prefix: ['setpriv', `--regid=${group}`, '--clear-groups', '--'], env }
  const entry = lookUp(user, env)
  const gid = group ?? entry.gid
  return {
    prefix: ['setpriv', `--reuid=${entry.uid}`, `--regid=${gid}`, '--init-groups', '--'],
    env: { ...env, HOME: entry.home, SHELL: entry.shell, USER: entry.name, LOGNAME: entry.name },
  }
}

const lookUp = (user: string, env: Variables) => {
  const { error, stdout } = spawnSync('getent', ['passwd', user], { env, encoding: 'utf8' })
  if (error) throw new Impossible('user: there is no program getent here')
  const [name, , uid, gid, , home = '/', shell] = stdout.trim().split(':')
  if (!name || !uid || !gid) throw new Impossible(`user: there is no user ${user}`)
  return { name, uid, gid, home, shell: shell || '/bin/sh' }
}
