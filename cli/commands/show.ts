/**
 * `jobq show`: the whole story of one job, from what it is to how each attempt went. The timeline is the job's part of
 * the event log, so it is as long as the log is kept.
 */
import type { Command } from 'commander'
import type { JobqEvent } from '../../src/event.ts'
import { eventJson } from '../../src/event-json.ts'
import { commandTask, type Job } from '../../src/job.ts'
import { jobJson } from '../../src/job-json.ts'
import { eventStyle, eventText } from '../event-text.ts'
import { foundJob } from '../found-job.ts'
import { explain } from '../help.ts'
import { jobText, stateText } from '../job-text.ts'
import { localTime } from '../local-time.ts'
import { argument, jobId } from '../options.ts'
import type { Output } from '../output.ts'
import { type Queue, withQueue } from '../session.ts'
import type { Cell } from '../table.ts'

const pageSize = 1_000

/** Adds `jobq show`. */
export const register = (program: Command): void => {
  const command = program
    .command('show')
    .addArgument(argument('<id>', "the job's id", jobId))
    .description('show one job in full: payload, result, error, attempts and their timeline')
    .option('--raw', "with the values of the variables that 'enqueue --env' gave")
    .action((id: number, { raw }: { readonly raw?: true }, command: Command) =>
      withQueue(command, async (queue, { output, shown, shownRaw }) => {
        const found = await foundJob(queue, id)
        const job = raw === true ? shownRaw(found) : shown(found)
        if (output.quiet && !output.json) {
          output.line(String(job.id))
          return
        }
        const timeline = await readTimeline(queue, id)
        if (output.json) output.document({ ...jobJson(job), timeline: timeline.map(eventJson) })
        else print(job, timeline, output)
      }),
    )
  explain(
    command,
    [
      ['jobq show 41', 'for a person'],
      ["jobq show 41 --json | jq '.result'", 'its result, for a script'],
    ],
    `'jobq why 41' says why it is where it is, 'jobq logs 41' what it printed.

Variables that a command was given with --env or --env-all are shown by name only, here and by ls and wait; --raw shows
their values too. What the configuration redacts stays hidden in any case.`,
  )
}

const readTimeline = async (queue: Queue, job: number): Promise<JobqEvent[]> => {
  const timeline: JobqEvent[] = []
  for (let cursor = 0; ; ) {
    const page = await queue.broker.events.read({ after: cursor, job, limit: pageSize })
    timeline.push(...page.events)
    if (page.events.length < pageSize) return timeline
    cursor = page.cursor
  }
}

const print = (job: Job, timeline: readonly JobqEvent[], output: Output): void => {
  output.fields(
    fields(job, output.terminal ? pretty : compact).filter(([, value]) => !output.terminal || !isEmpty(value)),
  )
  // A job that reports its progress all the time has thousands of these; the last one is among the fields.
  const steps = timeline.filter((event) => event.type !== 'job.progress')
  if (!output.terminal) {
    output.table(
      [
        { title: 'what', value: () => 'event' },
        { title: 'at', value: (event) => ({ at: event.at }) },
        { title: 'type', value: (event) => event.type },
        { title: 'text', value: (event) => eventText(event, output) },
      ],
      steps,
    )
    return
  }
  output.line('')
  const first = steps[0]?.at ?? job.createdAt
  output.table(
    [
      { title: 'timeline', value: (event) => localTime(event.at) },
      { title: '', value: (event) => `+${output.duration(Math.max(0, event.at - first))}` },
      { title: 'event', value: (event) => eventText(event, output), style: (event) => eventStyle(event.type) },
    ],
    steps,
  )
}

type Field = readonly [title: string, value: Cell]

const isEmpty = (value: Cell): boolean =>
  value === null ||
  value === '' ||
  (typeof value === 'object' && ('at' in value ? value.at === null : value.ms === null))

/** Title and value of everything that a job has to show. */
const fields = (job: Job, json: (value: unknown) => string | null): readonly Field[] => [
  ['job', job.id],
  ['task', job.task],
  ['name', job.name],
  ['command', job.task === commandTask ? jobText({ ...job, name: null }) : null],
  ['queue', job.queue],
  ['state', stateText(job)],
  ['priority', job.priority],
  ['attempt', `${job.attempt} of ${job.maxAttempts}`],
  ['crashes', job.crashes === 0 ? null : job.crashes],
  [
    'progress',
    job.progress === null ? null : `${Math.round(job.progress.fraction * 100)} % ${job.progress.text ?? ''}`.trim(),
  ],
  ['created', { at: job.createdAt }],
  ['due', { at: job.dueAt }],
  ['started', { at: job.startedAt }],
  ['finished', { at: job.finishedAt }],
  ['expires', { at: job.expiresAt }],
  ['took', { ms: job.startedAt === null || job.finishedAt === null ? null : job.finishedAt - job.startedAt }],
  ['worker', job.worker],
  ['pid', job.pid],
  ['exit code', job.exitCode],
  ['signal', job.signal],
  ['unique', job.unique],
  ['after', list(job.after)],
  ['after any', list(job.afterAny)],
  ['tags', list(job.tags)],
  ['meta', list(Object.entries(job.meta).map(([key, value]) => `${key}=${value}`))],
  ['ref', job.ref],
  ['payload', job.hidden.payload === undefined ? json(job.payload) : `not shown: ${job.hidden.payload}`],
  ['result', resultLine(job, json)],
  ['serializer', job.serializer === 'json' ? null : job.serializer],
  ['compression', job.compression],
  ['signed by', job.signedBy],
  ['error', job.error === null ? null : (job.error.stack ?? `${job.error.type}: ${job.error.message}`)],
]

const resultLine = (job: Job, json: (value: unknown) => string | null): string | null => {
  if (job.state !== 'succeeded') return null
  return job.hidden.result === undefined ? json(job.result) : `not shown: ${job.hidden.result}`
}

const list = (values: readonly (string | number)[]): string => values.join(', ')

const compact = (value: unknown): string | null =>
  value === null || value === undefined ? null : JSON.stringify(value)

const pretty = (value: unknown): string | null => {
  const short = compact(value)
  return short === null || short.length <= 80 ? short : JSON.stringify(value, null, 2)
}
