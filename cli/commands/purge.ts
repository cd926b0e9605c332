import type { Command } from 'commander'
import { systemClock } from '../../src/clock.ts'
import { JobqError } from '../../src/errors.ts'
import { Exit } from '../exit.ts'
import { explain } from '../help.ts'
import { argument, nameOf } from '../options.ts'
import { withQueue } from '../session.ts'

interface Flags {
  readonly yes?: boolean
  readonly dryRun?: boolean
}

/** Adds `jobq purge`. */
export const register = (program: Command): void => {
  const command = program
    .command('purge')
    .addArgument(argument('<queue>', 'name of a queue', nameOf('queue')))
    .option('-y, --yes', 'yes, cancel them')
    .option('--dry-run', 'only say how many')
    .description('cancel all that waits in a queue, with the reason "purged"')
    .action((name: string, flags: Flags, command: Command) =>
      withQueue(command, async (queue, { output }) => {
        const now = systemClock.now()
        const known = (await queue.broker.jobs.queues(now)).find((each) => each.name === name)
        if (known === undefined) throw new Exit(3, `there is no queue ${name}`)
        const waiting = known.queued + known.blocked
        if (flags.dryRun !== true && flags.yes !== true) {
          throw new JobqError(
            'usage',
            `this would cancel ${waiting} ${waiting === 1 ? 'job' : 'jobs'} of queue ${name}: say --yes (or --dry-run)`,
          )
        }
        const count =
          flags.dryRun === true ? waiting : (await queue.broker.cancel({ queue: name }, 'Purged', now)).length
        if (output.json) output.document({ queue: name, purged: count, dryRun: flags.dryRun === true })
        else if (!output.quiet) output.line(`${count} ${flags.dryRun === true ? 'would be purged' : 'purged'}`)
      }),
    )
  explain(command, [
    ['jobq purge media --dry-run', 'how many would it be?'],
    ['jobq purge media -y', 'cancel them'],
  ])
}
