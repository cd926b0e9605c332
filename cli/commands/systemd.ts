import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { Command } from 'commander'
import { isBinary } from '../binary/sea.ts'
import { brokerFile } from '../broker-file.ts'
import { Exit } from '../exit.ts'
import { explain } from '../help.ts'
import { named } from '../options.ts'
import { openSession, type Session } from '../session.ts'
import { resolve, settings } from '../settings.ts'
import { type Unit, unitText } from '../systemd-unit.ts'

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
      const text = unitText(unitFor(options, session, flags.user === true))
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

const unitFor = (options: readonly string[], { broker, config, sources }: Session, user: boolean): Unit => {
  // From sources and from the npm package the program is Node with a script. The binary is itself, and has in that
  // place the name that it was called by, which may be anything.
  const script = isBinary() ? undefined : process.argv[1]
  const self = script === undefined ? [] : [path.resolve(script)]
  const file = config === null ? [] : ['--config', config.file]
  const command = [process.execPath, ...self, 'run', '--broker', broker.value, ...file, ...options]
  const place = options.findIndex((option) => option === '--grace' || option.startsWith('--grace='))
  const grace = options[place]?.slice('--grace='.length) || options[place + 1]
  const given = place < 0 || grace === undefined ? undefined : named('--grace', () => settings.grace.parse(grace))
  const stopMs = resolve(settings.grace, given, sources).value + 30_000
  return { command, folder: sources.folder, stopMs, writable: path.dirname(brokerFile(broker.value, 'a unit')), user }
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
