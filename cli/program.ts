/**
 * The command line: global options, the commands, and what becomes of a failure. Each command is a file of its own in
 * `commands/`; only the one that is asked for is loaded, all of them for help and for a name that none of them has.
 */
import type { Command } from 'commander'
import { checkEncoding } from './encoding.ts'
import { report } from './report.ts'
import { rootCommand } from './root-command.ts'
import { writeAll } from './write.ts'

interface CommandModule {
  /** With the parameters of a run of this very command. */
  register(program: Command, parameters?: readonly string[]): void | Promise<void>
}

type Loader = () => Promise<CommandModule>

const groups: readonly (readonly [heading: string, commands: Readonly<Record<string, Loader>>])[] = [
  [
    'Run and add:',
    {
      run: () => import('./commands/run.ts'),
      enqueue: () => import('./commands/enqueue.ts'),
      wait: () => import('./commands/wait.ts'),
    },
  ],
  [
    'Look:',
    {
      ls: () => import('./commands/ls.ts'),
      show: () => import('./commands/show.ts'),
      why: () => import('./commands/why.ts'),
      logs: () => import('./commands/logs.ts'),
      queues: () => import('./commands/queues.ts'),
      stats: () => import('./commands/stats.ts'),
      top: () => import('./commands/top.ts'),
      events: () => import('./commands/events.ts'),
      workers: () => import('./commands/workers.ts'),
      tasks: () => import('./commands/tasks.ts'),
      steps: () => import('./commands/steps.ts'),
    },
  ],
  [
    'Change:',
    {
      cancel: () => import('./commands/cancel.ts'),
      retry: () => import('./commands/retry.ts'),
      rm: () => import('./commands/rm.ts'),
      prune: () => import('./commands/prune.ts'),
      pause: () => import('./commands/pause.ts'),
      purge: () => import('./commands/purge.ts'),
      control: () => import('./commands/control.ts'),
    },
  ],
  [
    'The rest:',
    {
      keys: () => import('./commands/keys.ts'),
      backup: () => import('./commands/backup.ts'),
      doctor: () => import('./commands/doctor.ts'),
      migrate: () => import('./commands/migrate.ts'),
      config: () => import('./commands/config.ts'),
      systemd: () => import('./commands/systemd.ts'),
      completion: () => import('./commands/completion.ts'),
      version: () => import('./commands/version.ts'),
      help: () => import('./commands/help.ts'),
    },
  ],
]

/** Commands that are defined together with another one, and other names. */
const aliases: Readonly<Record<string, string>> = {
  add: 'enqueue',
  list: 'ls',
  status: 'ls',
  resume: 'pause',
  dashboard: 'top',
  ui: 'top',
}

/** Runs the command line with these parameters and ends the process. */
export const program = async (parameters: readonly string[]): Promise<void> => {
  for (const event of ['uncaughtException', 'unhandledRejection']) {
    process.on(event, (error: unknown) => process.exit(report(error) || 1))
  }
  process.exit(await run(parameters))
}

const run = async (parameters: readonly string[]): Promise<number> => {
  try {
    checkEncoding(parameters)
    const cut = parameters.indexOf('--')
    const own = cut < 0 ? parameters : parameters.slice(0, cut)
    const verb = verbOf(own)
    const asked = verb === null && own.includes('--version') ? ['version'] : parameters
    const root = await buildProgram(
      asked === parameters ? verb : 'version',
      own.includes('--help') || verb === 'help',
      parameters,
    )
    if (asked.length === 0) writeAll(2, `${root.helpInformation()}\n`)
    await root.parseAsync(asked, { from: 'user' })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    return report(error)
  }
}

/** The whole command line, or as much of it as the verb needs; `full` chooses the long help, `parameters` are those of the verb's run. */
export const buildProgram = async (
  verb: string | null,
  full: boolean,
  parameters?: readonly string[],
): Promise<Command> => {
  const root = rootCommand(full)
  const name = verb === null ? null : (aliases[verb] ?? verb)
  const known = groups.some(([, commands]) => name !== null && Object.hasOwn(commands, name))
  for (const [heading, commands] of groups) {
    root.commandsGroup(heading)
    for (const [command, load] of Object.entries(commands)) {
      if (!known || name === 'help' || name === 'completion' || command === name) {
        await (await load()).register(root, command === name ? parameters : undefined)
      }
    }
  }
  return root
}

/** The first parameter that is neither a global option nor the value of one; null if there is none. */
const verbOf = (parameters: readonly string[]): string | null => {
  for (let index = 0; index < parameters.length; index++) {
    const parameter = parameters[index] ?? ''
    if (!parameter.startsWith('-')) return parameter
    if (['-b', '--broker', '--config', '--color'].includes(parameter)) index++
  }
  return null
}
