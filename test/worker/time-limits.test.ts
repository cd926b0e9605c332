// What becomes of jobs that pass their limits: state, attempts, events, and the jobs beside them.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { JobqError } from '../../src/errors.ts'
import { createWorker } from '../../src/worker/worker.ts'
import { openSite } from './site.ts'

const tasks = {
  'busy.js': 'export default () => { for (;;); }',
  'own.js': `export const options = { timeLimit: 300, retries: 1, backoff: 'fixed:1ms' }
    export default () => { for (;;); }`,
  'soft.js': `export const options = { softTimeLimit: '300ms' }
    export default (payload, job) => new Promise((resolve, reject) =>
      job.signal.addEventListener('abort', () => payload === 'clean' ? resolve('cleaned') : reject(job.signal.reason)))`,
}

describe('a job past its hard limit', () => {
  it('fails by that name, is tried again while it has retries, and is not held to have crashed', async (context) => {
    const site = await openSite(context, tasks)
    const id = await site.queue.enqueue('own')
    await (await site.start({ drain: 'due' })).done
    const { state, attempt, crashes, error, pid } = await site.job(id)
    assert.deepEqual([state, attempt, crashes, error?.type], ['failed', 2, 0, 'TimeLimitExceeded'])
    assert.ok(pid !== null)
    const events = await site.events(id)
    assert.deepEqual(
      events.map(({ type }) => type),
      ['job.queued', 'job.started', 'job.retried', 'job.started', 'job.failed'],
    )
    for (const { data } of events.filter(({ type }) => type === 'job.retried' || type === 'job.failed')) {
      assert.deepEqual(data.error, { type: 'TimeLimitExceeded', message: 'it ran longer than its time limit of 300ms' })
      assert.ok(Number(data.runtimeMs) >= 300)
    }
  })

  it('leaves those that waited behind it as they were', async (context) => {
    const site = await openSite(context, tasks)
    const id = await site.queue.enqueue('busy', null, { timeLimit: 300 })
    const others = await Promise.all(Array.from({ length: 5 }, () => site.queue.enqueue('note')))
    await (await site.start({ drain: 'due', prefetch: 10 })).done
    assert.equal((await site.job(id)).error?.type, 'TimeLimitExceeded')
    for (const other of others) {
      const { state, attempt, crashes } = await site.job(other)
      assert.deepEqual([state, attempt, crashes], ['succeeded', 1, 0])
      const types = (await site.events(other)).map(({ type }) => type)
      assert.deepEqual(types, ['job.queued', 'job.started', 'job.succeeded'])
    }
    assert.equal(site.effects().length, others.length)
  })

  it('has the limit of its worker where nothing else is said', async (context) => {
    const site = await openSite(context, tasks)
    const [short, long] = [
      await site.queue.enqueue('hold'),
      await site.queue.enqueue('hold', null, { timeLimit: '1h' }),
    ]
    const worker = await site.start({ timeLimit: 400, concurrency: 2 })
    await site.noted(long, 'began')
    assert.equal((await site.reached(short, 'failed')).error?.type, 'TimeLimitExceeded')
    site.open(long)
    await site.reached(long, 'succeeded')
    await worker.stop()
  })

  it('stays cancelled if that came first', async (context) => {
    const site = await openSite(context, tasks)
    const id = await site.queue.enqueue('stubborn', null, { timeLimit: '4s' })
    const worker = await site.start({ killAfter: '1h' })
    await site.noted(id, 'began')
    await site.queue.cancel(id)
    const { error } = await site.reached(id, 'cancelled')
    assert.equal(error?.type, 'Cancelled')
    assert.equal((await site.events(id)).at(-1)?.type, 'job.cancelled')
    await worker.stop()
  })

  it('is cut by its limit during a stop that would wait longer, and keeps its failure', async (context) => {
    const site = await openSite(context, tasks)
    const id = await site.queue.enqueue('stubborn', null, { timeLimit: '1s' })
    const worker = await site.start()
    await site.noted(id, 'began')
    assert.deepEqual(await worker.stop({ grace: '1h' }), { returned: 0, error: null })
    assert.deepEqual([(await site.job(id)).state, (await site.job(id)).error?.type], ['failed', 'TimeLimitExceeded'])
  })
})

describe('a job past its soft limit', () => {
  it('has succeeded if it returns then, and failed by that name if it lets the reason through', async (context) => {
    const site = await openSite(context, tasks)
    const [clean, loud] = [await site.queue.enqueue('soft', 'clean'), await site.queue.enqueue('soft', 'loud')]
    await (await site.start({ drain: 'due' })).done
    const cleaned = await site.job(clean)
    assert.deepEqual([cleaned.state, cleaned.result], ['succeeded', 'cleaned'])
    const failed = await site.job(loud)
    assert.deepEqual([failed.state, failed.error?.type], ['failed', 'SoftTimeLimitExceeded'])
  })

  it('is sent the signal that the configuration says', async (context) => {
    const site = await openSite(context, tasks)
    const id = await site.queue.enqueue(['sleep', '1000'], { softTimeLimit: '1s' })
    await (await site.start({ drain: 'due', taskOptions: { exec: { softSignal: 'USR1' } } })).done
    const { state, error, signal } = await site.job(id)
    assert.deepEqual([state, error?.type, signal], ['failed', 'SoftTimeLimitExceeded', 'SIGUSR1'])
  })
})

describe('time limits that cannot be', () => {
  const limits: readonly (readonly [what: string, limits: object, message: RegExp])[] = [
    ['none at all', { timeLimit: 0 }, /timeLimit: 0 is no time limit: it must be above 0/],
    ['less than none', { softTimeLimit: -5 }, /softTimeLimit: -5 is not a duration/],
    ['less than a millisecond', { timeLimit: '0.4ms' }, /timeLimit: "0.4ms" is no time limit/],
    [
      'a soft one at the hard one',
      { softTimeLimit: '5s', timeLimit: 5_000 },
      /softTimeLimit: 5s is not below (\w+\.)*timeLimit/,
    ],
    [
      'a soft one behind the hard one',
      { softTimeLimit: '1m', timeLimit: '5s' },
      /softTimeLimit: 1m is not below (\w+\.)*timeLimit/,
    ],
  ]
  for (const [what, wrong, message] of limits) {
    it(`are refused: ${what}`, async (context) => {
      const site = await openSite(context)
      const refused = { name: JobqError.name, code: 'usage', message }
      await assert.rejects(site.queue.enqueue('note', null, wrong), refused)
      await assert.rejects(site.queue.enqueueMany([{ task: 'note', ...wrong }]), refused)
      for (const options of [wrong, { defaults: wrong }, { taskOptions: { note: wrong } }]) {
        assert.throws(() => createWorker({ broker: site.database, ...options }), refused)
      }
    })
  }

  it('are refused in a definition, with the file', async (context) => {
    const site = await openSite(context, {
      'zero.js': 'export const options = { timeLimit: 0 }\nexport default () => {}',
      'crossed.js': `export const options = { softTimeLimit: '2s', timeLimit: '1s' }\nexport default () => {}`,
      'signal.js': `export const options = { softSignal: 'TERM' }\nexport default () => {}`,
    })
    await site.start()
    const said = site.said.map(({ message = '' }) => message).join('\n')
    assert.match(said, /zero\.js.*timeLimit: 0 is no time limit/)
    assert.match(said, /crossed\.js.*softTimeLimit: 2s is not below (\w+\.)*timeLimit/)
    assert.match(said, /signal\.js.*softSignal: only for commands and executables/)
  })
})
