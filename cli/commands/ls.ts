/**
 * `jobq ls`. On a terminal it shows the newest fifty and says so; for a program it gives everything, page by page, so
 * that a million jobs need no more memory than a thousand.
 */
import type { Command } from 'commander'
import type { JobFilter } from '../../src/broker/broker.ts'
import { systemClock } from '../../src/clock.ts'
import { parseSince } from '../../src/instant.ts'
import { type Job, type JobState, jobStates } from '../../src/job.ts'
import { jobJson } from '../../src/job-json.ts'
import { explain } from '../help.ts'
import { jobText, progressText, stateStyle, stateText } from '../job-text.ts'
import { listOf, nameOf, oneOf, option, wholeNumber } from '../options.ts'
import type { Output } from '../output.ts'
import { type Queue, withQueue } from '../session.ts'
import type { Column } from '../table.ts'
import { visibleJson } from '../visible.ts'

const terminalLimit = 50
const pageSize = 1_000

const sortKeys = ['newest', 'oldest', 'priority', 'due', 'started', 'finished'] as const
type SortKey = (typeof sortKeys)[number]

interface Options {
  readonly state?: readonly JobState[]
  readonly queue?: string
  readonly task?: string
  readonly tag?: string
  readonly since?: number
  readonly limit?: number
  readonly sort?: SortKey
}

/** Adds `jobq ls`. */
export const register = (program: Command): void => {
  const command = program
    .command('ls')
    .aliases(['list', 'status'])
    .description('list jobs, the newest first')
    .addOption(option('--state <s,s>', `only in these states: ${jobStates.join(', ')}`, listOf(oneOf(...jobStates))))
    .addOption(option('-q, --queue <name>', 'only of this queue', nameOf('queue')))
    .addOption(option('--task <name>', "only of this task ('exec' is commands)", nameOf('task')))
    .addOption(option('--tag <tag>', 'only with this tag', nameOf('tag')))
    .addOption(
      option('--since <instant|age>', 'only created since then', (text) => parseSince(text, systemClock.now().at)),
    )
    .addOption(
      option('--limit <n>', `at most this many; 0 is all (default: ${terminalLimit} on a terminal)`, wholeNumber(0)),
    )
    .addOption(option('--sort <key>', `${sortKeys.join(', ')} (first)`, oneOf(...sortKeys)))
    .action((options: Options, command: Command) =>
      withQueue(command, async (queue, { output, shown }) => {
        const limit =
          options.limit === 0 ? null : (options.limit ?? (output.terminal && !output.json ? terminalLimit : null))
        // One more than is shown, to know whether there are more.
        const found = mapEach(readJobs(queue, options, limit === null ? null : limit + 1), shown)
        await print(found, limit, output)
        if (limit === null || options.limit !== undefined) return
        const more = (await found.next()).done === false
        if (more) output.message(`The first ${limit} are shown; --limit 0 shows all.`)
      }),
    )
  explain(
    command,
    [
      ['jobq ls', 'what is going on'],
      ['jobq ls --state failed --since 1h', 'what failed in the last hour'],
      ['jobq ls -q mail --sort due', 'what queue mail will run next'],
      ['jobq ls --state failed --quiet | xargs jobq retry', 'run failed jobs again'],
    ],
    `Sorting by priority, due, started or finished puts the highest priority, the earliest due and the latest started or
finished first.

Columns when stdout is not a terminal, separated by tabs and never coloured, whatever --color says: id, state, label, task, queue, priority, attempt, max attempts,
created, due, started, finished, what it is, how far it is or what became of it.`,
  )
}

async function* mapEach<T>(all: AsyncGenerator<T>, change: (one: T) => T): AsyncGenerator<T, void, undefined> {
  for await (const one of all) yield change(one)
}

/** The jobs that match, in the order asked for, one by one. */
async function* readJobs(queue: Queue, options: Options, limit: number | null): AsyncGenerator<Job, void, undefined> {
  const { state, sort = 'newest', since, tag, task, queue: name } = options
  const filter: JobFilter = {
    ...(state === undefined ? {} : { states: state }),
    ...(name === undefined ? {} : { queue: name }),
    ...(task === undefined ? {} : { task }),
    ...(tag === undefined ? {} : { tag }),
    ...(since === undefined ? {} : { since }),
    order: sort === 'oldest' ? 'oldest' : 'newest',
  }
  if (sort === 'newest' || sort === 'oldest') {
    yield* readPages(queue, filter, limit)
    return
  }
  const compare = orders[sort]
  let kept: Job[] = []
  for await (const job of readPages(queue, filter, null)) {
    kept.push(job)
    if (limit !== null && kept.length >= limit + pageSize) kept = kept.sort(compare).slice(0, limit)
  }
  yield* kept.sort(compare).slice(0, limit ?? kept.length)
}

async function* readPages(queue: Queue, filter: JobFilter, limit: number | null): AsyncGenerator<Job, void, undefined> {
  let left = limit ?? Number.POSITIVE_INFINITY
  let cursor: number | undefined
  while (left > 0) {
    const size = Math.min(pageSize, left)
    const after = cursor === undefined ? {} : { cursor }
    const page = await queue.broker.jobs.list({ ...filter, ...after, limit: size }, systemClock.now())
    yield* page
    cursor = page.at(-1)?.id
    left -= page.length
    if (page.length < size) return
  }
}

const orders: Readonly<Record<Exclude<SortKey, 'newest' | 'oldest'>, (one: Job, other: Job) => number>> = {
  priority: (one, other) => other.priority - one.priority || one.id - other.id,
  due: (one, other) => one.dueAt - other.dueAt || one.id - other.id,
  started: (one, other) => (other.startedAt ?? 0) - (one.startedAt ?? 0) || other.id - one.id,
  finished: (one, other) => (other.finishedAt ?? 0) - (one.finishedAt ?? 0) || other.id - one.id,
}

/** Prints up to `limit` jobs; the rest stays in `found`. */
const print = async (
  found: AsyncGenerator<Job, void, undefined>,
  limit: number | null,
  output: Output,
): Promise<void> => {
  let printed = 0
  let page: Job[] = []
  const flush = (): void => {
    if (output.json)
      output.raw(
        page
          .map((job, index) => `${printed + index === 0 ? '[' : ',\n'}${visibleJson(JSON.stringify(jobJson(job)))}`)
          .join(''),
      )
    else if (output.quiet) for (const job of page) output.line(String(job.id))
    else output.table(output.terminal ? terminalColumns : columns, page)
    printed += page.length
    page = []
  }
  while (printed + page.length < (limit ?? Number.POSITIVE_INFINITY)) {
    const { done, value } = await found.next()
    if (done === true) break
    page.push(value)
    if (page.length === pageSize) flush()
  }
  flush()
  if (output.json) output.raw(printed === 0 ? '[]\n' : ']\n')
}

const terminalColumns: readonly Column<Job>[] = [
  { title: 'id', value: (job) => job.id },
  { title: 'state', value: stateText, style: stateStyle },
  { title: 'task', value: (job) => job.task },
  { title: 'queue', value: (job) => job.queue },
  { title: 'tries', value: (job) => `${job.attempt}/${job.maxAttempts}` },
  { title: 'created', value: (job) => ({ at: job.createdAt }) },
  { title: 'what', value: (job) => [progressText(job), jobText(job)].filter((text) => text !== '').join(' · ') },
]

const columns: readonly Column<Job>[] = [
  { title: 'id', value: (job) => job.id },
  { title: 'state', value: (job) => job.state },
  { title: 'label', value: (job) => job.label },
  { title: 'task', value: (job) => job.task },
  { title: 'queue', value: (job) => job.queue },
  { title: 'priority', value: (job) => job.priority },
  { title: 'attempt', value: (job) => job.attempt },
  { title: 'max attempts', value: (job) => job.maxAttempts },
  { title: 'created', value: (job) => ({ at: job.createdAt }) },
  { title: 'due', value: (job) => ({ at: job.dueAt }) },
  { title: 'started', value: (job) => ({ at: job.startedAt }) },
  { title: 'finished', value: (job) => ({ at: job.finishedAt }) },
  { title: 'what', value: jobText },
  { title: 'progress', value: progressText },
]
