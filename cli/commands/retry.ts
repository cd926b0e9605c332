import type { Command } from 'commander'
import { systemClock } from '../../src/clock.ts'
import { JobqError } from '../../src/errors.ts'
import { distinct, tellAnswers } from '../answers.ts'
import { explain } from '../help.ts'
import { argument, jobId, nameOf, option } from '../options.ts'
import { type Queue, withQueue } from '../session.ts'

interface Flags {
  readonly allFailed?: boolean
  readonly queue?: string
}

const pageSize = 1_000

/** Adds `jobq retry`. */
export const register = (program: Command): void => {
  const command = program
    .command('retry')
    .addArgument(argument('[id...]', 'ids of finished jobs', jobId))
    .option('--all-failed', 'all that failed')
    .addOption(option('-q, --queue <name>', 'with --all-failed: of this queue only', nameOf('queue')))
    .description('run finished jobs again, with their retries renewed')
    .action((given: readonly number[] | undefined, flags: Flags, command: Command) => {
      const ids = distinct(given ?? [])
      checkChoice(ids, flags)
      return withQueue(command, async (queue, { output }) => {
        const chosen = flags.allFailed === true ? await failedJobs(queue, flags.queue) : ids
        const now = systemClock.now()
        const answers = await queue.broker.requeue(chosen, now.at, now)
        const told = chosen.map((id, index) => ({ id, answer: answers[index] ?? 'not-found' }))
        tellAnswers(output, told, { unfinished: 'has not finished yet' })
      })
    })
  explain(
    command,
    [
      ['jobq retry 41', 'run job 41 again'],
      ['jobq retry --all-failed -q media', 'and whatever failed in a queue'],
    ],
    'Its attempts count on, its crash count starts again, and jobs that were cancelled because it had failed wait for it again.',
  )
}

const checkChoice = (ids: readonly number[], { allFailed, queue }: Flags): void => {
  if (allFailed === true && ids.length > 0) throw new JobqError('usage', '--all-failed: give it or ids, not both')
  if (allFailed !== true && queue !== undefined) throw new JobqError('usage', '--queue: only with --all-failed')
  if (allFailed !== true && ids.length === 0) throw new JobqError('usage', 'which jobs? give ids, or --all-failed')
}

const failedJobs = async (queue: Queue, name: string | undefined): Promise<number[]> => {
  const ids: number[] = []
  for (;;) {
    const cursor = ids.at(-1)
    const page = await queue.broker.jobs.list(
      {
        states: ['failed'],
        order: 'oldest',
        limit: pageSize,
        ...(name === undefined ? {} : { queue: name }),
        ...(cursor === undefined ? {} : { cursor }),
      },
      systemClock.now(),
    )
    ids.push(...page.map(({ id }) => id))
    if (page.length < pageSize) return ids
  }
}
