import type { Command } from 'commander'
import { liveWorkers } from '../../src/client/live-workers.ts'
import { systemClock } from '../../src/clock.ts'
import { instantsAsText } from '../../src/event-json.ts'
import { readCircumstances } from '../../src/why/circumstances.ts'
import { explain as explainJob } from '../../src/why.ts'
import { foundJob } from '../found-job.ts'
import { explain } from '../help.ts'
import { stateText } from '../job-text.ts'
import { argument, jobId } from '../options.ts'
import { withQueue } from '../session.ts'

/** Adds `jobq why`. */
export const register = (program: Command): void => {
  const command = program
    .command('why')
    .addArgument(argument('<id>', "the job's id", jobId))
    .description('say why a job is where it is')
    .action((id: number, _options: unknown, command: Command) =>
      withQueue(command, async (queue, { output }) => {
        const job = await foundJob(queue, id)
        const circumstances = await readCircumstances(queue.broker, job, systemClock.now())
        const reasons = explainJob({ ...circumstances, workers: await liveWorkers(queue.broker) })
        if (output.json) {
          output.document({ id, state: job.state, reasons: reasons.map(instantsAsText) })
        } else if (output.terminal) {
          output.fields([[`job ${id} (${stateText(job)})`, reasons.map(({ text }) => text).join('\n')]])
        } else {
          output.table(
            [
              { title: 'code', value: ({ code }) => code },
              { title: 'reason', value: ({ text }) => text },
            ],
            reasons,
          )
        }
      }),
    )
  explain(
    command,
    [
      ['jobq why 41', 'everything that holds it up'],
      ["jobq why 41 --json | jq -r '.reasons[].code'", 'for a script'],
    ],
    'All reasons that hold are given, the one that decides first. Without a terminal: code and reason, separated by a tab.',
  )
}
