// What enqueue accepts and refuses, and what becomes of it in the broker.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { defineTask, type JobItem, JobqError, type Queue } from '../../src/index.ts'
import { onEachBroker } from './brokers.ts'

const now = Date.UTC(2030, 0, 31, 8)
const clock = { now: () => ({ at: now, tick: 1 }) }

const usage = (message: RegExp) => (error: unknown) =>
  error instanceof JobqError && error.code === 'usage' && message.test(error.message)

const resize = defineTask({
  name: 'image/resize',
  unique: (payload: { path: string }) => payload.path,
  run: async (payload: { path: string }) => payload.path.length,
})

/** What a broken application might pass. */
const loosely = (queue: Queue, ...values: unknown[]): Promise<number> => Reflect.apply(queue.enqueue, queue, values)

const refusedOptions: [name: string, options: object, message: RegExp][] = [
  ['an unknown option', { prioritty: 3 }, /"prioritty" is no option of a job; did you mean priority\?/],
  ['an option of commands', { cwd: '/' }, /cwd: only for commands/],
  ['a queue that is no name', { queue: 'a b' }, /^queue: "a b"/],
  ['a queue that climbs', { queue: '../x' }, /^queue: /],
  ['a priority of 10', { priority: 10 }, /^priority: 10 /],
  ['a priority of -1', { priority: -1 }, /^priority: -1 /],
  ['a fractional priority', { priority: 1.5 }, /^priority: 1.5 /],
  ['a priority as text', { priority: '5' }, /^priority: "5"/],
  ['a negative delay', { delay: -1 }, /^delay: /],
  ['an endless delay', { delay: Number.POSITIVE_INFINITY }, /^delay: Infinity/],
  ['a delay of no number', { delay: Number.NaN }, /^delay: NaN/],
  ['a malformed delay', { delay: 'soon' }, /^delay: "soon"/],
  ['a malformed instant', { at: 'whenever' }, /^at: "whenever"/],
  ['an invalid date', { at: new Date(Number.NaN) }, /^at: /],
  ['at beside delay', { at: now, delay: '1s' }, /^at: not together with delay/],
  ['a malformed expiry', { expires: '1 parsec' }, /^expires: /],
  ['negative retries', { retries: -1 }, /^retries: /],
  ['endless retries', { retries: Number.POSITIVE_INFINITY }, /^retries: /],
  ['a malformed backoff', { backoff: 'sometimes' }, /^backoff: "sometimes"/],
  ['an empty unique key', { unique: '' }, /^unique: /],
  ['a unique key that is no text', { unique: 7 }, /^unique: 7/],
  ['a unique key with NUL', { unique: 'a\0b' }, /^unique: /],
  ['an unknown word on conflict', { unique: 'k', onConflict: 'explode' }, /^onConflict: "explode"/],
  ['onConflict without unique', { onConflict: 'fail' }, /^onConflict: only with unique/],
  ['an id that is negative', { after: -1 }, /^after: -1/],
  ['an id beyond 2^53', { after: [2 ** 53] }, /^after: 9007199254740992/],
  ['an id as text', { afterAny: ['1'] }, /^afterAny: "1"/],
  ['hold as text', { hold: 'yes' }, /^hold: "yes"/],
  ['a tag that is no name', { tags: ['ok', 'not ok'] }, /^tags: "not ok"/],
  ['tags that are no list', { tags: 'x' }, /^tags: "x"/],
  ['a label that is too long', { name: 'x'.repeat(201) }, /^name: /],
  ['meta that is no text', { meta: { a: 1 } }, /^meta: 1 is not text \("a"\)/],
  ['meta that is a list', { meta: ['a'] }, /^meta: /],
  ['a ref that is too long', { ref: 'x'.repeat(513) }, /^ref: /],
  ['half a surrogate pair', { name: '\ud800' }, /^name: /],
]

const refusedItems: [name: string, item: unknown, message: RegExp][] = [
  ['nothing', undefined, /is not a job/],
  ['an empty object', {}, /one of task, argv and shell/],
  ['two targets', { task: 't', argv: ['true'] }, /one of task, argv and shell/],
  ['a command with a payload', { argv: ['true'], payload: 1 }, /payload: only for a task/],
  ['an empty argv', { argv: [] }, /^argv: /],
  ['an empty program', { argv: [''] }, /^argv: /],
  ['argv that is a text', { argv: 'true' }, /^argv: /],
  ['argv with a number', { argv: ['sleep', 1] }, /^argv: /],
  ['argv with NUL', { argv: ['echo', 'a\0b'] }, /NUL .*argv\[1\]/],
  ['an empty shell line', { shell: ' ' }, /^shell: /],
  ['a task name that climbs', { task: '../../etc/passwd' }, /is not a name for a task/],
  ['an absolute task name', { task: '/t' }, /is not a name for a task/],
  ['an empty task name', { task: '' }, /is not a name for a task/],
  ['the task of commands', { task: 'exec', payload: { argv: ['true'] } }, /exec is the task of commands/],
  ['a payload that JSON cannot keep', { task: 't', payload: { when: Number.NaN } }, /NaN .* at \$\.when/],
  ['a payload of 1 MiB and a byte', { task: 't', payload: 'x'.repeat(1024 * 1024 - 1) }, /too large: more than 1M/],
  ['a payload whose characters are many bytes', { task: 't', payload: 'ü'.repeat(600_000) }, /too large/],
  ['a variable with =', { argv: ['true'], env: { 'A=B': 'c' } }, /^env: /],
  ["one of jobq's own variables", { argv: ['true'], env: { JOBQ_LEASE: '1' } }, /^env: "JOBQ_LEASE"/],
  ['stdin that is no text', { argv: ['true'], stdin: 7 }, /^stdin: /],
]

onEachBroker((broker, withQueue) => {
  describe(`enqueue on ${broker}`, () => {
    it('gives the ids of tasks and commands', () =>
      withQueue(async (queue) => {
        const id = await queue.enqueue('mail/send', { to: 'ann' })
        const job = await queue.get(id)
        assert.deepEqual(
          [job?.task, job?.payload, job?.state, job?.queue],
          ['mail/send', { to: 'ann' }, 'queued', 'default'],
        )
        const command = await queue.get(
          await queue.enqueue(['convert', 'a.png', 'b.jpg'], { cwd: '/tmp', env: { A: '1' }, stdin: 'in' }),
        )
        assert.deepEqual(
          [command?.task, command?.payload],
          ['exec', { argv: ['convert', 'a.png', 'b.jpg'], cwd: '/tmp', env: { A: '1' }, stdin: 'in' }],
        )
      }))

    it('records the present folder for a command', () =>
      withQueue(async (queue) => {
        const job = await queue.get(await queue.enqueue(['true']))
        assert.deepEqual(job?.payload, { argv: ['true'], cwd: process.cwd() })
      }))

    it('leaves out the payload of a task that needs none', () =>
      withQueue(async (queue) => {
        assert.equal((await queue.get(await queue.enqueue('tidy')))?.payload, null)
      }))

    it('carries every option to the broker', () =>
      withQueue(
        async (queue) => {
          const first = await queue.enqueue('a')
          const id = await queue.enqueue('b', 1, {
            ...{ queue: 'q', priority: 7, delay: '5m', expires: '1h', retries: 2, backoff: 'fixed:30s', unique: 'k' },
            ...{
              onConflict: 'fail',
              after: first,
              afterAny: [first],
              tags: ['x', 'x', 'y'],
              name: 'A label',
              meta: { k: 'v' },
              ref: 'r',
            },
          })
          const job = await queue.get(id)
          assert.ok(job)
          assert.deepEqual([job.queue, job.priority, job.maxAttempts, job.unique], ['q', 7, 3, 'k'])
          assert.deepEqual([job.dueAt, job.expiresAt], [now + 300_000, now + 3_600_000])
          assert.deepEqual(job.options, { backoff: { kind: 'fixed', baseMs: 30_000, jitter: false } })
          assert.deepEqual([job.state, job.after], ['blocked', [first]])
          assert.deepEqual([job.tags, job.name, job.meta, job.ref], [['x', 'y'], 'A label', { k: 'v' }, 'r'])
        },
        { clock },
      ))

    it('reads an instant as text, date or milliseconds', () =>
      withQueue(
        async (queue) => {
          for (const at of ['2031-01-01T00:00:00Z', new Date(Date.UTC(2031, 0, 1)), Date.UTC(2031, 0, 1)]) {
            assert.equal((await queue.get(await queue.enqueue('t', 1, { at })))?.dueAt, Date.UTC(2031, 0, 1))
          }
        },
        { clock },
      ))

    it('answers the holder of a taken key, and throws duplicate where that is asked for', () =>
      withQueue(async (queue) => {
        const id = await queue.enqueue('t', 1, { unique: 'k' })
        assert.equal(await queue.enqueue('t', 2, { unique: 'k' }), id)
        await assert.rejects(queue.enqueue('t', 2, { unique: 'k', onConflict: 'fail' }), { code: 'duplicate' })
        const [added] = await queue.addJobs([{ task: 't', unique: 'k' }])
        assert.deepEqual([added?.id, added?.duplicate, added?.state], [id, true, 'queued'])
      }))

    it('takes a definition: its name, and its unique key among the jobs of its task', () =>
      withQueue(async (queue) => {
        const id = await queue.enqueue(resize, { path: '/a.png' })
        const job = await queue.get(id)
        assert.deepEqual(
          [job?.task, job?.payload, job?.unique],
          ['image/resize', { path: '/a.png' }, 'image/resize:/a.png'],
        )
        assert.equal(await queue.enqueue(resize, { path: '/a.png' }), id)
        assert.notEqual(await queue.enqueue(resize, { path: '/b.png' }), id)
        assert.notEqual(await queue.enqueue(resize, { path: '/a.png' }, { unique: 'own' }), id)
        await assert.rejects(queue.enqueue(defineTask({ run: async () => 1 }), undefined), usage(/has no name/))
      }))

    it('adds many at once, or none', () =>
      withQueue(async (queue) => {
        const ids = await queue.enqueueMany([
          { task: 'a', payload: 1 },
          { argv: ['true'], priority: 9 },
          { shell: 'a | b' },
        ])
        const jobs = await Promise.all(ids.map((id) => queue.get(id)))
        assert.deepEqual(
          jobs.map((job) => job?.task),
          ['a', 'exec', 'exec'],
        )
        assert.deepEqual(jobs[2]?.payload, { shell: 'a | b', cwd: process.cwd() })
        const bad: JobItem[] = [{ task: 'a' }, { task: 'a', priority: 99 }]
        await assert.rejects(queue.enqueueMany(bad), usage(/^job 2 of 2: priority: 99/))
        await assert.rejects(queue.enqueueMany([{ task: 'a' }, { task: 'b', after: 12345 }]), { code: 'not-found' })
        assert.deepEqual(await queue.enqueueMany([]), [])
        assert.equal((await queue.list()).length, 3)
      }))

    it('adds more at once than a call can have arguments', () =>
      withQueue(async (queue) => {
        const ids = await queue.enqueueMany(Array.from({ length: 200_000 }, () => ({ task: 'a' })))
        assert.equal(new Set(ids).size, 200_000)
      }))

    it('keeps payloads up to its limit', () =>
      withQueue(
        async (queue) => {
          await queue.enqueue('t', 'x'.repeat(98))
          await assert.rejects(queue.enqueue('t', 'x'.repeat(99)), usage(/more than 100/))
        },
        { maxPayload: 100 },
      ))

    for (const [name, options, message] of refusedOptions) {
      it(`refuses ${name}, writing nothing`, () =>
        withQueue(async (queue) => {
          await assert.rejects(loosely(queue, 't', 1, options), usage(message))
          assert.deepEqual(await queue.list(), [])
        }))
    }

    for (const [name, item, message] of refusedItems) {
      it(`refuses ${name} as a job, writing nothing`, () =>
        withQueue(async (queue) => {
          const adding: Promise<number[]> = Reflect.apply(queue.enqueueMany, queue, [[item]])
          await assert.rejects(adding, usage(message))
          assert.deepEqual(await queue.list(), [])
        }))
    }

    it('refuses what is neither a task nor a command', () =>
      withQueue(async (queue) => {
        for (const target of [undefined, null, 7, {}, () => 1]) {
          await assert.rejects(loosely(queue, target, 1), usage(/neither a task nor a command/))
        }
        await assert.rejects(loosely(queue, 't', 1, 'q'), usage(/no object of options/))
        await assert.rejects(loosely(queue, 't', 1, { argv: ['rm'] }), usage(/"argv" is no option/))
      }))
  })
})
