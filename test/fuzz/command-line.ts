import { readBatch } from '../../cli/batch.ts'
import { jobOptions } from '../../cli/enqueue-options.ts'
import { settings } from '../../cli/settings.ts'
import { JobqError } from '../../src/errors.ts'
import { parseInstant, parseSince } from '../../src/instant.ts'
import { parseRate } from '../../src/rate.ts'
import { parseSize } from '../../src/size.ts'
import { parseSignal } from '../../src/time-limit.ts'
import type { FuzzTarget } from './target.ts'

const now = Date.UTC(2030, 0, 31)
const isRefusal = (error: unknown): boolean => error instanceof JobqError && error.code === 'usage'
const examplesOf = (...texts: readonly string[]): Uint8Array[] => texts.map((text) => Buffer.from(text))

const parsers: Readonly<Record<string, (text: string) => unknown>> = {
  instant: (text) => parseInstant(text, now),
  since: (text) => parseSince(text, now),
  rate: parseRate,
  size: parseSize,
  signal: parseSignal,
  ...Object.fromEntries(Object.entries(jobOptions).map(([name, { parse }]) => [name, parse])),
  ...Object.fromEntries(Object.entries(settings).map(([name, { parse }]) => [`setting ${name}`, parse])),
}

/** The lines of `jobq enqueue --batch`. */
export const batchTarget: FuzzTarget = {
  name: 'batch',
  examples: examplesOf(
    '{"task":"mail/send","payload":{"to":"ann"}}\n{"argv":["ls","-l"],"queue":"media","priority":9}\n',
    '{"shell":"ls | wc","cwd":"/tmp","env":{"A":"1"},"delay":"5m","expires":90,"retries":3,"backoff":"fixed:30s"}',
    '{"task":"t","unique":"k","onConflict":"replace","tags":["a","b"],"meta":{"x":"y"},"name":"n","ref":"r"}\n\n',
    '{"task":"t","at":"2030-01-31T08:00:00Z","after":[1,2],"afterAny":[3],"softTimeLimit":5,"timeLimit":"10s"}',
  ),
  words: [
    '\n',
    '\r\n',
    '{',
    '}',
    '[',
    '"',
    ',',
    ':',
    'null',
    'true',
    '-1',
    '1e999',
    '9007199254740993',
    '"__proto__":',
    '"envAll":true',
    '{"toString":1}',
    '"hold":',
    '\\u0000',
    '\\ud800',
    '\ufeff',
    '\0',
  ],
  read: (input) => readBatch(Buffer.from(input).toString(), {}, now),
  isRefusal,
}

/** Every parser of a flag, a variable or an argument, all of them with each text. */
export const valuesTarget: FuzzTarget = {
  name: 'values',
  examples: examplesOf(
    '5m',
    '1h30m',
    'PT5M',
    '2030-01-31T08:00:00+01:00',
    'tomorrow 08:00',
    '@1700000000',
    '12:30',
    '100/m',
    '64KiB',
    'exponential:2s..10m,nojitter',
    'a=b',
    '1,2,3',
    'high:3,low:1',
    '8,2',
    'sqlite:jobs.db',
    'SIGTERM',
    'mail/send',
    'all',
  ),
  words: [
    '-',
    '+',
    ':',
    '.',
    ',',
    '/',
    '..',
    'T',
    'Z',
    'ms',
    's',
    'd',
    'P',
    'e9',
    '0x',
    '00',
    '99999999999999999999',
    ' ',
    '\n',
    '\0',
    '%',
    '\u202e',
    '\ud800',
    'redis://',
    'file:',
    '//',
  ],
  read(input) {
    const text = Buffer.from(input).toString()
    for (const [name, parse] of Object.entries(parsers)) {
      try {
        parse(text)
      } catch (error) {
        if (!isRefusal(error)) throw new Error(`as ${name}`, { cause: error })
      }
    }
  },
  isRefusal,
}
