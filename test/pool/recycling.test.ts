import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { until } from '../support/until.ts'
import { jobOf, startPool } from './pool-fixture.ts'

const idle = { 'who.js': 'export default () => process.pid' }
const leak = {
  'leak.js': `const kept = []
    export default ({ megabytes }) => { kept.push(Buffer.alloc(megabytes * 1024 * 1024, 1)); return process.pid }`,
}

describe('a child that may run so many jobs', () => {
  it('is given no more than that, and leaves when its replacement has taken over', async (context) => {
    const { pool, told, until: heard } = await startPool(context, idle, { childLimits: { maxJobs: 3, maxBytes: null } })
    const ran = new Map<unknown, number>()
    for (let round = 0; round < 3; round++) {
      const child = await until('a child to be idle', () => pool.children.find(({ state }) => state === 'idle'))
      assert.equal(child.remaining, 3)
      const jobs = [jobOf('who'), jobOf('who'), jobOf('who')]
      child.run(jobs)
      assert.equal(child.remaining, 0)
      for (const job of jobs) {
        const { outcome } = await heard('ended', (ended) => ended.job === job)
        const by = outcome.type === 'succeeded' ? outcome.result : null
        ran.set(by, (ran.get(by) ?? 0) + 1)
      }
      await until('the worn child to be gone', () => !pool.children.includes(child))
    }
    assert.deepEqual([...ran.values()], [3, 3, 3])
    const order = told.flatMap((each) =>
      each.type === 'ready' ? ['ready'] : each.type === 'exited' ? [each.reason] : [],
    )
    assert.deepEqual(order.slice(0, 7), [
      'ready',
      ...['ready', 'max-tasks', 'ready', 'max-tasks', 'ready', 'max-tasks'],
    ])
    assert.equal(pool.children.length, 1)
  })

  it('is replaced as well when it dies before', async (context) => {
    const files = { ...idle, 'die.js': 'export default () => process.kill(process.pid, "SIGKILL")' }
    const {
      pool,
      child,
      until: heard,
    } = await startPool(context, files, { childLimits: { maxJobs: 2, maxBytes: null } })
    const first = child()
    first.run([jobOf('die')])
    assert.equal((await heard('exited', () => true)).reason, 'died')
    const next = await until('another child', () => pool.children.find(({ state }) => state === 'idle'))
    assert.notEqual(next.pid, first.pid)
    assert.equal(pool.children.length, 1)
  })

  it('shrinks with what was to replace it', async (context) => {
    const { pool } = await startPool(context, idle, { size: 3, childLimits: { maxJobs: 1, maxBytes: null } })
    pool.resize(1)
    await until('two to be gone', () => pool.children.length === 1)
    const [left] = pool.children
    assert.ok(left)
    left.run([jobOf('who')])
    await until('its replacement', () => !pool.children.includes(left) && pool.children[0]?.state === 'idle')
    assert.equal(pool.children.length, 1)
  })
})

describe('a child that has grown too large', () => {
  it('begins nothing more, gives back what waits and is replaced', async (context) => {
    const limit = { maxJobs: null, maxBytes: 300 * 1024 * 1024 }
    const { pool, told, until: heard } = await startPool(context, leak, { childLimits: limit })
    const [first] = pool.children
    assert.ok(first)
    const jobs = Array.from({ length: 4 }, () => jobOf('leak', { megabytes: 150 }))
    first.run(jobs)
    const returned = await heard('returned', ({ ids }) => ids.length > 0)
    const ended = told.filter((each) => each.type === 'ended').length
    assert.deepEqual([ended, returned.ids], [2, jobs.slice(2).map(({ id }) => id)])
    assert.equal((await heard('exited')).reason, 'max-memory')
    const next = await until('the replacement', () => pool.children.find(({ state }) => state === 'idle'))
    next.run(jobs.slice(2, 3))
    const { outcome } = await heard('ended', (each) => each.job === jobs[2])
    assert.deepEqual(outcome, { type: 'succeeded', result: String(next.pid) })
  })
})

const flakyStart = (gate: string) => ({
  'who.js': `import fs from 'node:fs'
    if (!fs.existsSync(${JSON.stringify(gate)})) process.exit(7)
    export default () => process.pid`,
})

describe('children that do not start', () => {
  it('are tried one at a time, are told of after some failures, and all come once one has started', async (context) => {
    const gate = path.join(fs.mkdtempSync('/tmp/jobq-gate-'), 'open')
    context.after(() => fs.rmSync(path.dirname(gate), { recursive: true }))
    const { pool, told } = await startPool(context, flakyStart(gate), { size: 3 })
    const trouble = await until('trouble', () => pool.trouble)
    assert.deepEqual([trouble.failures, trouble.ready, trouble.retryInMs], [3, 0, 400])
    assert.match(trouble.detail, /exited with code 7 before it was ready/)
    const exits = told.filter((each) => each.type === 'exited')
    assert.deepEqual(
      exits.map(({ reason }) => reason),
      Array(5).fill('not-started'),
      'three at first, then one and one',
    )
    assert.equal(exits.at(-1)?.replacedInMs, 400)
    fs.writeFileSync(gate, '')
    await until('all three', () => pool.children.filter(({ state }) => state === 'idle').length === 3)
    assert.equal(pool.trouble, null)
    const exitsAfter = told.filter((each) => each.type === 'exited').length
    const pids = new Set(pool.children.map(({ pid }) => pid))
    assert.deepEqual([exitsAfter <= 6, pids.size], [true, 3])
  })

  it('are tried with growing delays also if they die as soon as they are ready', async (context) => {
    const files = { 'who.js': 'setTimeout(() => process.exit(7), 1); export default () => process.pid' }
    const { told, until: heard } = await startPool(context, files)
    await heard('exited', ({ replacedInMs }) => replacedInMs === 400)
    const exits = told.filter((each) => each.type === 'exited')
    assert.deepEqual(
      exits.map(({ replacedInMs }) => replacedInMs),
      [100, 200, 400],
    )
  })
})
