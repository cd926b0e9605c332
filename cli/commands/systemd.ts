import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { Command } from 'commander'
import { JobqError } from '../../src/errors.ts'
import { isBinary } from '../binary/sea.ts'
import { brokerFile } from '../broker-file.ts'
import { Exit } from '../exit.ts'
import { explain } from '../help.ts'
import { rootCommand } from '../root-command.ts'
import { openSession, type Session } from '../session.ts'
import { type Unit, unitText } from '../systemd-unit.ts'
import { type RunFlags, workerSettings } from '../worker-settings.ts'
import * as run from './run.ts'

interface Flags {
  readonly install?: boolean
  readonly force?: boolean
  readonly user?: boolean
}

/** Adds `jobq systemd`. */
export const register = (program: Command): void => {
  const command = program
    .command('systemd')
    .argument('[option...]', "options of 'jobq run' for the service, behind --")
    .option('--install', 'write the unit where systemd finds it')
    .option('--force', 'with --install: replace a unit that says something else')
    .option('--user', "a unit of the user's own systemd (without it only for root)", process.getuid?.() !== 0)
    .description('print a systemd unit that runs a worker')
    .action(async (options: readonly string[], flags: Flags, command: Command) => {
      const session = await openSession(command)
      const { output } = session
      const text = unitText(await unitFor(options, session, flags.user === true))
      if (flags.install !== true) {
        output.raw(text)
        return
      }
      const file = install(text, flags)
      output.line(file)
      const scope = flags.user === true ? ' --user' : ''
      output.message(`start it with: systemctl${scope} enable --now jobq`)
    })
  explain(
    command,
    [
      ['jobq systemd -- -c 4 -q media', 'print a unit for this worker'],
      ['jobq systemd --install', 'install one for the default broker'],
    ],
    `The unit is of Type=notify: the worker tells systemd when it takes jobs, what it does ('systemctl status'), and that it
is not stuck, by the program systemd-notify. 'systemctl reload' loads its tasks anew, 'systemctl stop' lets it finish what
runs.`,
  )
}

const unitFor = async (options: readonly string[], outer: Session, user: boolean): Promise<Unit> => {
  // From sources and from the npm package the program is Node with a script. The binary is itself, and has in that
  // place the name that it was called by, which may be anything.
  const script = isBinary() ? undefined : process.argv[1]
  const self = script === undefined ? [] : [path.resolve(script)]
  const file = outer.config === null ? [] : ['--config', outer.config.file]
  const parameters = ['run', '--broker', outer.broker.value, ...file, ...options]
  const command = await readRun(parameters)
  const { broker, ...session } = await openSession(command)
  const flags: RunFlags = command.optsWithGlobals()
  if (flags.ui === true) throw new JobqError('usage', '--ui: a service has no terminal')
  const { grace } = workerSettings(flags, { broker, ...session })
  return {
    command: [process.execPath, ...self, ...parameters],
    folder: session.sources.folder,
    stopMs: grace + 30_000,
    writable: path.dirname(brokerFile(broker.value, 'a unit')),
    user,
  }
}

/** The command line of a worker, read as `jobq run` reads it. */
const readRun = async (parameters: readonly string[]): Promise<Command> => {
  const root = rootCommand(parameters.includes('--help'))
  await run.register(root, parameters)
  const [command = root] = root.commands
  command.action(() => undefined)
  await root.parseAsync(parameters, { from: 'user' })
  return command
}

const install = (text: string, { force, user }: Flags): string => {
  const folder =
    user === true
      ? path.join(process.env.XDG_CONFIG_HOME ?? path.join(os.homedir(), '.config'), 'systemd', 'user')
      : '/etc/systemd/system'
  const file = path.join(folder, 'jobq.service')
  const there = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : null
  if (there !== null && there !== text && force !== true) {
    throw new Exit(1, `${file} exists and says something else: --force replaces it`)
  }
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(`${file}.new`, text, { mode: 0o644 })
  fs.renameSync(`${file}.new`, file)
  // Where systemd does not run now, it reads the file when it starts.
  spawnSync('systemctl', [...(user === true ? ['--user'] : []), 'daemon-reload'], { stdio: 'ignore' })
  return file
}
