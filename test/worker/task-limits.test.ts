import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkConfig, type TaskSettings } from '../../src/config.ts'
import { JobqError } from '../../src/errors.ts'
import type { RunOptions } from '../../src/job.ts'
import type { TaskSummary } from '../../src/pool/task-summary.ts'
import { type LimitChange, TaskLimits } from '../../src/worker/task-limits.ts'

interface Said {
  readonly defaults?: TaskSettings
  readonly worker?: LimitChange
  readonly definition?: Partial<TaskSummary>
  readonly taskOptions?: TaskSettings
  readonly change?: LimitChange
  readonly job?: RunOptions
}

const limitsOf = ({ defaults = {}, worker = {}, definition = {}, taskOptions = {}, change, job = {} }: Said) => {
  const limits = new TaskLimits({
    config: checkConfig({ defaults, taskOptions: { t: taskOptions } }),
    worker,
    definition: (name) => ({ name, file: `/${name}.js`, kind: 'module', validated: false, ...definition }),
  })
  // Asked before as well: what was found then must not stand in the way.
  limits.for({ task: 't', options: {} })
  if (change !== undefined) limits.set('t', change)
  return limits.for({ task: 't', options: job })
}

const levels = [
  { defaults: { softTimeLimit: '1s', timeLimit: '11s' } },
  { worker: { softTimeLimitMs: 2_000, timeLimitMs: 12_000 } },
  { definition: { softTimeLimitMs: 3_000, timeLimitMs: 13_000 } },
  { taskOptions: { softTimeLimit: '4s', timeLimit: '14s' } },
  { change: { softTimeLimitMs: 5_000, timeLimitMs: 15_000 } },
  { job: { softTimeLimitMs: 6_000, timeLimitMs: 16_000 } },
] as const satisfies readonly Said[]

describe('the time limits of a job', () => {
  levels.forEach((level, index) => {
    it(`are those of its ${Object.keys(level)[0]} over what is less specific`, () => {
      const said: Said = Object.assign({}, ...levels.slice(0, index + 1))
      const wanted = { softMs: (index + 1) * 1_000, hardMs: (index + 11) * 1_000, softSignal: 'SIGTERM' }
      assert.deepEqual(limitsOf(said), wanted)
    })
  })

  it('are found for the soft and the hard one each by itself', () => {
    const said = { defaults: { timeLimit: '9s' }, worker: { softTimeLimitMs: 50 }, job: { timeLimitMs: 7_000 } }
    assert.deepEqual(limitsOf(said), { softMs: 50, hardMs: 7_000, softSignal: 'SIGTERM' })
  })

  it('are none where nobody says any', () => {
    assert.equal(limitsOf({}), null)
    assert.equal(limitsOf({ worker: { softTimeLimitMs: null, timeLimitMs: null } }), null)
  })

  it('come with the signal of the task, or of the defaults', () => {
    const defaults = { softSignal: 'INT', softTimeLimit: 5 }
    assert.equal(limitsOf({ defaults })?.softSignal, 'SIGINT')
    assert.equal(limitsOf({ defaults, taskOptions: { softSignal: 'SIGUSR1' } })?.softSignal, 'SIGUSR1')
    assert.equal(limitsOf({ taskOptions: { softSignal: 'HUP' }, job: { timeLimitMs: 1 } })?.softSignal, 'SIGHUP')
  })

  it('can be changed one at a time, and taken away', () => {
    const limits = new TaskLimits({
      config: checkConfig({}),
      worker: { timeLimitMs: 9_000 },
      definition: () => undefined,
    })
    const now = () => limits.for({ task: 't', options: {} })
    limits.set('t', { softTimeLimitMs: 1_000 })
    assert.deepEqual([now()?.softMs, now()?.hardMs], [1_000, 9_000])
    limits.set('t', { timeLimitMs: null })
    assert.deepEqual([now()?.softMs, now()?.hardMs], [1_000, null])
    limits.set('t', { softTimeLimitMs: null })
    assert.equal(now(), null)
    assert.equal(limits.for({ task: 'other', options: {} })?.hardMs, 9_000)
  })

  it('are not changed to a soft one that would never come', () => {
    const limits = new TaskLimits({
      config: checkConfig({}),
      worker: { timeLimitMs: 9_000 },
      definition: () => undefined,
    })
    for (const change of [{ softTimeLimitMs: 9_000 }, { softTimeLimitMs: 5, timeLimitMs: 5 }]) {
      assert.throws(() => limits.set('t', change), { name: JobqError.name, code: 'usage' })
    }
    assert.deepEqual(limits.for({ task: 't', options: {} }), { softMs: null, hardMs: 9_000, softSignal: 'SIGTERM' })
  })
})
