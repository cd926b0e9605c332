import type { Command } from 'commander'
import type { QueueSummary } from '../../src/broker/broker.ts'
import { systemClock } from '../../src/clock.ts'
import { explain } from '../help.ts'
import { withQueue } from '../session.ts'
import type { Column } from '../table.ts'

/** Adds `jobq queues`. */
export const register = (program: Command): void => {
  const command = program
    .command('queues')
    .description('list the queues with the counts of their jobs')
    .action((_options: unknown, command: Command) =>
      withQueue(command, async (queue, { output }) => {
        const queues = await queue.broker.jobs.queues(systemClock.now())
        if (output.json) output.document(queues)
        else if (output.quiet) for (const { name } of queues) output.line(name)
        else output.table(queueColumns, queues)
      }),
    )
  explain(
    command,
    [
      ['jobq queues', 'how they stand'],
      ['jobq queues --json', 'for a script'],
    ],
    "'scheduled' is the part of 'queued' that is not due yet, 'waits' how long the oldest one that is due has waited.",
  )
}

/** The columns in which queues are shown. */
export const queueColumns: readonly Column<QueueSummary>[] = [
  { title: 'queue', value: ({ name }) => name },
  {
    title: 'state',
    value: ({ paused }) => (paused ? 'paused' : 'active'),
    style: ({ paused }) => (paused ? 'yellow' : null),
  },
  { title: 'blocked', value: ({ blocked }) => blocked },
  { title: 'queued', value: ({ queued }) => queued },
  { title: 'scheduled', value: ({ scheduled }) => scheduled },
  { title: 'running', value: ({ running }) => running, style: ({ running }) => (running > 0 ? 'blue' : null) },
  { title: 'succeeded', value: ({ succeeded }) => succeeded },
  { title: 'failed', value: ({ failed }) => failed, style: ({ failed }) => (failed > 0 ? 'red' : null) },
  { title: 'cancelled', value: ({ cancelled }) => cancelled },
  { title: 'waits', value: ({ oldestWaitingMs }) => ({ ms: oldestWaitingMs }) },
]
