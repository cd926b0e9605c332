import type { Command } from 'commander'
import type { PruneFilter } from '../../src/broker/broker.ts'
import { systemClock } from '../../src/clock.ts'
import { parseDuration } from '../../src/duration.ts'
import { JobqError } from '../../src/errors.ts'
import { finishedStates } from '../../src/job.ts'
import { removeOutput } from '../../src/output/remove-output.ts'
import { outputFolder } from '../broker-file.ts'
import { explain } from '../help.ts'
import { listOf, nameOf, oneOf, option, wholeNumber } from '../options.ts'
import { withQueue } from '../session.ts'

interface Flags {
  readonly olderThan?: number
  readonly state?: readonly (typeof finishedStates)[number][]
  readonly queue?: string
  readonly keep?: number
  readonly dryRun?: boolean
}

const batchSize = 1_000

/** Adds `jobq prune`. */
export const register = (program: Command): void => {
  const command = program
    .command('prune')
    .addOption(option('--older-than <duration>', 'those that finished longer ago than this', parseDuration))
    .addOption(option('--state <states>', `of ${finishedStates.join(', ')}`, listOf(oneOf(...finishedStates))))
    .addOption(option('-q, --queue <name>', 'of this queue', nameOf('queue')))
    .addOption(option('--keep <n>', 'leave the newest n of those', wholeNumber(0)))
    .option('--dry-run', 'only say which')
    .description('delete finished jobs and their output by age, state and number')
    .action((flags: Flags, command: Command) => {
      const filter = filterOf(flags)
      return withQueue(command, async (queue, { output, broker }) => {
        const { jobs } = queue.broker
        const progress = output.progress('deleting')
        const total =
          progress.shown && flags.dryRun !== true ? (await jobs.prune({ ...filter, dryRun: true })).length : null
        let count = 0
        try {
          for (;;) {
            const ids = await jobs.prune(flags.dryRun === true ? filter : { ...filter, limit: batchSize })
            count += ids.length
            progress.update(count, total, 'jobs')
            if (flags.dryRun !== true && ids.length > 0) removeOutput(outputFolder(broker.value), ids)
            if (output.quiet) for (const id of ids) output.line(String(id))
            if (flags.dryRun === true || ids.length < batchSize) break
          }
        } finally {
          progress.end()
        }
        if (output.json) output.document({ pruned: count, dryRun: flags.dryRun === true })
        else if (!output.quiet) output.line(`${count} ${flags.dryRun === true ? 'would be deleted' : 'deleted'}`)
      })
    })
  explain(command, [
    ['jobq prune --older-than 7d --state succeeded', 'old successes'],
    ['jobq prune -q media --keep 1000 --dry-run', 'how many would go?'],
  ])
}

const filterOf = ({ olderThan, state, queue, keep, dryRun }: Flags): PruneFilter => {
  if (olderThan === undefined && state === undefined && queue === undefined && keep === undefined) {
    throw new JobqError('usage', 'which jobs? say --older-than, --state, --queue or --keep')
  }
  return {
    ...(state === undefined ? {} : { states: state }),
    ...(queue === undefined ? {} : { queue }),
    ...(olderThan === undefined ? {} : { finishedBefore: systemClock.now().at - olderThan }),
    ...(keep === undefined ? {} : { keep }),
    ...(dryRun === true ? { dryRun } : {}),
  }
}
