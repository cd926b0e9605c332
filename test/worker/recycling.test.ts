import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { until } from '../support/until.ts'
import { openSite, type Site } from './site.ts'

const tasks = {
  'who.js': 'export default () => process.pid',
  'leak.js': `const kept = []
    export default () => {
      kept.push(Buffer.alloc(10 * 1024 * 1024, 1))
      return { pid: process.pid, rss: process.memoryUsage.rss() }
    }`,
}

const results = async (site: Site, ids: readonly number[]): Promise<unknown[]> =>
  Promise.all(
    ids.map(async (id) => {
      const job = await site.reached(id, 'succeeded')
      assert.equal(job.attempt, 1)
      return job.result
    }),
  )

describe('a worker whose children run so many jobs', () => {
  it('gives each child exactly that many, windows and all, and loses no attempt', async (context) => {
    const site = await openSite(context, tasks)
    const ids = await site.queue.enqueueMany(Array(600).fill({ task: 'who' }))
    await (await site.start({ maxTasksPerChild: 50, concurrency: 2, drain: 'due' })).done
    const pids = Map.groupBy(await results(site, ids), (pid) => pid)
    const counts = [...pids.values()].map((jobs) => jobs.length).toSorted((a, b) => b - a)
    assert.ok(
      counts.every((count) => count <= 50),
      String(counts),
    )
    assert.ok(counts.filter((count) => count < 50).length <= 2, `only the last may have run fewer: ${counts}`)
    const exits = (await site.events()).filter(({ type }) => type === 'child.exited').map(({ data }) => data.reason)
    assert.deepEqual(new Set(exits), new Set(['max-tasks', 'stopped']))
    assert.ok((await site.events()).every(({ type }) => type !== 'job.recovered'))
  })

  it('has the next child ready before the last one leaves', async (context) => {
    const site = await openSite(context, tasks)
    const ids = await site.queue.enqueueMany(Array(12).fill({ task: 'who' }))
    await (await site.start({ maxTasksPerChild: 3, drain: 'due' })).done
    await results(site, ids)
    const [started, left] = [[] as unknown[], [] as unknown[]]
    for (const { type, data } of await site.events()) {
      if (type === 'child.started') started.push(data.pid)
      if (type !== 'child.exited' || data.reason !== 'max-tasks') continue
      assert.equal(data.pid, started[left.length], 'in the order of their start')
      left.push(data.pid)
      assert.ok(started.length > left.length, 'another one was ready')
    }
    assert.ok(left.length >= 3)
  })
})

describe('a worker whose tasks leak', () => {
  it('says once that a limit leaves no room for a child', async (context) => {
    const site = await openSite(context, tasks)
    const ids = await site.queue.enqueueMany(Array(3).fill({ task: 'who' }))
    await (await site.start({ maxMemoryPerChild: 300_000, drain: 'due' })).done
    assert.equal(new Set(await results(site, ids)).size, 3)
    const told = site.said.flatMap(({ message = '' }) => (/before its first job/.test(message) ? [message] : []))
    assert.equal(told.length, process.platform === 'linux' ? 1 : 0)
    assert.match(told.join(''), /^(a child holds [\d.]+M before its first job, above the limit of \S+k: .*)?$/)
  })

  it('stays within bounds', async (context) => {
    const site = await openSite(context, tasks)
    const limit = 160 * 1024 * 1024
    const ids = await site.queue.enqueueMany(Array(60).fill({ task: 'leak' }))
    const worker = await site.start({ maxMemoryPerChild: limit, drain: 'due' })
    const ran = (await results(site, ids)) as { readonly pid: number; readonly rss: number }[]
    await worker.done
    // What is measured after a job includes that job's own 10 MB; a page or two come with the report.
    for (const { rss } of ran) assert.ok(rss <= limit + 16 * 1024 * 1024, `${rss} bytes`)
    const largest = Map.groupBy(ran, ({ pid }) => pid)
      .values()
      .map((jobs) => Math.max(...jobs.map(({ rss }) => rss)))
    assert.equal(
      [...largest].filter((rss) => rss < limit - 16 * 1024 * 1024).length <= 1,
      true,
      'none was replaced early',
    )
    const exits = (await site.events()).filter(
      ({ type, data }) => type === 'child.exited' && data.reason === 'max-memory',
    )
    assert.ok(exits.length >= 60 / 16)
  })
})

describe('a worker whose children do not start', () => {
  it('says why, claims nothing, shows it, and goes on by itself once they do', async (context) => {
    const site = await openSite(context)
    const broken = path.join(site.folder, 'tasks', 'broken.js')
    fs.writeFileSync(broken, 'process.exit(7)')
    const id = await site.queue.enqueue('note')
    await site.start({ concurrency: 2 })
    const said = (words: RegExp) =>
      until(String(words), () => site.said.find(({ message }) => words.test(message ?? '')))
    const { level } = await said(
      /^children do not start: exited with code 7 before it was ready.*nothing is claimed until one does$/,
    )
    assert.equal(level, 'error')
    const waiting = await site.job(id)
    assert.deepEqual([waiting.state, waiting.claimed, waiting.attempt], ['queued', false, 0])
    const [worker] = await until('the worker to show it', async () => {
      const workers = await site.broker.workers.list()
      return workers.some(({ trouble }) => typeof trouble === 'string') && workers
    })
    assert.match(worker?.trouble ?? '', /^exited with code 7/)
    fs.rmSync(broken)
    await site.reached(id, 'succeeded')
    await said(/^children start again$/)
    const started = () => site.events().then((events) => events.filter(({ type }) => type === 'child.started').length)
    await until('both children', async () => (await started()) === 2)
  })
})
