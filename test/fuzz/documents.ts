import { checkConfig } from '../../src/config.ts'
import { checkCommand } from '../../src/control/command.ts'
import { JobqError } from '../../src/errors.ts'
import type { FuzzTarget } from './target.ts'

const words = [
  ...['{', '}', '[', ']', '"', ',', ':', 'null', 'true', '-1', '0', '1e999', '1.5', '""', '" "', '"5m"', '"64k"'],
  ...['{"toString":1}', '"__proto__":{}', '"constructor":', '"\\ud800"', '"\\u0000"', '"a/../b"'],
]

const isRefusal = (error: unknown): boolean =>
  error instanceof SyntaxError || (error instanceof JobqError && error.code === 'usage')

const target = (name: string, examples: readonly object[], check: (value: unknown) => unknown): FuzzTarget => ({
  name,
  examples: examples.map((example) => Buffer.from(JSON.stringify(example))),
  words,
  read: (input) => check(JSON.parse(Buffer.from(input).toString())),
  isRefusal,
})

/** What comes through the socket of a worker. */
export const controlTarget = target(
  'control',
  [
    { verb: 'grow', count: 2 },
    { verb: 'autoscale', max: 8, min: 2 },
    { verb: 'limits', task: 'mail/send', softTimeLimitMs: 50_000, timeLimitMs: null },
    { verb: 'reload' },
    { verb: 'status' },
  ],
  checkCommand,
)

/** A configuration, as far as JSON can say it. */
export const configTarget = target(
  'config',
  [
    {
      broker: 'jobs.db',
      tasks: ['tasks', 'more'],
      worker: { concurrency: 4, grace: '30s', maxMemoryPerChild: '256M' },
    },
    { worker: { autoscale: [8, 2], autoscaleKeepalive: 5000, watch: { include: ['lib'] }, prefetch: 10, name: 'w' } },
    { defaults: { retries: 3, backoff: 'fixed:5s', timeLimit: '1m', priority: 7, queue: 'q' } },
    {
      taskOptions: { exec: { nice: 10, ionice: 'best-effort:7', rlimits: { nofile: 256, as: '1G' }, user: 'nobody' } },
    },
  ],
  checkConfig,
)
