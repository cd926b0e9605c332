import assert from 'node:assert/strict'
import net from 'node:net'
import { describe, it, mock } from 'node:test'
import { planSteps } from '../../src/boot/plan.ts'
import { SqliteBroker } from '../../src/broker/sqlite/sqlite-broker.ts'
import { JobqError } from '../../src/errors.ts'
import { createWorker, defineStep, type JobEnd, type JobStart, type UserStep } from '../../src/index.ts'
import { ownSteps } from '../../src/worker/own-steps.ts'
import { until } from '../support/until.ts'
import { openSite } from './site.ts'

const library = JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)

/** A step that notes what is done with it. */
const noted = (name: string, done: string[], more: object = {}): UserStep =>
  defineStep({
    name,
    start: () => void done.push(`start ${name}`),
    drain: () => void done.push(`drain ${name}`),
    stop: () => void done.push(`stop ${name}`),
    ...more,
  })

describe("a worker with the user's steps", () => {
  it('starts them behind what they require, hands them views and values, and stops them in reverse', async (context) => {
    const site = await openSite(context)
    const done: string[] = []
    const database = defineStep({
      name: 'database',
      start: () => ({ query: () => 'a row' }),
      stop: () => void done.push('stop database'),
    })
    const health = defineStep({
      name: 'health',
      requires: ['broker', 'pool', 'tasks', 'execution', 'presence', 'pruner', database],
      options: {
        port: { flags: '--port <n>', description: 'the port', default: 80 },
        host: { flags: '--host <name>', description: 'the host' },
        loud: { flags: '--loud', description: 'more' },
      },
      start(dependencies, options) {
        const { broker, pool, tasks, execution, presence, database } = dependencies
        assert.deepEqual(Object.keys(dependencies).toSorted(), [
          ...['broker', 'database', 'execution', 'pool', 'presence', 'pruner', 'tasks'],
        ])
        assert.deepEqual(options, { port: 81, host: undefined, loud: false })
        assert.equal(broker.url, `sqlite:${site.database}`)
        assert.deepEqual([pool.size, pool.busy, pool.status().length], [1, 0, 1])
        assert.ok(tasks.names.includes('note'))
        assert.deepEqual([execution.inHand, execution.processed], [0, 0])
        assert.equal(presence.name, 'mine')
        return database.query()
      },
      drain: (row) => void done.push(`drain health of ${row}`),
      stop: () => void done.push('stop health'),
      info: (row) => ({ row }),
    })
    const worker = await site.start({ name: 'mine', steps: [health], stepOptions: { health: { port: 81 } } })
    assert.deepEqual(worker.info().health, { row: 'a row' })
    assert.deepEqual(
      worker.steps.filter(({ origin }) => origin === 'user').map(({ name, state }) => [name, state]),
      [
        ['database', 'started'],
        ['health', 'started'],
      ],
    )
    const id = await site.queue.enqueue('note')
    await site.reached(id, 'succeeded')
    await worker.stop()
    assert.deepEqual(done, ['drain health of a row', 'stop health', 'stop database'])
  })

  it('resizes its pool for a step', async (context) => {
    const site = await openSite(context)
    let resize: (size: number) => void = () => assert.fail('too early')
    const step = defineStep({
      name: 'mine',
      requires: ['pool'],
      start: ({ pool }) => {
        resize = pool.resize
      },
    })
    const worker = await site.start({ steps: [step], without: ['autoscaler'] })
    assert.throws(() => resize(0), RangeError)
    resize(2)
    await until('two children', async () => {
      const { pool } = worker.info() as { pool: { children: { state: string }[] } }
      return pool.children.filter(({ state }) => state === 'idle').length === 2
    })
    assert.equal(worker.steps.find(({ name }) => name === 'autoscaler')?.reason, "it is in 'without'")
  })

  it('has a step in the place of a built-in one', async (context) => {
    const site = await openSite(context)
    const done: string[] = []
    const worker = await site.start({ steps: [noted('pruner', done)] })
    const pruners = worker.steps.filter(({ name }) => name === 'pruner')
    assert.deepEqual(
      pruners.map(({ origin, state }) => [origin, state]),
      [['user', 'started']],
    )
    await worker.stop()
    assert.deepEqual(done, ['start pruner', 'drain pruner', 'stop pruner'])
  })

  it('works on a broker that a step opens', async (context) => {
    const site = await openSite(context)
    const broker = defineStep({
      name: 'own-broker',
      provides: 'broker',
      start: () => SqliteBroker.open(site.database),
      stop: (opened) => opened.close(),
    })
    const worker = await site.start({ broker: '/no/such/folder/jobs.db', steps: [broker], without: ['broker'] })
    const id = await site.queue.enqueue('note')
    await site.reached(id, 'succeeded')
    assert.deepEqual((await worker.stop()).error, null)
  })

  it('refuses in the place of a built-in one what the others cannot use', async (context) => {
    const site = await openSite(context)
    const step = defineStep({ name: 'leases', requires: ['broker'], start: () => ({ check: () => {} }) })
    const message = "step 'leases' provides 'leases' without what other steps use of it: catchUp, checkSoon"
    await assert.rejects(site.start({ steps: [step] }), { code: 'usage', message })
  })

  it('undoes what had started when one fails, and says which', async (context) => {
    const site = await openSite(context)
    const done: string[] = []
    const taken = net.createServer().listen(0, '127.0.0.1')
    context.after(() => taken.close())
    await until('the port', () => taken.listening)
    const { port } = taken.address() as net.AddressInfo
    const health = defineStep({
      name: 'health',
      requires: ['pool', 'early'],
      start: () =>
        new Promise((resolve, reject) =>
          net
            .createServer()
            .once('error', reject)
            .listen(port, '127.0.0.1', () => resolve(1)),
        ),
    })
    const worker = site.worker({ steps: [noted('early', done), health] })
    await assert.rejects(worker.start(), /^Error: step 'health' has not started: listen EADDRINUSE/)
    assert.deepEqual(done, ['start early', 'drain early', 'stop early'])
    const states = new Map(worker.steps.map(({ name, state }) => [name, state]))
    assert.deepEqual([states.get('health'), states.get('pool'), states.get('broker')], ['failed', 'stopped', 'stopped'])
    assert.match(String((await worker.done).error), /EADDRINUSE/)
    assert.deepEqual(await site.broker.workers.list(), [])
  })

  it('logs one that throws as it stops, and stops the others', async (context) => {
    const site = await openSite(context)
    const done: string[] = []
    const fail = (): never => {
      throw new Error('I will not')
    }
    const worker = await site.start({
      steps: [noted('a', done), noted('b', done, { drain: fail, stop: fail }), noted('c', done)],
    })
    assert.equal((await worker.stop()).error, null)
    assert.deepEqual(done.slice(3), ['drain c', 'drain a', 'stop c', 'stop a'])
    const told = site.said.filter(({ level }) => level === 'error').map(({ message }) => message)
    assert.deepEqual(told, ['b: Error: I will not', 'b: Error: I will not'])
  })

  it('gives up a start that hangs when it is to stop, and lets go of what comes too late', async (context) => {
    const site = await openSite(context)
    const late = Promise.withResolvers<string>()
    const begun = Promise.withResolvers<void>()
    const stopped: string[] = []
    const step = defineStep({
      name: 'slow',
      requires: ['pool'],
      start: () => {
        begun.resolve()
        return late.promise
      },
      stop: (component) => void stopped.push(component),
    })
    const worker = site.worker({ steps: [step] })
    const starting = worker.start()
    await begun.promise
    assert.deepEqual(await worker.stop(), { returned: 0, error: null })
    await starting
    late.resolve('too late')
    await until('its stop', () => stopped.length === 1)
    assert.deepEqual(stopped, ['too late'])
  })

  const wrong: readonly (readonly [what: string, options: object, says: RegExp])[] = [
    [
      'an unknown requirement',
      { steps: [defineStep({ name: 'a', requires: ['pol'], start: () => 1 })] },
      /'pol'.*pool\?/,
    ],
    [
      'a required step left out',
      { without: ['pool'] },
      /step '\w+' requires 'pool', which is left out: it is in 'without'/,
    ],
    [
      'a load that nobody follows',
      { autoscale: [4, 1], without: ['autoscaler'] },
      /^autoscale: nothing can do that without the step 'autoscaler': it is in 'without'$/,
    ],
    [
      'a watch that nobody keeps',
      { watch: true, steps: [defineStep({ name: 'watcher', includeIf: () => false, start: () => 1 })] },
      /^watch: nothing can do that without the step 'watcher': its includeIf is false$/,
    ],
    ['a step twice', { steps: [noted('a', []), noted('a', [])] }, /two steps named 'a'/],
    [
      'what is no step',
      { steps: [{ name: 'a', start: () => 1 }] },
      /^steps\[0\]: a object is not a step; defineStep makes one$/,
    ],
    [
      'a step that shares and requires the pool',
      { steps: [defineStep({ name: 'a', requires: ['pool'], start: () => 1, share: () => 1 })] },
      /require each other: pool → a → pool/,
    ],
  ]
  for (const [what, options, says] of wrong) {
    it(`refuses ${what} when it is made`, () => {
      assert.throws(
        () => createWorker({ broker: 'none.db', ...options }),
        (error: unknown) => error instanceof JobqError && error.code === 'usage' && says.test(error.message),
      )
    })
  }
})

describe('what a step hears of jobs', () => {
  it('is each start and each end, in order, from short and from long jobs', async (context) => {
    const site = await openSite(context, {
      'flaky.js': `export const options = { retries: 1, backoff: 'fixed:1ms' }
        export default (payload, job) => { if (job.attempt === 1) throw new TypeError('not yet') }`,
    })
    const heard: string[] = []
    const ends: JobEnd[] = []
    const step = defineStep({
      name: 'ear',
      start: () => heard,
      onJobStart: ({ id, attempt }: JobStart, list) => void list.push(`${id} start ${attempt}`),
      onJobEnd: (job, list) => {
        ends.push(job)
        list.push(`${job.id} ${job.event} ${job.attempt}`)
      },
    })
    const flaky = await site.queue.enqueue('flaky')
    const worker = await site.start({ steps: [step] })
    await site.reached(flaky, 'succeeded')
    const hold = await site.queue.enqueue('hold')
    await until('its start to be heard', () => heard.includes(`${hold} start 1`))
    await site.queue.cancel(hold)
    await site.reached(hold, 'cancelled')
    const command = await site.queue.enqueue(['sh', '-c', 'exit 3'])
    const unknown = await site.queue.enqueue('nobody')
    await site.reached(unknown, 'failed')
    await worker.stop()
    assert.deepEqual(heard, [
      ...[`${flaky} start 1`, `${flaky} job.retried 1`, `${flaky} start 2`, `${flaky} job.succeeded 2`],
      ...[`${hold} start 1`, `${hold} job.cancelled 1`],
      ...[`${command} start 1`, `${command} job.failed 1`, `${unknown} start 1`, `${unknown} job.rejected 1`],
    ])
    const [retried, , , failed, rejected] = ends
    assert.deepEqual([retried?.error?.type, retried?.error?.message], ['TypeError', 'not yet'])
    assert.ok(retried?.dueAt !== null && (retried?.runMs ?? -1) >= 0)
    assert.equal(failed?.exitCode, 3)
    assert.equal(rejected?.error?.type, 'UnknownTask')
  })

  it('is told up to the last job of a stop, and what it throws is logged and holds nobody up', async (context) => {
    const site = await openSite(context)
    const heard: number[] = []
    const steps = [
      defineStep({
        name: 'bad',
        start: () => null,
        onJobStart: () => Promise.reject(new Error('not async either')),
        onJobEnd: () => {
          throw new Error('no ears')
        },
      }),
      defineStep({ name: 'good', start: () => heard, onJobEnd: ({ id }, list) => list.push(id) }),
    ]
    const worker = await site.start({ steps })
    const id = await site.queue.enqueue('hold')
    await site.noted(id, 'began')
    const stopping = worker.stop()
    site.open(id)
    await stopping
    assert.deepEqual(heard, [id])
    const told = site.said.filter(({ level }) => level === 'error').map(({ message }) => message)
    assert.deepEqual(told.toSorted(), ['bad: Error: no ears', 'bad: Error: not async either'])
  })

  it('is a thousand short jobs without one missing', async (context) => {
    const site = await openSite(context)
    const heard = new Map<number, number>()
    const step = defineStep({
      name: 'ear',
      start: () => heard,
      onJobStart: ({ id }, map) => map.set(id, (map.get(id) ?? 0) + 1),
      onJobEnd: ({ id }, map) => map.set(id, (map.get(id) ?? 0) + 10),
    })
    const ids = await site.queue.enqueueMany(Array.from({ length: 1_000 }, () => ({ task: 'note' })))
    const worker = await site.start({ steps: [step], drain: 'due' })
    await worker.done
    assert.deepEqual(
      [...heard.keys()].toSorted((a, b) => a - b),
      ids,
    )
    assert.deepEqual(new Set(heard.values()), new Set([11]))
  })
})

describe('what a step shares', () => {
  it('is there for every job and for the setup of its task', async (context) => {
    const site = await openSite(context, {
      'use.js': `import fs from 'node:fs'
        import path from 'node:path'
        import { defineTask } from ${library}
        const place = path.join(import.meta.dirname, '..', 'lives')
        let given = null
        export default defineTask({
          setup({ shared }) { given = shared.proxy.port; fs.appendFileSync(place, 'setup ' + given + '\\n') },
          teardown() { fs.appendFileSync(place, 'teardown ' + given + '\\n') },
          run(payload, job) { return [given, job.shared] },
        })`,
    })
    const step = defineStep({ name: 'proxy', start: () => ({ port: 4_711 }), share: ({ port }) => ({ port }) })
    const worker = await site.start({ steps: [step] })
    for (let round = 0; round < 2; round++) {
      const id = await site.queue.enqueue('use')
      assert.deepEqual((await site.reached(id, 'succeeded')).result, [4_711, { proxy: { port: 4_711 } }])
    }
    await worker.stop()
    const { readFileSync } = await import('node:fs')
    assert.equal(readFileSync(`${site.folder}/lives`, 'utf8'), 'setup 4711\nteardown 4711\n')
  })

  it('must be something that JSON can hold', async (context) => {
    const site = await openSite(context)
    const stopped: number[] = []
    const stop = (component: number): void => void stopped.push(component)
    const step = defineStep({ name: 'proxy', start: () => 1, stop, share: () => new Map() })
    await assert.rejects(site.start({ steps: [step] }), {
      code: 'usage',
      message: /^step 'proxy' shares what JSON cannot hold/,
    })
    assert.deepEqual(stopped, [1])
  })
})

describe("a task's setup", () => {
  it('that throws fails the job, and is tried again with the next one', async (context) => {
    const site = await openSite(context, {
      'late.js': `import { defineTask } from ${library}
        let often = 0
        export default defineTask({
          setup() { if (++often === 1) throw new RangeError('not ready') },
          run: () => often,
        })`,
    })
    await site.start()
    const first = await site.reached(await site.queue.enqueue('late'), 'failed')
    assert.deepEqual([first.error?.type, first.error?.message], ['RangeError', 'not ready'])
    const second = await site.reached(await site.queue.enqueue('late'), 'succeeded')
    assert.equal(second.result, 2)
  })

  it('is not asked for by a job whose payload is refused; a teardown that throws is told', async (context) => {
    const site = await openSite(context, {
      'checked.js': `import { defineTask } from ${library}
        export default defineTask({
          input: { '~standard': { version: 1, vendor: 'test', validate: (value) => value === 1 ? { value } : { issues: [{ message: 'not 1' }] } } },
          setup() { console.log('set up') },
          teardown() { throw new Error('stuck') },
          run: (payload) => payload,
        })`,
    })
    const worker = await site.start()
    assert.equal((await site.reached(await site.queue.enqueue('checked', 2), 'failed')).error?.type, 'InvalidPayload')
    await worker.stop()
    assert.equal(
      site.said.some(({ message }) => message?.includes('stuck')),
      false,
    )
    const next = await site.start()
    await site.reached(await site.queue.enqueue('checked', 1), 'succeeded')
    await next.stop()
    assert.ok(site.said.some(({ message }) => message?.includes('the teardown of task checked failed: stuck')))
  })
})

describe('a step that does not end', () => {
  const into = (cut: AbortSignal) => ({
    values: {},
    view: () => null,
    hooks: null,
    check: () => {},
    share: () => {},
    stopping: new AbortController().signal,
    cut,
    graceMs: () => 30_000,
  })
  const never = (): Promise<void> => new Promise(() => {})
  const planned = (cut: AbortSignal) => {
    const step = defineStep({ name: 'stuck', start: () => 'it', drain: never, stop: never })
    return planSteps({ builtIn: ownSteps([step], into(cut)) }).steps[0]
  }
  const cases: readonly (readonly [phase: 'drain' | 'stop', cut: boolean, ms: number, says: RegExp])[] = [
    ['drain', false, 30_000, /not drained within 30 s/],
    ['drain', true, 5_000, /not drained within 5 s/],
    ['stop', false, 5_000, /not stopped within 5 s/],
  ]
  for (const [phase, cut, ms, says] of cases) {
    it(`is given up in its ${phase} after ${ms} ms${cut ? ' of a cold stop' : ''}`, async (context) => {
      mock.timers.enable({ apis: ['setTimeout'] })
      context.after(() => mock.timers.reset())
      const controller = new AbortController()
      const step = planned(controller.signal)
      let over = false
      const ending = Promise.resolve(step?.[phase]?.('it')).finally(() => {
        over = true
      })
      ending.catch(() => {})
      if (cut) controller.abort()
      mock.timers.tick(ms - 1)
      await Promise.resolve()
      assert.equal(over, false)
      mock.timers.tick(1)
      await assert.rejects(ending, says)
    })
  }
})

describe('defineStep', () => {
  const option = { flags: '--a <n>', description: 'a' }
  const start = (): number => 1
  const refuses = (definition: object, says: RegExp): void => {
    assert.throws(
      () => Reflect.apply(defineStep, undefined, [definition]),
      (error: unknown) => error instanceof JobqError && error.code === 'usage' && says.test(error.message),
    )
  }
  const cases: readonly (readonly [what: string, definition: object, says: RegExp])[] = [
    ['no name', { start }, /is not a name for a step/],
    ['no start', { name: 'a' }, /^step 'a': it has no function `start`$/],
    ['an unknown key', { name: 'a', start, require: ['pool'] }, /unknown "require"/],
    ['a requirement that is nothing', { name: 'a', start, requires: [7] }, /neither a name nor a step/],
    [
      'flags without a long name',
      { name: 'a', start, options: { x: { ...option, flags: '-a <n>' } } },
      /options\.x: flags/,
    ],
    ['flags that negate', { name: 'a', start, options: { x: { ...option, flags: '--no-a' } } }, /options\.x: flags/],
    ['an optional value', { name: 'a', start, options: { x: { ...option, flags: '--a [n]' } } }, /options\.x: flags/],
    ['no description', { name: 'a', start, options: { x: { flags: '--a' } } }, /options\.x: it has no description/],
    [
      'a switch with a default',
      { name: 'a', start, options: { x: { ...option, flags: '--a', default: 1 } } },
      /takes no value/,
    ],
  ]
  for (const [what, definition, says] of cases) it(`refuses ${what}`, () => refuses(definition, says))
})

/** Never called: it is here for the compiler. */
export const typed = (): void => {
  const database = defineStep({ name: 'database', start: async () => ({ rows: 3 }) })
  defineStep({
    name: 'typed',
    requires: ['pool', 'own', database],
    options: {
      port: { flags: '--port <n>', description: '', default: 80 },
      host: { flags: '--host <h>', description: '' },
      at: { flags: '--at <when>', description: '', parse: (text) => new Date(text) },
      loud: { flags: '--loud', description: '' },
    },
    start({ pool, database, own }, { port, host, at, loud }) {
      const numbers: number[] = [pool.size, database.rows, port]
      const texts: (string | undefined)[] = [host, at?.toISOString(), loud ? 'loud' : 'quiet']
      // @ts-expect-error: what a step that is named gives is unknown
      own.anything()
      // @ts-expect-error: it may be missing
      host.length
      return { numbers, texts }
    },
    drain: ({ numbers }) => numbers.length,
  })
  // @ts-expect-error: the broker is not required
  defineStep({ name: 'greedy', requires: ['pool'], start: ({ broker }) => broker })
}
