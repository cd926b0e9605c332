// Small jobs by the hundred and thousand, which a worker keeps together: each of them must fare as if it were by itself.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { checkConfig } from '../../src/config.ts'
import { askWorker } from '../../src/control/ask.ts'
import type { JobqEvent } from '../../src/event.ts'
import { defineStep, type JobEnd, type JobStart, type WorkerOptions } from '../../src/index.ts'
import { until } from '../support/until.ts'
import { openSite, type Site } from './site.ts'

const library = JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)

/** A task whose payload says what it does. */
const obedient = (notes: string): string => `import fs from 'node:fs'
  import path from 'node:path'
  import { Snooze } from ${library}
  const place = path.join(import.meta.dirname, '..')
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
  export default async (act, job) => {
    if (${notes}) fs.appendFileSync(path.join(place, 'effects'), job.id + ' ' + job.attempt + ' began\\n')
    if (act === null) return
    if (act === 'result') return 5
    if (act === 'fail') throw new Error('broken')
    if (act === 'snooze' && !fs.existsSync(path.join(place, 'snoozed.' + job.id))) {
      fs.writeFileSync(path.join(place, 'snoozed.' + job.id), '')
      throw new Snooze(20)
    }
    if (act === 'busy') for (;;);
    if (act === 'sleep') await sleep(50)
    if (act === 'exit') process.kill(process.pid, 'SIGKILL')
    if (act === 'hold') while (!fs.existsSync(path.join(place, 'open.' + job.id))) await sleep(5)
  }`

/** `quick` notes when it begins, `swift` only where it does something. */
const tasks = { 'quick.js': obedient('true'), 'swift.js': obedient('act !== null') }

const addAll = (site: Site, payloads: readonly unknown[], task = 'quick'): Promise<number[]> =>
  site.queue.enqueueMany(payloads.map((payload) => ({ task, payload })))

const plain = (count: number): null[] => Array(count).fill(null)

/** How many jobs of the queue `default` are in which state. */
const counts = async (site: Site) => {
  const queue = (await site.broker.jobs.queues(systemClock.now())).find(({ name }) => name === 'default')
  assert.ok(queue)
  const { queued, running, succeeded, failed, cancelled } = queue
  return { queued, running, succeeded, failed, cancelled }
}

const none = { queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0 }

/** Resolves once nothing of the queue waits or runs. */
const drained = (site: Site): Promise<unknown> =>
  until('the queue to be empty', async () => {
    const { queued, running } = await counts(site)
    return queued + running === 0
  })

const untilSucceeded = (site: Site, count: number): Promise<unknown> =>
  until(`${count} jobs to have succeeded`, async () => (await counts(site)).succeeded >= count)

/** The events of each job. */
const logs = async (site: Site): Promise<Map<number | null, JobqEvent[]>> => {
  const events: JobqEvent[] = []
  for (let after = 0; ; ) {
    const page = await site.broker.events.read({ after, limit: 10_000 })
    events.push(...page.events)
    if (page.events.length === 0) return Map.groupBy(events, ({ job }) => job)
    after = page.cursor
  }
}

const types = (events: readonly JobqEvent[] = []): string[] => events.map(({ type }) => type.replace('job.', ''))

const whole = ['queued', 'started', 'succeeded']

/** Checks that each of these ran once, from the log and from what they noted. */
const assertOnce = async (site: Site, ids: readonly number[]): Promise<void> => {
  const byJob = await logs(site)
  for (const id of ids) assert.deepEqual(types(byJob.get(id)), whole, `job ${id}`)
  const began = Map.groupBy(site.effects(), (line) => Number(line.split(' ')[0]))
  for (const id of ids) assert.deepEqual(began.get(id), [`${id} 1 began`])
}

/** Lets a worker learn that the task is short. */
const teach = async (site: Site, task = 'quick'): Promise<void> => {
  const before = (await counts(site)).succeeded
  await addAll(site, plain(400), task)
  await untilSucceeded(site, before + 400)
}

describe('small jobs that travel together', () => {
  it('end each in its own way, however many they are', { timeout: 120_000 }, async (context) => {
    const site = await openSite(context, tasks)
    const acts = ['fail', 'result', 'snooze', 'sleep']
    const actOf = (index: number) => (index % 997 === 500 ? acts[Math.floor(index / 997) % acts.length] : null) ?? null
    const ids = await addAll(
      site,
      Array.from({ length: 20_000 }, (_, index) => actOf(index)),
    )
    await (await site.start({ concurrency: 2, drain: 'all' })).done
    assert.deepEqual(await counts(site), { ...none, succeeded: 19_995, failed: 5 })
    const byJob = await logs(site)
    const wanted = {
      fail: ['queued', 'started', 'failed'],
      snooze: ['queued', 'started', 'snoozed', 'started', 'succeeded'],
    } as const
    const expected = (act: string | null): readonly string[] =>
      act === 'fail' || act === 'snooze' ? wanted[act] : whole
    for (const [index, id] of ids.entries()) assert.deepEqual(types(byJob.get(id)), expected(actOf(index)), `job ${id}`)
    assert.equal(new Set(site.effects()).size, 20_000)
    assert.equal(site.effects().length, 20_005)
    const results = ids.filter((_, index) => actOf(index) === 'result')
    for (const id of results) assert.equal((await site.job(id)).result, 5)
    const again = await site.broker.requeue(ids.slice(0, 100), systemClock.now().at, systemClock.now())
    assert.ok(again.every((answer) => answer === 'requeued'))
  })

  it('go to children that may not run as many any more', { timeout: 60_000 }, async (context) => {
    const site = await openSite(context, tasks)
    const ids = await addAll(site, plain(1_500), 'swift')
    await (await site.start({ maxTasksPerChild: 200, concurrency: 2, drain: 'due' })).done
    assert.deepEqual(await counts(site), { ...none, succeeded: ids.length })
  })

  it('are shared among the children where together they take long', { timeout: 60_000 }, async (context) => {
    const site = await openSite(context, {
      ...tasks,
      'moment.js': 'export default () => new Promise((resolve) => setTimeout(resolve, 8))',
    })
    await site.start({ concurrency: 2 })
    for (const id of await addAll(site, plain(4), 'moment')) await site.reached(id, 'succeeded')
    await addAll(site, plain(4_000), 'swift')
    await drained(site)
    const ids = await addAll(site, plain(100), 'moment')
    await drained(site)
    const jobs = await Promise.all(ids.map(site.job))
    const shares = [...Map.groupBy(jobs, ({ pid }) => pid).values()].map(({ length }) => length)
    assert.ok(shares.length === 2 && shares.every((share) => share >= 25), `${shares} of 100`)
  })

  it('are cancelled while they wait in a child or before it', { timeout: 60_000 }, async (context) => {
    const site = await openSite(context, tasks)
    await site.start({ leaseMs: 3_000 })
    await teach(site)
    const ids = await addAll(site, [...plain(40), 'hold', ...plain(4_000)])
    const held = ids[40] ?? 0
    await site.noted(held, 'began')
    const places = [41, 42, 50, 100, 290, 299, 1_000, 3_999]
    const asked = places.map((place) => ids[place] ?? 0)
    await site.broker.cancel({ ids: asked }, 'Cancelled', systemClock.now())
    for (const id of asked) await site.reached(id, 'cancelled')
    site.open(held)
    await drained(site)
    assert.deepEqual(await counts(site), { ...none, succeeded: 400 + 4_041 - asked.length, cancelled: asked.length })
    const byJob = await logs(site)
    for (const id of asked) assert.deepEqual(types(byJob.get(id)), ['queued', 'cancelled'])
    await assertOnce(
      site,
      ids.filter((id) => !asked.includes(id)),
    )
  })

  it('are given back by a stop as if nobody had had them', { timeout: 60_000 }, async (context) => {
    const site = await openSite(context, tasks)
    const ids = await addAll(site, plain(20_000))
    const first = await site.start({ name: 'first', concurrency: 2 })
    await untilSucceeded(site, 3_000)
    assert.deepEqual(await first.stop(), { returned: 0, error: null })
    const { queued, succeeded } = await counts(site)
    assert.equal(queued + succeeded, 20_000)
    assert.ok(queued > 0)
    assert.equal(site.effects().length, succeeded)
    assert.deepEqual(
      (await site.broker.jobs.list({ states: ['queued'] }, systemClock.now())).filter(({ claimed }) => claimed),
      [],
    )
    await (await site.start({ name: 'second', drain: 'due' })).done
    assert.deepEqual(await counts(site), { ...none, succeeded: 20_000 })
    await assertOnce(site, ids)
  })

  it('run once each beside another worker, and a third that goes away amid them', {
    timeout: 90_000,
  }, async (context) => {
    const site = await openSite(context, tasks)
    const ids = await addAll(site, plain(12_000))
    const [one, two] = await Promise.all(['one', 'two'].map((name) => site.start({ name })))
    const third = await site.start({ name: 'three' })
    await untilSucceeded(site, 2_000)
    await third.stop({ grace: 0 })
    await drained(site)
    await Promise.all([one?.stop(), two?.stop()])
    await assertOnce(site, ids)
  })

  it('are paused with their queue, and go on', { timeout: 60_000 }, async (context) => {
    const site = await openSite(context, tasks)
    const ids = await addAll(site, plain(15_000))
    const worker = await site.start()
    await untilSucceeded(site, 2_000)
    await site.queue.pause('default')
    await until('what is in hand to end', async () => {
      const jobs = await site.broker.jobs.list({ states: ['queued'] }, systemClock.now())
      return jobs.every(({ claimed }) => !claimed)
    })
    const { queued, succeeded } = await counts(site)
    assert.ok(queued > 0)
    assert.equal(queued + succeeded, 15_000)
    assert.equal(site.effects().length, succeeded)
    await site.queue.resume('default')
    await drained(site)
    await worker.stop()
    await assertOnce(site, ids)
  })

  it('are on record as started before they run where their task acknowledges early', async (context) => {
    const site = await openSite(context, {
      'early.js': `export const options = { ack: 'early' }
        export default () => {}`,
    })
    const ids = await addAll(site, plain(400), 'early')
    await (await site.start({ concurrency: 2, drain: 'due' })).done
    assert.deepEqual(await counts(site), { ...none, succeeded: ids.length })
    const byJob = await logs(site)
    for (const id of ids) {
      const log = byJob.get(id)
      assert.deepEqual(types(log), whole)
      // A start that is told with the end has the event before it.
      assert.ok((log?.[2]?.id ?? 0) - (log?.[1]?.id ?? 0) > 1 || log?.[1]?.data.pid === undefined)
    }
  })

  it('are still ended at the limit of their task', { timeout: 60_000 }, async (context) => {
    const site = await openSite(context, {
      ...tasks,
      'limited.js': `export const options = { timeLimit: 300 }
        export default (act) => { if (act === 'busy') for (;;); }`,
    })
    await addAll(site, plain(1_000), 'limited')
    const worker = await site.start()
    await untilSucceeded(site, 1_000)
    const ids = await addAll(site, [...plain(100), 'busy', ...plain(300)], 'limited')
    await drained(site)
    await worker.stop()
    const byJob = await logs(site)
    assert.deepEqual(types(byJob.get(ids[100] ?? 0)), ['queued', 'started', 'failed'])
    // Of those before it the child could not say how they had ended.
    for (const id of ids.slice(101)) assert.deepEqual(types(byJob.get(id)), whole)
    assert.equal((await counts(site)).failed, 1)
    assert.equal((await site.job(ids[100] ?? 0)).error?.type, 'TimeLimitExceeded')
  })

  it('are ended at a limit that is set while they wait', { timeout: 60_000 }, async (context) => {
    const site = await openSite(context, tasks)
    const worker = await site.start()
    await teach(site, 'swift')
    const [held = 0] = await addAll(site, ['hold', ...plain(100)], 'swift')
    await site.noted(held, 'began')
    await until('what waits behind it to be given back', () => worker.dump()?.pool.children[0]?.inFlight === 1)
    const ids = await addAll(site, [...plain(100), 'busy', ...plain(300)], 'swift')
    await until('them to be claimed', () => (worker.dump()?.jobs.inHand ?? 0) > 300)
    const [{ control = '' } = {}] = await site.broker.workers.list()
    await askWorker(control, { verb: 'limits', task: 'swift', timeLimitMs: 300 }, 10_000)
    site.open(held)
    await drained(site)
    assert.equal((await site.job(ids[100] ?? 0)).error?.type, 'TimeLimitExceeded')
    assert.equal((await counts(site)).failed, 1)
  })

  it('are not run where they must be signed and are not', async (context) => {
    const site = await openSite(context, tasks)
    const ids = await addAll(site, plain(600))
    const config = checkConfig({ require: 'signed' })
    await (await site.start({ drain: 'due', config })).done
    assert.deepEqual(await counts(site), { ...none, failed: ids.length })
    const byJob = await logs(site)
    for (const id of ids) assert.deepEqual(types(byJob.get(id)), ['queued', 'rejected'])
    assert.deepEqual(site.effects(), [])
  })

  it("are told of to the user's steps, to the log and in the figures one by one", {
    timeout: 60_000,
  }, async (context) => {
    const site = await openSite(context, tasks)
    const started: JobStart[] = []
    const ended: JobEnd[] = []
    const listening = defineStep({
      name: 'listening',
      requires: ['execution'],
      start: () => {},
      onJobStart: (job) => void started.push(job),
      onJobEnd: (job) => void ended.push(job),
    })
    const ids = await addAll(
      site,
      Array.from({ length: 6_000 }, (_, index) => (index === 4_000 ? 'fail' : null)),
      'swift',
    )
    const options: Partial<WorkerOptions> = { steps: [listening], logLevel: 'info', concurrency: 2 }
    const worker = await site.start(options)
    await drained(site)
    await worker.stop()
    assert.deepEqual(
      started.map(({ id }) => id).toSorted((a, b) => a - b),
      ids,
    )
    assert.deepEqual(
      ended.map(({ id }) => id).toSorted((a, b) => a - b),
      ids,
    )
    for (const { id, attempt, startedAt, endedAt, event } of ended) {
      assert.equal(attempt, 1)
      assert.ok(startedAt !== null && endedAt >= startedAt)
      assert.equal(event, id === ids[4_000] ? 'job.failed' : 'job.succeeded')
    }
    const said = site.said.filter(({ type }) => type === 'job.succeeded' || type === 'job.failed')
    assert.deepEqual(
      said.map(({ job }) => job ?? 0).toSorted((a, b) => a - b),
      ids,
    )
    assert.equal(said.filter(({ type }) => type === 'job.failed').length, 1)
    const jobs = new Map((await site.broker.jobs.list({}, systemClock.now())).map((job) => [job.id, job]))
    for (const { id, startedAt, endedAt } of ended) {
      const { startedAt: from, finishedAt: to } = jobs.get(id) ?? {}
      assert.deepEqual([startedAt, endedAt], [from, to])
    }
  })

  it('are not lost with a child that is killed amid them', { timeout: 60_000 }, async (context) => {
    const site = await openSite(context, tasks)
    const ids = await addAll(site, plain(15_000))
    const worker = await site.start({ concurrency: 2 })
    for (const least of [1_000, 4_000, 8_000]) {
      await untilSucceeded(site, least)
      const child = worker.dump()?.pool.children.find(({ state }) => state === 'busy')
      if (child !== undefined) process.kill(child.pid, 'SIGKILL')
    }
    await drained(site)
    await worker.stop()
    assert.deepEqual(await counts(site), { ...none, succeeded: ids.length })
    const byJob = await logs(site)
    for (const id of ids) {
      const log = types(byJob.get(id))
      const usual = log.filter((type) => type !== 'recovered')
      assert.ok(usual.length === 3 || (usual.length === 4 && usual[2] === 'started'), `job ${id}: ${log}`)
      assert.deepEqual([usual[0], usual[1], usual.at(-1)], whole)
    }
    const began = Map.groupBy(site.effects(), (line) => Number(line.split(' ')[0]))
    for (const id of ids) {
      const recovered = types(byJob.get(id)).filter((type) => type === 'recovered').length
      const often = began.get(id)?.length ?? 0
      assert.ok(often >= 1 && often <= 1 + recovered, `job ${id} ran ${often} times`)
    }
  })

  it('are blamed on the one that brings its child down', { timeout: 60_000 }, async (context) => {
    const site = await openSite(context, tasks)
    await site.start()
    await teach(site)
    const ids = await addAll(site, [...plain(60), 'exit', ...plain(400)])
    await drained(site)
    const culprit = await site.job(ids[60] ?? 0)
    assert.deepEqual([culprit.state, culprit.error?.type, culprit.crashes], ['failed', 'PoisonJob', 3])
    for (const id of ids) if (id !== culprit.id) assert.equal((await site.job(id)).state, 'succeeded')
  })

  it('are counted by the worker and its children as they are', { timeout: 60_000 }, async (context) => {
    const site = await openSite(context, tasks)
    const worker = await site.start()
    await teach(site, 'swift')
    const ids = await addAll(site, [...plain(10), 'hold', ...plain(500)], 'swift')
    const held = ids[10] ?? 0
    await site.noted(held, 'began')
    await until('what waits behind it to be given back', () => worker.dump()?.pool.children[0]?.inFlight === 1)
    const [child] = worker.dump()?.pool.children ?? []
    assert.deepEqual([child?.job, child?.processed, child?.state], [held, 410, 'busy'])
    site.open(held)
    await drained(site)
    await until('all to be told', () => worker.dump()?.pool.children[0]?.processed === 400 + ids.length)
    assert.equal(worker.dump()?.pool.children[0]?.inFlight, 0)
  })
})
