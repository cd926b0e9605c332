import type { Command } from 'commander'
import { systemClock } from '../../src/clock.ts'
import { parseDuration } from '../../src/duration.ts'
import { JobqError } from '../../src/errors.ts'
import { instantsAsText } from '../../src/event-json.ts'
import { jobStates } from '../../src/job.ts'
import { quote } from '../../src/quote.ts'
import { type Percentiles, type QueueStats, readStats, type Stats, usualWindowMs } from '../../src/stats.ts'
import { explain } from '../help.ts'
import { localTime } from '../local-time.ts'
import { option } from '../options.ts'
import type { Output } from '../output.ts'
import { withQueue } from '../session.ts'
import type { Cell } from '../table.ts'
import { queueColumns } from './queues.ts'

/** Adds `jobq stats`. */
export const register = (program: Command): void => {
  const command = program
    .command('stats')
    .description('counts by state and queue, throughput, waiting and run times')
    .addOption(option('--window <duration>', 'throughput and times of so long; default 1m', windowOf))
    .action(({ window }: { readonly window?: number }, command: Command) =>
      withQueue(command, async (queue, { output }) => {
        const stats = await readStats(queue.broker, systemClock.now(), window ?? usualWindowMs)
        if (output.json) output.document(document(stats))
        else print(stats, output)
      }),
    )
  explain(
    command,
    [
      ['jobq stats', 'how it goes'],
      ['jobq stats --window 1h', 'of the last hour'],
      ["jobq stats --json | jq '.waitMs.p95'", 'for an alarm'],
    ],
    `Throughput is what ended in the window, a second; where the window holds more than 50,000 events, or the log is shorter,
it is the time that those cover (windowMs with --json). Waiting (from due to started) and running times are those of up to
500 of these jobs, from the whole of the window. 'drains' is when all that is due now would be done at this throughput, for
each queue by its own.`,
  )
}

const windowOf = (text: string): number => {
  const windowMs = parseDuration(text)
  if (windowMs >= 1_000) return windowMs
  throw new JobqError('usage', `${quote(text)} is below 1s`)
}

const document = (stats: Stats): object => ({
  ...instantsAsText({ ...stats }),
  at: new Date(stats.at).toISOString(),
  queues: stats.queues.map((queue) => instantsAsText({ ...queue })),
})

const print = (stats: Stats, output: Output): void => {
  output.fields([
    ...jobStates.map((state) => [state, stats.counts[state]] as const),
    ['throughput', `${stats.perSecond}/s`],
    ['wait', percentilesText(stats.waitMs, output)],
    ['run', percentilesText(stats.runMs, output)],
    ['oldest waiting', { ms: stats.oldestWaitingMs }],
    ['drains', drainText(stats.drainsAt, output)],
  ])
  if (!output.terminal || stats.queues.length === 0) return
  output.line('')
  output.table<QueueStats>(
    [
      ...queueColumns,
      { title: 'per second', value: ({ perSecond }) => perSecond },
      { title: 'drains', value: ({ drainsAt }) => drainText(drainsAt, output) },
    ],
    stats.queues,
  )
}

/** On a terminal a time of the day that nobody takes for exact; elsewhere an instant. */
const drainText = (at: number | null, output: Output): Cell => {
  if (at === null || !output.terminal) return { at }
  const far = at - systemClock.now().at > 12 * 3_600_000
  return `about ${far ? localTime(at).slice(0, 16) : localTime(at).slice(11, 16)}`
}

const percentilesText = ({ p50, p95, p99 }: Percentiles, output: Output): string | null => {
  if (p50 === null || p95 === null || p99 === null) return null
  return `p50 ${output.duration(p50)}, p95 ${output.duration(p95)}, p99 ${output.duration(p99)}`
}
