/**
 * `jobq events`: the event log, oldest first, as people or programs read it. A follower goes on through prunings, stops of
 * workers and times when the broker cannot be read, and ends with its reader.
 */
import type { Command } from 'commander'
import type { EventFilter, EventLog } from '../../src/broker/broker.ts'
import { eventPages } from '../../src/client/event-pages.ts'
import { systemClock } from '../../src/clock.ts'
import { JobqError } from '../../src/errors.ts'
import { type EventsPruned, type EventType, type JobqEvent, matchEventTypes } from '../../src/event.ts'
import { eventJson } from '../../src/event-json.ts'
import { parseSince } from '../../src/instant.ts'
import { eventStyle, eventText } from '../event-text.ts'
import { explain } from '../help.ts'
import { localTime } from '../local-time.ts'
import { jobId, option, wholeNumber } from '../options.ts'
import type { Output } from '../output.ts'
import { watchReader } from '../reader.ts'
import { withQueue } from '../session.ts'
import type { Column } from '../table.ts'

const pageSize = 1_000

interface Options {
  readonly follow?: boolean
  readonly after?: number
  readonly since?: number
  readonly last?: number
  readonly type?: ReadonlySet<EventType>
  readonly job?: number
}

/** Adds `jobq events`. */
export const register = (program: Command): void => {
  const command = program
    .command('events')
    .description('print the event log, oldest first')
    .option('-f, --follow', 'go on with new events; alone, show only these')
    .addOption(option('--after <event id>', 'only those behind this one', wholeNumber(0)))
    .addOption(option('--since <instant|age>', 'only since then', (text) => parseSince(text, systemClock.now().at)))
    .addOption(option('-n, --last <n>', 'only the last n of them', wholeNumber(0)))
    .addOption(option('--type <type,type>', 'only of these types, such as job.failed or worker.*', eventTypesOf))
    .addOption(option('--job <id>', 'only of this job', jobId))
    .action((options: Options, command: Command) =>
      withQueue(command, async (queue, { output }) => {
        const log = queue.broker.events
        const filter = {
          limit: pageSize,
          ...(options.type === undefined ? {} : { types: options.type }),
          ...(options.job === undefined ? {} : { job: options.job }),
        }
        const start = await startOf(log, options)
        const after =
          options.last === undefined ? start : await printLast(log, { ...filter, after: start }, options.last, output)
        await printFrom(log, filter, { after, options, output })
      }),
    )
  explain(
    command,
    [
      ['jobq events -n 20', 'the last twenty'],
      ['jobq events -f', 'what happens now, until interrupted'],
      ['jobq events -f --json --type job.failed | my-alarm', 'one JSON document a line, for a program'],
      ['jobq events --after 4711 --json', 'go on where a program has stopped'],
    ],
    `The id of an event is the cursor for --after. Events that were pruned before they were read are told by a line of the
type events.pruned with the first and last of their ids. A follower outlives the workers, waits where the broker cannot
be read for a while, and ends when nobody reads its output any more.

Columns when stdout is not a terminal, separated by tabs: id, at, type, job, task, queue, worker, attempt, text.`,
  )
}

const eventTypesOf = (text: string): ReadonlySet<EventType> => {
  try {
    return matchEventTypes(text.split(',').map((part) => part.trim()))
  } catch (error) {
    throw new JobqError('usage', error instanceof Error ? error.message : String(error), { cause: error })
  }
}

const startOf = async (log: EventLog, options: Options): Promise<number> => {
  if (options.after !== undefined) return options.after
  if (options.since !== undefined) return log.cursorAt(options.since)
  const wholeLog = options.follow !== true || options.last !== undefined
  return wholeLog ? 0 : log.last()
}

/** Prints everything behind a cursor; with `--follow` until nobody reads it any more. */
const printFrom = async (
  log: EventLog,
  filter: Omit<EventFilter, 'after'>,
  { after, options, output }: { readonly after: number; readonly options: Options; readonly output: Output },
): Promise<void> => {
  const follow = options.follow === true
  if (!follow && options.last !== undefined) return
  const gone = new AbortController()
  const unwatch = follow ? await watchReader(() => gone.abort()) : null
  if (follow && options.after !== undefined && after > (await log.last())) {
    output.message(`Event ${after} has not happened yet: only what comes behind it is shown.`)
  }
  const onAway = (reason: string | null): void =>
    output.message(reason === null ? 'The broker is back.' : `${reason}; trying again`)
  for await (const { events } of eventPages(log, filter, { after, follow, signal: gone.signal, onAway })) {
    printEvents(events, output)
  }
  unwatch?.()
}

/** Prints the last few behind the filter's cursor; answers where they end. */
const printLast = async (log: EventLog, filter: EventFilter, last: number, output: Output): Promise<number> => {
  const everything = filter.types === undefined && filter.job === undefined
  const newest = await log.last()
  let cursor = everything ? Math.max(filter.after, newest - last) : filter.after
  let kept: JobqEvent[] = []
  for await (const stretch of eventPages(log, filter, { after: cursor, follow: false })) {
    const found = stretch.events.filter((event) => event.type !== 'events.pruned')
    kept = last === 0 ? [] : [...kept, ...found].slice(-last)
    cursor = stretch.cursor
  }
  printEvents(kept, output)
  return cursor
}

const printEvents = (events: readonly (JobqEvent | EventsPruned)[], output: Output): void => {
  const known = events.filter((event) => event.type !== 'events.pruned')
  const gap = events.find((event) => event.type === 'events.pruned')
  if (output.json) {
    for (const event of events) output.record(eventJson(event))
    return
  }
  if (gap !== undefined && output.terminal) output.message(`Events ${gap.from} to ${gap.to} were pruned.`)
  else if (gap !== undefined) output.line(`${gap.from}\t\t${gap.type}\t\t\t\t\t\t${gap.from} to ${gap.to}`)
  if (output.quiet) for (const event of known) output.line(String(event.id))
  else if (output.terminal) for (const event of known) output.line(terminalLine(event, output))
  else output.table(columns(output), known)
}

const terminalLine = (event: JobqEvent, output: Output): string => {
  const subject = event.job === null ? (event.worker ?? event.queue ?? '') : `#${event.job} ${event.task ?? ''}`
  const style = eventStyle(event.type)
  const text = eventText(event, output)
  const time = output.paint('dim', localTime(event.at))
  return `${time}  ${output.cell(subject).padEnd(24)}  ${style === null ? output.cell(text) : output.paint(style, text)}`
}

const columns = (output: Output): readonly Column<JobqEvent>[] => [
  { title: 'id', value: (event) => event.id },
  { title: 'at', value: (event) => ({ at: event.at }) },
  { title: 'type', value: (event) => event.type },
  { title: 'job', value: (event) => event.job },
  { title: 'task', value: (event) => event.task },
  { title: 'queue', value: (event) => event.queue },
  { title: 'worker', value: (event) => event.worker },
  { title: 'attempt', value: (event) => event.attempt },
  { title: 'text', value: (event) => eventText(event, output) },
]
