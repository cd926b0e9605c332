/** `jobq top`: the dashboard, in a terminal; elsewhere one frame of it. */
import type { Command } from 'commander'
import { systemClock } from '../../src/clock.ts'
import { parseSince } from '../../src/instant.ts'
import { Exit } from '../exit.ts'
import { explain } from '../help.ts'
import { option } from '../options.ts'
import { connectTo, onQueue, openSession, type Queue, type Session } from '../session.ts'
import { type GlobalFlags, resolve, settings } from '../settings.ts'
import { writeAll } from '../write.ts'

interface Flags {
  readonly snapshot?: true
  readonly at?: number
}

/** Adds `jobq top`. */
export const register = (program: Command): void => {
  const command = program
    .command('top')
    .aliases(['dashboard', 'ui'])
    .description('the dashboard: what waits, runs and fails, live, with the keys to do something about it')
    .option('--snapshot', 'print one frame and exit; so does top where stdout is no terminal')
    .addOption(option('--at <instant|age>', "the past: '10 min ago', 14:30, an instant", parseAt))
    .action(async (flags: Flags, command: Command) => {
      const session = await openSession(command)
      await onQueue(session, (queue) => top(queue, session, { ...command.optsWithGlobals(), ...flags }))
    })
  explain(
    command,
    [
      ['jobq top', 'watch; ? shows the keys'],
      ["jobq top --at '10 min ago'", 'how everything stood then'],
      ['jobq top --snapshot > status.txt', 'one frame'],
    ],
    `Every state is committed together with its event, so the past is put together exactly from the log, as far back as that is
kept. Finished jobs that were deleted since then are not counted.

It costs next to nothing where nothing happens, and a few percent of one CPU on a busy broker. Colour follows --color and
NO_COLOR; where the locale is not UTF-8 it is drawn in ASCII.`,
  )
}

const parseAt = (text: string): number => parseSince(text, systemClock.now().at)

const top = async (queue: Queue, session: Session, flags: Flags & GlobalFlags): Promise<void> => {
  const { sources, shown } = session
  const { snapshot, at = null } = flags
  const color = resolve(settings.color, flags.color, sources).value
  const { terminalAbility } = await import('../dashboard/terminal-ability.ts')
  const ability = terminalAbility(sources.environment, color)
  const of = { queue, clock: systemClock, url: queue.broker.url, inWorker: false, shown }
  if (snapshot === true || process.stdout.isTTY !== true || process.stdin.isTTY !== true) {
    const { printFrame } = await import('../dashboard/print-frame.ts')
    const painted =
      process.stdout.isTTY === true || color === 'always' ? ability : { ...ability, color: false, weight: false }
    writeAll(1, await printFrame(of, { ability: painted, at, environment: sources.environment }))
    return
  }
  const { mount } = await import('../dashboard/mount.ts')
  let code: number | null = null
  const end = (exitCode: number): void => {
    code ??= exitCode
    mounted.close()
  }
  const mounted = await mount({
    ...of,
    ability,
    pager: sources.environment.PAGER || 'less',
    at,
    reopen: async () => (await connectTo(session, { create: false })).queue,
    onInterrupt: () => end(130),
  })
  process.on('SIGTERM', () => end(143))
  process.on('SIGHUP', () => end(129))
  process.on('SIGINT', () => end(130))
  await mounted.closed
  if (code !== null) throw new Exit(code)
}
