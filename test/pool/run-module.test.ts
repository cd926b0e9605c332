import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jobOf, startPool } from './pool-fixture.ts'

const branded = (name: string, body: string) => `
class Branded extends Error { constructor(message, rest) { super(message); this.name = '${name}'; this[Symbol.for('jobq.error')] = '${name}'; Object.assign(this, rest) } }
export default async (payload, job) => { ${body} }`

test('what a task returns is the result', async (context) => {
  const { outcomeOf } = await startPool(context, {
    'echo.mjs': 'export default async (payload) => payload',
    'sync.cjs': 'module.exports = ({ a, b }) => a + b',
    'nothing.js': 'export default () => {}',
    'typed.ts': 'export default async (payload: { n: number }): Promise<number> => payload.n * 2',
    'deep/inside/folder.mts': 'export default () => "found"',
  })
  assert.deepEqual(await outcomeOf(jobOf('echo', { a: [1, 'ü'] })), { type: 'succeeded', result: '{"a":[1,"ü"]}' })
  assert.deepEqual(await outcomeOf(jobOf('sync', { a: 1, b: 2 })), { type: 'succeeded', result: '3' })
  assert.deepEqual(await outcomeOf(jobOf('nothing')), { type: 'succeeded', result: null })
  assert.deepEqual(await outcomeOf(jobOf('typed', { n: 21 })), { type: 'succeeded', result: '42' })
  assert.deepEqual(await outcomeOf(jobOf('deep/inside/folder')), { type: 'succeeded', result: '"found"' })
})

test('the context tells what the job is', async (context) => {
  const { outcomeOf } = await startPool(context, {
    'who.mjs': `export default (payload, { id, attempt, queue, task, createdAt, signal }) =>
      ({ id, attempt, queue, task, createdAt, aborted: signal.aborted })`,
  })
  const job = jobOf('who', null, { attempt: 3, queue: 'media' })
  const outcome = await outcomeOf(job)
  assert.equal(outcome.type, 'succeeded')
  assert.deepEqual(JSON.parse(String(outcome.type === 'succeeded' && outcome.result)), {
    id: job.id,
    attempt: 3,
    queue: 'media',
    task: 'who',
    createdAt: job.createdAt,
    aborted: false,
  })
})

test('what is thrown decides the outcome', async (context) => {
  const { outcomeOf, pool } = await startPool(context, {
    'plain.mjs': `export default () => { throw new RangeError('too far', { cause: new Error('deeper') }) }`,
    'fail.mjs': branded('Fail', `throw new Branded('for good')`),
    'snooze.mjs': branded('Snooze', `throw new Branded('later', { delay: payload })`),
    'cancel.mjs': branded('Cancel', `throw new Branded('not needed')`),
    'odd.mjs': `const things = [null, undefined, 'text', 7, Symbol('s'), () => 1, Object.create(null),
      { get message() { throw new Error('hostile') } }, new Proxy({}, { get() { throw new Error('trap') }, has() { throw new Error('trap') }, getPrototypeOf() { throw new Error('trap') } }),
      { message: 'a\\0b\\ud800' }, { toString() { throw new Error('no') } }]
      export default (index) => { throw things[index] }`,
  })
  const { pid } = pool.children[0] ?? {}
  const plain = await outcomeOf(jobOf('plain'))
  assert.ok(plain.type === 'failed' && !plain.final)
  assert.equal(plain.error.type, 'RangeError')
  assert.equal(plain.error.message, 'too far')
  assert.match(plain.error.stack ?? '', /plain\.mjs:1:.*caused by: Error: deeper/s)

  const fail = await outcomeOf(jobOf('fail'))
  assert.ok(fail.type === 'failed' && fail.final && fail.error.type === 'Fail' && fail.error.message === 'for good')
  assert.deepEqual(await outcomeOf(jobOf('snooze', '5m')), { type: 'snoozed', delayMs: 300_000 })
  assert.deepEqual(await outcomeOf(jobOf('snooze', 1_500)), { type: 'snoozed', delayMs: 1_500 })
  const badSnooze = await outcomeOf(jobOf('snooze', 'whenever'))
  assert.ok(badSnooze.type === 'failed' && badSnooze.final && badSnooze.error.message.includes('whenever'))
  assert.deepEqual(await outcomeOf(jobOf('cancel')), { type: 'cancelled', reason: 'not needed' })

  for (let index = 0; index < 11; index++) {
    const outcome = await outcomeOf(jobOf('odd', index))
    assert.ok(outcome.type === 'failed' && !outcome.final, `odd ${index}`)
    assert.ok(outcome.error.message.isWellFormed() && !outcome.error.message.includes('\0'))
  }
  assert.equal(pool.children[0]?.pid, pid, 'no child has died of it')
})

test('results that JSON would change, or that are too large, fail for good', async (context) => {
  const { outcomeOf } = await startPool(
    context,
    {
      'give.mjs': `const values = { nan: NaN, big: 10n, map: new Map(), cycle: null, getter: { get a() { throw new Error('no') } }, large: 'x'.repeat(2000), fits: 'x'.repeat(900) }
      values.cycle = { values }
      export default (name) => values[name]`,
    },
    { maxResultBytes: 1_000 },
  )
  for (const name of ['nan', 'big', 'map', 'cycle', 'getter']) {
    const outcome = await outcomeOf(jobOf('give', name))
    assert.ok(outcome.type === 'failed' && outcome.final && outcome.error.type === 'InvalidResult', name)
  }
  const large = await outcomeOf(jobOf('give', 'large'))
  assert.ok(large.type === 'failed' && large.final && large.error.type === 'ResultTooLarge')
  assert.match(large.error.message, /more than 1000 bytes/)
  assert.equal((await outcomeOf(jobOf('give', 'fits'))).type, 'succeeded')
})

test('payloads are checked by the input of the task, and arrive as it gives them', async (context) => {
  const schema = `{ '~standard': { version: 1, vendor: 'test', validate: async (value) => typeof value?.path === 'string'
    ? { value: { path: value.path.toUpperCase() } } : { issues: [{ message: 'text is needed', path: ['files', { key: 0 }, 'path'] }] } } }`
  const { outcomeOf } = await startPool(context, {
    'checked.mjs': `export const options = { input: ${schema} }\nexport default ({ path }) => path`,
  })
  assert.deepEqual(await outcomeOf(jobOf('checked', { path: 'a' })), { type: 'succeeded', result: '"A"' })
  assert.deepEqual(await outcomeOf(jobOf('checked', {})), {
    type: 'failed',
    final: true,
    error: { type: 'InvalidPayload', message: '$.files[0].path: text is needed' },
  })
})

test('unknown tasks, unreadable payloads and unknown serializers are rejected', async (context) => {
  const { outcomeOf } = await startPool(context, { 'a.mjs': 'export default (payload) => payload', 'broken.mjs': '(' })
  const unknown = await outcomeOf(jobOf('nowhere'))
  assert.ok(unknown.type === 'rejected' && unknown.error.type === 'UnknownTask')
  assert.match(unknown.error.message, /'nowhere'.*broken\.mjs/)
  for (const text of ['{', '9007199254740993', '{"__proto__":1}', '"\\ud800"', '['.repeat(5_000) + ']'.repeat(5_000)]) {
    const outcome = await outcomeOf(jobOf('a', null, { payload: { serializer: 'json', text } }))
    assert.ok(outcome.type === 'rejected' && outcome.error.type === 'Rejected', text.slice(0, 20))
  }
  const other = await outcomeOf(jobOf('a', null, { payload: { serializer: 'application/cbor', text: '' } }))
  assert.ok(other.type === 'rejected' && other.error.message.includes('application/cbor'), JSON.stringify(other))
})

test('progress is told, thinned out, its last word not lost', async (context) => {
  const { child, until, told } = await startPool(context, {
    'slow.mjs': `export default async (payload, job) => {
      for (let n = 1; n <= 1000; n++) job.progress(n / 1000, 'step ' + n)
      try { job.progress(1.5) } catch (error) { return error.name }
    }`,
  })
  const job = jobOf('slow')
  child().run([job])
  const { outcome } = await until('ended')
  assert.deepEqual(outcome, { type: 'succeeded', result: '"RangeError"' })
  const progress = told.filter(({ type }) => type === 'progress')
  assert.ok(progress.length < 20)
  assert.deepEqual(progress.at(-1), { type: 'progress', job, fraction: 1, text: 'step 1000' })
  const order = told.map(({ type }) => type)
  assert.ok(order.indexOf('started') < order.indexOf('progress'))
  assert.ok(order.lastIndexOf('progress') < order.indexOf('ended'))
})

test('a task enqueues and beats through its worker', async (context) => {
  const calls: unknown[] = []
  const { outcomeOf } = await startPool(
    context,
    {
      'parent.mjs': `export default async (payload, job) => {
        await job.heartbeat()
        const ids = [await job.enqueue('other', { a: 1 }, { delay: '5m' }), await job.enqueue(['ls', '-l'], { cwd: '/' }), await job.enqueue('bare')]
        const refused = await job.enqueue('refused').catch((error) => [error.code, error.message])
        return [...ids, refused]
      }`,
      'late.mjs': `let kept; export default async (payload, job) => { if (!kept) { kept = job; return } return kept.heartbeat().catch((error) => error.code) }`,
    },
    {
      answer: async ({ job: _, ...call }) => {
        calls.push(call)
        if (call.method === 'enqueue' && call.target === 'refused') {
          const { JobqError } = await import('../../src/errors.ts')
          throw new JobqError('duplicate', 'held by job 3')
        }
        return calls.length
      },
    },
  )
  const outcome = await outcomeOf(jobOf('parent'))
  assert.deepEqual(outcome, { type: 'succeeded', result: '[2,3,4,["duplicate","held by job 3"]]' })
  assert.deepEqual(calls, [
    { method: 'heartbeat' },
    { method: 'enqueue', target: 'other', payload: { serializer: 'json', text: '{"a":1}' }, options: { delay: '5m' } },
    { method: 'enqueue', target: ['ls', '-l'], payload: null, options: { cwd: '/' } },
    { method: 'enqueue', target: 'bare', payload: null, options: {} },
    { method: 'enqueue', target: 'refused', payload: null, options: {} },
  ])
  await outcomeOf(jobOf('late'))
  assert.deepEqual(await outcomeOf(jobOf('late')), { type: 'succeeded', result: '"conflict"' })
})
