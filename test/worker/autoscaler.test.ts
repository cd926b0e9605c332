import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ChildStatus } from '../../src/broker/broker.ts'
import { controlWorkers } from '../../src/client/control.ts'
import type { ControlCommand } from '../../src/control/command.ts'
import type { JobqEvent } from '../../src/event.ts'
import type { WorkerOptions } from '../../src/worker/worker.ts'
import { until } from '../support/until.ts'
import { openSite, type Site } from './site.ts'

const autoscale = (bounds: readonly [max: number, min: number], keepaliveMs: number): Partial<WorkerOptions> => ({
  autoscale: bounds,
  autoscaleKeepalive: keepaliveMs,
})

const changes = async (site: Site): Promise<string[]> =>
  (await site.events()).filter(({ type }) => type.startsWith('pool.')).map(text)

const text = ({ type, data }: JobqEvent): string => `${type} ${data.from} ${data.to} ${data.reason}`

/** The size that the last change of the pool led to. */
const reached = (site: Site, size: number): Promise<unknown> =>
  until(`a pool of ${size}`, async () => (await changes(site)).at(-1)?.split(' ')[2] === String(size))

const idle = (site: Site, pids: number): Promise<unknown> =>
  until(`${pids} children`, async () => {
    const events = await site.events()
    const count = (wanted: JobqEvent['type']) => events.filter(({ type }) => type === wanted).length
    return count('child.started') - count('child.exited') === pids
  })

describe('a pool that follows its load', () => {
  it('starts at MIN, grows at once to what waits and runs, stops at MAX, and shrinks when all is done', async (context) => {
    const site = await openSite(context)
    const worker = await site.start(autoscale([4, 1], 100))
    assert.deepEqual(await changes(site), [])
    const first = await site.queue.enqueueMany(Array(2).fill({ task: 'hold' }))
    for (const id of first) await site.noted(id, 'began')
    assert.deepEqual(await changes(site), ['pool.grown 1 2 load'])
    const second = await site.queue.enqueueMany(Array(6).fill({ task: 'hold' }))
    await reached(site, 4)
    await until('four to run', () => site.effects().filter((line) => line.endsWith(' began')).length === 4)
    for (const id of [...first, ...second]) site.open(id)
    for (const id of [...first, ...second]) await site.reached(id, 'succeeded')
    await reached(site, 1)
    await idle(site, 1)
    const grown = site.said.flatMap(({ type, message }) => (type === 'pool.grown' ? [message] : []))
    assert.match(grown[0] ?? '', /^the pool has grown from 1 to 2: \d waiting, \d running$/)
    assert.ok((await changes(site)).every((change) => change.endsWith(' load')))
    const exits = (await site.events()).filter(({ type }) => type === 'child.exited')
    assert.deepEqual(
      exits.map(({ data }) => [data.expected, data.reason]),
      Array(3).fill([true, 'shrunk']),
    )
    assert.ok((await site.events()).every(({ type }) => type !== 'job.recovered'))
    await worker.stop()
  })

  it('takes no child away that has a job', async (context) => {
    const site = await openSite(context)
    await site.start(autoscale([3, 1], 50))
    const ids = await site.queue.enqueueMany(Array(3).fill({ task: 'stubborn' }))
    for (const id of ids) await site.noted(id, 'began')
    const [held = 0, ...rest] = ids
    for (const id of rest) site.open(id)
    await reached(site, 1)
    await idle(site, 1)
    assert.equal((await site.job(held)).state, 'running')
    site.open(held)
    const { attempt } = await site.reached(held, 'succeeded')
    assert.equal(attempt, 1)
    assert.deepEqual(
      site.effects().filter((line) => line.startsWith(`${held} `)),
      [`${held} 1 began`, `${held} 1 ended`],
    )
  })

  it('does not shrink before the keepalive', async (context) => {
    const site = await openSite(context)
    let looks = 0
    await site.start({
      ...autoscale([2, 1], 3_600_000),
      autoscaler: ({ waiting, running }) => {
        looks += 1
        return waiting + running
      },
    })
    const ids = await site.queue.enqueueMany(Array(2).fill({ task: 'hold' }))
    for (const id of ids) await site.noted(id, 'began')
    for (const id of ids) site.open(id)
    for (const id of ids) await site.reached(id, 'succeeded')
    const before = looks
    await until('looks at an idle pool', () => looks > before + 1)
    assert.deepEqual(await changes(site), ['pool.grown 1 2 load'])
  })

  it('asks the rule of the user, keeps its size without an answer, and says so once', async (context) => {
    const site = await openSite(context)
    const seen: number[] = []
    let answer: () => number = () => 3
    await site.start({
      ...autoscale([5, 1], 0),
      autoscaler: ({ min, max, loadavg, memFree, history, waiting, running, size }) => {
        seen.push(history.length)
        assert.deepEqual([min, max, loadavg.length, memFree > 0], [1, 5, 3, true])
        assert.deepEqual([waiting, running, size >= 1], [0, 0, true])
        return answer()
      },
    })
    await reached(site, 3)
    answer = () => 99
    await reached(site, 5)
    answer = () => Number.NaN
    const complaints = () =>
      site.said.filter(({ message }) => message?.startsWith('autoscaler: ')).map((entry) => entry.message)
    await until('a complaint', () => complaints().length === 1)
    answer = () => {
      throw new Error('out of ideas')
    }
    await until('another one', () => complaints().length === 2)
    const looks = seen.length
    await until('more looks', () => seen.length > looks + 2)
    assert.deepEqual(complaints(), [
      'autoscaler: its answer is not a number; the pool stays as it is',
      'autoscaler: out of ideas; the pool stays as it is',
    ])
    assert.ok((seen[1] ?? 0) > 0)
    assert.deepEqual(await changes(site), ['pool.grown 1 3 load', 'pool.grown 3 5 load'])
  })
})

describe('a pool that is changed by hand', () => {
  it('grows, shrinks by idle children first, and follows its load once it has bounds', async (context) => {
    const site = await openSite(context)
    const worker = await site.start()
    const children = (state: string) => () => {
      const { children } = worker.info().pool as { readonly children: readonly ChildStatus[] }
      return children.filter((child) => child.state === state)
    }
    const tell = async (command: ControlCommand): Promise<unknown> => {
      const [answer] = await controlWorkers(site.broker, command)
      assert.ok(answer)
      return answer.ok ? [Reflect.get(answer.result, 'from'), Reflect.get(answer.result, 'to')] : answer.message
    }
    assert.deepEqual(await tell({ verb: 'grow', count: 2 }), [1, 3])
    await until('three', () => children('idle')().length === 3)
    const id = await site.queue.enqueue('stubborn')
    await site.noted(id, 'began')
    assert.deepEqual(await tell({ verb: 'shrink', count: 2 }), [3, 1])
    await idle(site, 1)
    assert.deepEqual(
      children('busy')().map(({ job }) => job),
      [id],
    )
    assert.match(String(await tell({ verb: 'shrink', count: 1 })), /one child stays/)
    assert.match(String(await tell({ verb: 'grow', count: 1_024 })), /1024 children at most/)
    assert.deepEqual(await tell({ verb: 'autoscale', max: 4, min: 2 }), [1, 2])
    assert.deepEqual(await tell({ verb: 'grow', count: 3 }), [2, 5])
    assert.deepEqual(await tell({ verb: 'shrink', count: 4 }), [5, 1])
    assert.deepEqual((worker.info().autoscaler as { readonly bounds: unknown }).bounds, { max: 5, min: 1 })
    const more = await site.queue.enqueueMany(Array(9).fill({ task: 'hold' }))
    await reached(site, 5)
    for (const each of [id, ...more]) site.open(each)
    for (const each of [id, ...more]) assert.equal((await site.reached(each, 'succeeded')).attempt, 1)
    assert.deepEqual(await changes(site), [
      'pool.grown 1 3 asked',
      'pool.shrunk 3 1 asked',
      'pool.grown 1 2 bounds',
      'pool.grown 2 5 asked',
      'pool.shrunk 5 1 asked',
      'pool.grown 1 5 load',
    ])
  })
})
