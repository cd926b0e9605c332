import type { Command } from 'commander'
import { systemClock } from '../../src/clock.ts'
import { explain } from '../help.ts'
import { argument, nameOf } from '../options.ts'
import { withQueue } from '../session.ts'

/** Adds `jobq pause` and `jobq resume`. */
export const register = (program: Command): void => {
  const pause = program
    .command('pause')
    .addArgument(argument('<queue...>', 'names of queues', nameOf('queue')))
    .description('let nothing more of these queues start')
    .action((names: readonly string[], _options: unknown, command: Command) => setPaused(names, true, command))
  explain(pause, [['jobq pause media', 'what runs goes on, what waits waits']])
  const resume = program
    .command('resume')
    .addArgument(argument('<queue...>', 'names of queues', nameOf('queue')))
    .description('let paused queues go on')
    .action((names: readonly string[], _options: unknown, command: Command) => setPaused(names, false, command))
  explain(resume, [['jobq resume media', 'let it go on']])
}

const setPaused = (names: readonly string[], paused: boolean, command: Command): Promise<void> =>
  withQueue(command, async (queue, { output }) => {
    for (const name of new Set(names)) await queue.broker.setPaused(name, paused, systemClock.now())
    if (output.json) output.document(names.map((name) => ({ name, paused })))
    else if (!output.quiet) for (const name of names) output.line(`${name}\t${paused ? 'paused' : 'resumed'}`)
  })
