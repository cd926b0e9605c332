import assert from 'node:assert/strict'
import fs from 'node:fs'
import { describe, it } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { readOutput } from '../../src/output/output-reader.ts'
import { resolveOptions } from '../../src/worker/options.ts'
import { Pruner } from '../../src/worker/pruner.ts'
import { until } from '../support/until.ts'
import { openSite, type Site } from './site.ts'

const library = JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)

describe('what a worker keeps of the past', () => {
  const prune = (site: Site, retention: NonNullable<Parameters<typeof resolveOptions>[0]['retention']>) =>
    new Pruner(site.broker, resolveOptions({ broker: site.broker, retention }), site.outputFolder).prune()

  const scene = async (site: Site) => {
    const succeeded = await site.queue.enqueue(['echo', 'fine'])
    const failed = await site.queue.enqueue(['sh', '-c', 'echo bad; exit 1'])
    const waiting = await site.queue.enqueue(['true'], { delay: '1h' })
    await (await site.start({ drain: 'due' })).done
    return { succeeded, failed, waiting }
  }
  const lines = (site: Site, id: number) => [...readOutput(site.outputFolder, id)].length

  it('goes by state, and takes the output with the job', async (context) => {
    const site = await openSite(context)
    const { succeeded, failed, waiting } = await scene(site)
    assert.deepEqual([lines(site, succeeded), lines(site, failed)], [1, 1])
    await prune(site, { succeeded: 0, failed: '1h' })
    const left = await site.broker.jobs.list({ order: 'oldest' }, systemClock.now())
    assert.deepEqual(
      left.map(({ id }) => id),
      [failed, waiting],
    )
    assert.deepEqual([lines(site, succeeded), lines(site, failed)], [0, 1])
    const [queue] = await site.broker.jobs.queues(systemClock.now())
    assert.deepEqual([queue?.succeeded, queue?.failed, queue?.queued], [0, 1, 1])
  })

  it('is no more than so many jobs and events, and what was pruned is told', async (context) => {
    const site = await openSite(context)
    const { failed, waiting } = await scene(site)
    await prune(site, { maxJobs: 1, maxEvents: 3 })
    const left = await site.broker.jobs.list({ order: 'oldest' }, systemClock.now())
    assert.deepEqual(
      left.map(({ id }) => id),
      [failed, waiting],
    )
    const { events, pruned } = await site.broker.events.read({ after: 0, limit: 100 })
    assert.equal(events.length, 3)
    assert.deepEqual([pruned?.from, pruned?.to], [1, (events[0]?.id ?? 0) - 1])
  })

  it('is the job without its result, if results go first', async (context) => {
    const site = await openSite(context)
    const task = `${site.folder}/tasks/answer.js`
    fs.writeFileSync(task, 'export default () => ({ answer: 42 })\n')
    const ids = await site.queue.enqueueMany([{ task: 'answer' }, { argv: ['true'] }, { task: 'answer' }])
    await (await site.start({ drain: 'due' })).done
    const results = () => Promise.all(ids.map(async (id) => (await site.job(id)).result))
    await prune(site, { results: '1h' })
    assert.deepEqual(await results(), [{ answer: 42 }, null, { answer: 42 }])
    await prune(site, { results: 0 })
    assert.deepEqual(await results(), [null, null, null])
    for (const id of ids) assert.equal((await site.job(id)).state, 'succeeded')
  })

  it('is everything while nothing is old', async (context) => {
    const site = await openSite(context)
    await scene(site)
    const before = await site.events()
    await prune(site, {})
    assert.deepEqual(await site.events(), before)
    assert.equal((await site.broker.jobs.list({}, systemClock.now())).length, 3)
    assert.ok(fs.existsSync(site.outputFolder))
  })
})

describe('output that cannot be kept', () => {
  it('costs neither the job nor the worker its life', async (context) => {
    const site = await openSite(context, {
      'loud.js': `import fs from 'node:fs'
        export default async () => {
          console.log('captured')
          fs.writeSync(2, 'past all capture')
          await new Promise((resolve) => setTimeout(resolve, 20))
        }`,
    })
    fs.writeFileSync(site.outputFolder, 'a file, where the folder should be')
    const id = await site.queue.enqueue('loud')
    assert.deepEqual(await (await site.start({ drain: 'due' })).done, { returned: 0, error: null })
    assert.equal((await site.job(id)).state, 'succeeded')
  })
})

describe('what a task asks of its worker', () => {
  it('is to add jobs', async (context) => {
    const site = await openSite(context, {
      'parent.js': `export default async (payload, job) => [
        await job.enqueue('note', { of: job.id }, { priority: 7, tags: ['child'] }),
        await job.enqueue(['true'], { queue: 'other' }),
      ]`,
    })
    const id = await site.queue.enqueue('parent')
    await (await site.start({ drain: 'due' })).done
    const [note = 0, command = 0] = (await site.job(id)).result as number[]
    const jobs = await Promise.all([site.job(note), site.job(command)])
    assert.deepEqual(
      jobs.map(({ state, task, queue, priority, tags }) => [state, task, queue, priority, tags]),
      [
        ['succeeded', 'note', 'default', 7, ['child']],
        ['succeeded', 'exec', 'other', 5, []],
      ],
    )
    assert.deepEqual(jobs[0]?.payload, { of: id })
  })

  it('is to log its progress, thinned, the last of it whole', async (context) => {
    const site = await openSite(context, {
      'steps.js': `export default async (payload, job) => {
        for (let step = 1; step <= 200; step += 1) {
          job.progress(step / 200, 'step ' + step)
          await new Promise((resolve) => setTimeout(resolve, 2))
        }
      }`,
    })
    const id = await site.queue.enqueue('steps')
    await (await site.start({ drain: 'due' })).done
    assert.deepEqual((await site.job(id)).progress, { fraction: 1, text: 'step 200' })
    const told = (await site.events(id)).filter(({ type }) => type === 'job.progress')
    assert.ok(told.length > 1 && told.length < 20, `${told.length} of 200`)
    assert.equal(told.at(-1)?.data.fraction, 1)
  })

  it('is to run it later, or never again', async (context) => {
    const site = await openSite(context, {
      'choose.js': `import { Cancel, Fail, Snooze } from ${library}
        let often = 0
        export const options = { retries: 5 }
        export default (payload) => {
          if (payload === 'snooze' && often++ === 0) throw new Snooze('10ms')
          if (payload === 'fail') throw new Fail('for good')
          if (payload === 'cancel') throw new Cancel('no more')
        }`,
    })
    const [snooze = 0, fail = 0, cancel = 0] = await site.queue.enqueueMany(
      ['snooze', 'fail', 'cancel'].map((payload) => ({ task: 'choose', payload })),
    )
    await (await site.start({ drain: 'all' })).done
    assert.deepEqual(
      (await Promise.all([snooze, fail, cancel].map(site.job))).map((job) => [
        job.state,
        job.attempt,
        job.error?.message,
      ]),
      [
        ['succeeded', 1, undefined],
        ['failed', 1, 'for good'],
        ['cancelled', 1, 'no more'],
      ],
    )
    const events = await site.events(snooze)
    assert.ok(Number(events.find(({ type }) => type === 'job.snoozed')?.data.dueAt) > 0)
  })
})

describe('what holds for a job', () => {
  const tasks = {
    'told.js': `export const options = { expires: '1h' }
      export default () => {}`,
    'plain.js': `export default () => { throw new Error('no') }`,
    'said.js': `export const options = { queue: 'own', priority: 8, retries: 1, backoff: 'fixed:1ms', expires: '2h' }
      export default () => { throw new Error('no') }`,
  }
  const config = {
    defaults: { retries: 3, backoff: 'fixed:1ms', priority: 2, expires: '5h' },
    taskOptions: { said: { priority: 6 }, told: { expires: '3h' } },
  } as const

  it('is what its task says for every enqueuer, once a worker has published it', async (context) => {
    const site = await openSite(context, tasks)
    const before = await site.queue.enqueue('said', null, { delay: '1h' })
    const worker = await site.start(config)
    await until('the tasks to be published', async () =>
      (await site.broker.tasks.list()).some(({ task }) => task === 'said'),
    )
    await worker.stop()
    const said = await site.job(await site.queue.enqueue('said', null, { delay: '1h' }))
    const plain = await site.job(await site.queue.enqueue('plain', null, { delay: '1h', priority: 0 }))
    assert.deepEqual([said.queue, said.priority, said.maxAttempts], ['own', 6, 2])
    const hours = async (id: number) => {
      const { expiresAt, createdAt } = await site.job(id)
      return ((expiresAt ?? 0) - createdAt) / 3_600_000
    }
    assert.deepEqual([await hours(said.id), await hours(plain.id)], [2, 5])
    assert.equal(await hours(await site.queue.enqueue('told')), 3)
    assert.deepEqual([plain.queue, plain.priority, plain.maxAttempts], ['default', 0, 4])
    assert.deepEqual([(await site.job(before)).queue, (await site.job(before)).priority], ['default', 5])
  })

  const attempts: readonly (readonly [what: string, task: string, retries: number | undefined, attempts: number])[] = [
    ['the defaults', 'plain', undefined, 4],
    ['its task over the defaults', 'said', undefined, 2],
    ['its own word over its task', 'said', 2, 3],
    ['its own word over the defaults', 'plain', 0, 1],
  ]
  for (const [what, task, retries, expected] of attempts) {
    it(`is ${what}`, async (context) => {
      const site = await openSite(context, tasks)
      const id = await site.queue.enqueue(task, null, retries === undefined ? {} : { retries })
      await (await site.start({ ...config, drain: 'all' })).done
      assert.deepEqual([(await site.job(id)).state, (await site.job(id)).attempt], ['failed', expected])
    })
  }
})

describe('the list of workers', () => {
  it('has a worker while it is up, with what its children do', async (context) => {
    const site = await openSite(context)
    const worker = await site.start({ name: 'mine', concurrency: 2, queues: ['default', 'other'] })
    const [listed] = await site.broker.workers.list()
    assert.deepEqual(
      [listed?.name, listed?.process.pid, listed?.queues, listed?.status],
      ['mine', process.pid, ['default', 'other'], 'online'],
    )
    await until('its first beat', async () => (await site.broker.workers.list())[0]?.size === 2)
    await worker.stop()
    assert.deepEqual(await site.broker.workers.list(), [])
    const types = (await site.events()).map(({ type }) => type)
    assert.deepEqual(
      ['worker.online', 'worker.offline', 'child.started', 'child.exited'].map(
        (wanted) => types.filter((type) => type === wanted).length,
      ),
      [1, 1, 2, 2],
    )
  })
})
