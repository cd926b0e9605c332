import type { Command } from 'commander'
import { systemClock } from '../../src/clock.ts'
import { instantsAsText } from '../../src/event-json.ts'
import { jobStates } from '../../src/job.ts'
import { type Percentiles, readStats, type Stats } from '../../src/stats.ts'
import { explain } from '../help.ts'
import type { Output } from '../output.ts'
import { withQueue } from '../session.ts'
import { queueColumns } from './queues.ts'

/** Adds `jobq stats`. */
export const register = (program: Command): void => {
  const command = program
    .command('stats')
    .description('counts by state and queue, throughput, waiting and run times')
    .action((_options: unknown, command: Command) =>
      withQueue(command, async (queue, { output }) => {
        const stats = await readStats(queue.broker, systemClock.now())
        if (output.json) output.document({ ...instantsAsText({ ...stats }), at: new Date(stats.at).toISOString() })
        else print(stats, output)
      }),
    )
  explain(
    command,
    [
      ['jobq stats', 'how it goes'],
      ["jobq stats --json | jq '.waitMs.p95'", 'for an alarm'],
    ],
    `Throughput is what ended in the last minute (of at most 50,000 events), a second. Waiting (from due to started) and
running times are those of the last 500 jobs that ended. 'drains' is when all that is due now would be done at this
throughput.`,
  )
}

const print = (stats: Stats, output: Output): void => {
  output.fields([
    ...jobStates.map((state) => [state, stats.counts[state]] as const),
    ['throughput', `${stats.perSecond}/s`],
    ['wait', percentilesText(stats.waitMs, output)],
    ['run', percentilesText(stats.runMs, output)],
    ['oldest waiting', { ms: stats.oldestWaitingMs }],
    ['drains', { at: stats.drainsAt }],
  ])
  if (!output.terminal || stats.queues.length === 0) return
  output.line('')
  output.table(queueColumns, stats.queues)
}

const percentilesText = ({ p50, p95, p99 }: Percentiles, output: Output): string | null => {
  if (p50 === null || p95 === null || p99 === null) return null
  return `p50 ${output.duration(p50)}, p95 ${output.duration(p95)}, p99 ${output.duration(p99)}`
}
