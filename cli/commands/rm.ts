import type { Command } from 'commander'
import { systemClock } from '../../src/clock.ts'
import { isFinished } from '../../src/job.ts'
import { removeOutput } from '../../src/output/remove-output.ts'
import { type Answer, distinct, tellAnswers } from '../answers.ts'
import { outputFolder } from '../broker-file.ts'
import { explain } from '../help.ts'
import { argument, jobId } from '../options.ts'
import { type Queue, withQueue } from '../session.ts'

interface Flags {
  readonly dryRun?: boolean
}

/** Adds `jobq rm`. */
export const register = (program: Command): void => {
  const command = program
    .command('rm')
    .addArgument(argument('<id...>', 'ids of finished jobs', jobId))
    .option('--dry-run', 'only say which would be deleted')
    .description('delete finished jobs and their output')
    .action((given: readonly number[], flags: Flags, command: Command) =>
      withQueue(command, async (queue, { output, broker }) => {
        const ids = distinct(given)
        const answers = flags.dryRun === true ? await foresee(queue, ids) : await remove(queue, ids)
        const gone = answers.filter(({ answer }) => answer === 'deleted').map(({ id }) => id)
        if (gone.length > 0) removeOutput(outputFolder(broker.value), gone)
        tellAnswers(output, answers, { unfinished: 'has not finished: cancel it first' })
      }),
    )
  explain(command, [['jobq rm 41 42', 'delete two finished jobs']])
}

const remove = async (queue: Queue, ids: readonly number[]): Promise<Answer[]> => {
  const removed = await queue.broker.jobs.remove(ids)
  const left = await foresee(
    queue,
    ids.filter((_, index) => removed[index] !== true),
  )
  const answers = new Map(left.map((answer) => [answer.id, answer]))
  return ids.map((id) => answers.get(id) ?? { id, answer: 'deleted' })
}

const foresee = (queue: Queue, ids: readonly number[]): Promise<Answer[]> =>
  Promise.all(
    ids.map(async (id) => {
      const job = await queue.broker.jobs.get(id, systemClock.now())
      if (job === null) return { id, answer: 'not-found' }
      return { id, answer: isFinished(job.state) ? 'would be deleted' : 'unfinished' }
    }),
  )
