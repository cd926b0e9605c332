import type { Command } from 'commander'
import { systemClock } from '../../src/clock.ts'
import { distinct, tellAnswers } from '../answers.ts'
import { explain } from '../help.ts'
import { argument, jobId } from '../options.ts'
import { withQueue } from '../session.ts'

/** Adds `jobq cancel`. */
export const register = (program: Command): void => {
  const command = program
    .command('cancel')
    .addArgument(argument('<id...>', 'ids of jobs', jobId))
    .description('cancel jobs: those that wait never run, those that run are asked to end, then killed')
    .action((given: readonly number[], _options: unknown, command: Command) =>
      withQueue(command, async (queue, { output }) => {
        const ids = distinct(given)
        const answers = await queue.broker.cancel({ ids }, 'Cancelled', systemClock.now())
        const told = ids.map((id, index) => ({ id, answer: answers[index] ?? 'not-found' }))
        tellAnswers(output, told, { finished: 'has finished already' })
      }),
    )
  explain(
    command,
    [
      ['jobq cancel 41 42', 'cancel two jobs'],
      ['jobq cancel 41 && jobq wait 41', 'and wait until it has ended'],
    ],
    'A running job is "cancelling" until its worker has ended it: the task is aborted or the command gets SIGTERM, and it is killed after --kill-after of its worker.',
  )
}
