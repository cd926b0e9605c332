import type { Command } from 'commander'
import { parseDuration } from '../../src/duration.ts'
import type { JobqEvent } from '../../src/event.ts'
import { eventJson } from '../../src/event-json.ts'
import { isFinished, type Job } from '../../src/job.ts'
import { jobJson } from '../../src/job-json.ts'
import { distinct } from '../answers.ts'
import { eventText } from '../event-text.ts'
import { Exit } from '../exit.ts'
import { foundJob } from '../found-job.ts'
import { explain } from '../help.ts'
import { stateStyle } from '../job-text.ts'
import { argument, jobId, option } from '../options.ts'
import type { Output } from '../output.ts'
import { type Queue, withQueue } from '../session.ts'
import { exitCodeOf, waitForJobs, waitShown } from '../wait.ts'

interface Flags {
  readonly timeout?: number
  readonly any?: boolean
  readonly wait: boolean
  readonly progress?: boolean
}

/** Adds `jobq wait`. */
export const register = (program: Command): void => {
  const command = program
    .command('wait')
    .addArgument(argument('<id...>', 'ids of jobs', jobId))
    .addOption(option('--timeout <duration>', 'give up after this long, with exit code 124', parseDuration))
    .option('--any', 'until one of them has finished')
    .option('--no-wait', 'do not wait: exit code 8 if they have not finished')
    .option('--progress', 'print what happens to them meanwhile')
    .description('wait until jobs have finished')
    .action((given: readonly number[], flags: Flags, command: Command) =>
      withQueue(command, async (queue, { output, shown }) => {
        const ids = distinct(given)
        const jobs = flags.wait ? await finished(queue, ids, { flags, output }) : await asTheyAre(queue, ids)
        const ended = jobs.filter(({ state }) => isFinished(state))
        print(output, ended.map(shown), ids.length === 1 || flags.progress === true)
        if (ended.length < (flags.any === true ? 1 : ids.length)) throw new Exit(8)
        const [only] = ended
        const code =
          ids.length === 1 && only !== undefined
            ? exitCodeOf(only)
            : ended.some(({ state }) => state !== 'succeeded')
              ? 4
              : 0
        if (code !== 0) throw new Exit(code)
      }),
    )
  explain(
    command,
    [
      ['jobq wait 41', 'exits as the command did'],
      ['jobq wait 41 42 --timeout 10m', '0 if both succeeded, 4 if not, 124 if too late'],
      ['jobq wait 41 --no-wait', '8 if it has not finished'],
      ['jobq wait 41 --progress', 'and see how far it is'],
    ],
    'One command: its own exit code, or 128+n where signal n killed it. Otherwise 0 if all succeeded, else 4.',
  )
}

const asTheyAre = async (queue: Queue, ids: readonly number[]): Promise<Job[]> => {
  const jobs: Job[] = []
  for (const id of ids) jobs.push(await foundJob(queue, id))
  return jobs
}

const finished = (
  queue: Queue,
  ids: readonly number[],
  { flags, output }: { readonly flags: Flags; readonly output: Output },
): Promise<Job[]> => {
  const tell = (event: JobqEvent): void => {
    if (output.json) output.record(eventJson(event))
    else output.message(`${event.job}  ${eventText(event, output)}`)
  }
  const options = { timeoutMs: flags.timeout ?? null, any: flags.any === true }
  if (flags.progress === true) return waitForJobs(queue.broker, ids, { ...options, onEvent: tell })
  return waitShown(queue.broker, ids, { ...options, output })
}

const print = (output: Output, jobs: readonly Job[], stream: boolean): void => {
  if (output.json && stream) for (const job of jobs) output.record(jobJson(job))
  else if (output.json) output.document(jobs.map(jobJson))
  else if (output.quiet) for (const { id } of jobs) output.line(String(id))
  else {
    output.table(
      [
        { title: 'id', value: ({ id }) => id },
        { title: 'state', value: ({ state }) => state, style: stateStyle },
        {
          title: 'took',
          value: ({ startedAt, finishedAt }) => ({
            ms: startedAt === null || finishedAt === null ? null : finishedAt - startedAt,
          }),
        },
        {
          title: 'error',
          value: ({ error }) => (error === null ? '' : `${error.type}: ${error.message.split('\n', 1)[0]}`),
        },
      ],
      jobs,
    )
  }
}
