import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eventText } from '../../cli/event-text.ts'
import { jobText } from '../../cli/job-text.ts'
import { localTime } from '../../cli/local-time.ts'
import type { EventType } from '../../src/event.ts'

const writer = { instant: (at: number) => `@${at}`, duration: (ms: number) => `${ms}ms` }

describe('eventText', () => {
  const rows: readonly [EventType, number | null, Record<string, unknown>, string][] = [
    ['job.queued', 0, {}, 'queued'],
    ['job.queued', 0, { dueAt: 5 }, 'queued, due @5'],
    ['job.requeued', 0, { dueAt: 0 }, 'queued again'],
    ['job.requeued', 0, { dueAt: 5 }, 'queued again, due @5'],
    ['job.started', 2, { pid: 7 }, 'attempt 2 started on w (pid 7)'],
    ['job.progress', 1, { fraction: 0.256, text: 'half' }, '26 % half'],
    ['job.succeeded', 1, { runtimeMs: 3 }, 'attempt 1 succeeded after 3ms'],
    [
      'job.failed',
      2,
      { runtimeMs: 3, error: { type: 'TypeError', message: 'a\nb' }, exitCode: 1 },
      'attempt 2 failed for good after 3ms: TypeError: a',
    ],
    ['job.retried', 1, { exitCode: 3, dueAt: 9 }, 'attempt 1 failed: exit code 3, next @9'],
    ['job.retried', 1, { signal: 'SIGKILL', exitCode: null, dueAt: 9 }, 'attempt 1 failed: killed by SIGKILL, next @9'],
    ['job.snoozed', 1, { dueAt: 9 }, 'attempt 1 put off, next @9'],
    ['job.cancelled', 0, { error: { type: 'Expired', message: 'too late' } }, 'cancelled: Expired: too late'],
    ['job.rejected', 0, { error: { type: 'UnknownTask', message: 'no' } }, 'cannot be run: UnknownTask: no'],
    ['pool.grown', null, { from: 1, to: 2, reason: 'work' }, 'grown from=1 to=2 reason=work'],
    ['queue.paused', null, {}, 'paused'],
    ['child.exited', null, { pid: 7, code: 0 }, 'child exited pid=7 code=0'],
    ['tasks.reloaded', null, { loaded: true, reason: 'HUP', tasks: 3, problems: [] }, '3 reloaded (HUP)'],
    [
      'tasks.reloaded',
      null,
      { loaded: false, reason: 'HUP', message: 'no', problems: [{ file: 'a.ts', line: 2, message: 'bad' }] },
      'no (HUP); a.ts:2: bad',
    ],
  ]
  for (const [type, attempt, data, expected] of rows) {
    test(expected, () => {
      const event = { id: 1, at: 0, type, job: 1, task: 't', queue: 'q', worker: 'w', attempt, data }
      assert.equal(eventText(event, writer), expected)
    })
  }
})

describe('jobText', () => {
  const rows: readonly [string, string | null, unknown, string][] = [
    ['exec', null, { argv: ['convert', 'a b.png', "it's"] }, `convert 'a b.png' 'it'\\''s'`],
    ['exec', 'nightly', { argv: ['true'] }, 'nightly'],
    ['exec', null, { argv: 'no list' }, '{"argv":"no list"}'],
    ['mail/send', null, { to: 'ann' }, '{"to":"ann"}'],
    ['mail/send', null, null, ''],
  ]
  for (const [task, name, payload, expected] of rows) {
    test(expected === '' ? 'nothing' : expected, () => assert.equal(jobText({ task, name, payload }), expected))
  }
})

test('localTime is the time of this machine, to the millisecond', () => {
  const at = new Date(2030, 0, 2, 3, 4, 5, 6).getTime()
  assert.equal(localTime(at), '2030-01-02 03:04:05.006')
})
