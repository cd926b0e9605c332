import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { ownIdentity } from '../../src/broker/process-identity.ts'
import { openDatabase } from '../../src/broker/sqlite/native.ts'
import { SqliteBroker } from '../../src/broker/sqlite/sqlite-broker.ts'
import { systemClock } from '../../src/clock.ts'
import { isAlive } from '../support/processes.ts'
import { until } from '../support/until.ts'
import { openSite, type Site } from './site.ts'

/** Starts a worker in another process; answers how to kill it, which resolves once it is gone. */
const startProcess = async (context: TestContext, site: Site, children = 1): Promise<() => Promise<void>> => {
  const file = path.join(import.meta.dirname, 'worker-process.ts')
  const child = spawn(process.execPath, [file, site.database, path.join(site.folder, 'tasks'), String(children)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const gone = once(child, 'exit')
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await gone
  }
  context.after(kill)
  await once(child.stdout, 'data')
  return kill
}

const leaseMs = 3_600_000
const says = (site: Site, what: RegExp): boolean => site.said.some(({ message = '' }) => what.test(message))
const types = async (site: Site, id: number): Promise<string[]> => (await site.events(id)).map(({ type }) => type)

describe('a worker whose process is gone', () => {
  it('is taken over at once, its running job blamed, those it had ahead not', async (context) => {
    const site = await openSite(context)
    const kill = await startProcess(context, site)
    const running = await site.queue.enqueue('hold')
    await site.reached(running, 'running')
    const ahead = await site.queue.enqueue('note')
    await until('it to be claimed ahead', async () => (await site.job(ahead)).claimed)
    await site.start({ leaseMs, concurrency: 2 })
    await kill()
    await site.reached(ahead, 'succeeded')
    await until('the second run', () => site.effects().filter((line) => line === `${running} 1 began`).length === 2)
    site.open(running)
    const { attempt, crashes } = await site.reached(running, 'succeeded')
    assert.deepEqual([attempt, crashes, (await site.job(ahead)).crashes], [1, 1, 0])
    assert.deepEqual(await types(site, running), [
      ...['job.queued', 'job.started', 'job.recovered', 'job.started', 'job.succeeded'],
    ])
    assert.equal((await site.broker.workers.list()).length, 1)
    assert.equal((await site.events()).filter(({ type }) => type === 'worker.offline').length, 1)
  })

  it('is taken over by a worker that starts after it', async (context) => {
    const site = await openSite(context)
    const kill = await startProcess(context, site)
    const id = await site.queue.enqueue('hold')
    await site.reached(id, 'running')
    await kill()
    site.open(id)
    await (await site.start({ drain: 'due', leaseMs })).done
    assert.equal((await site.job(id)).state, 'succeeded')
    assert.deepEqual(
      fs.readdirSync(site.folder).filter((name) => name.includes('bell')),
      [],
    )
  })
})

describe('what was in flight when a process died', () => {
  it('runs alone', async (context) => {
    const site = await openSite(context)
    const session = await site.broker.workers.join(
      { name: 'gone', process: { ...ownIdentity(), startTime: '1' }, queues: null },
      systemClock.now(),
    )
    const held = [await site.queue.enqueue('hold'), await site.queue.enqueue('note'), await site.queue.enqueue('note')]
    const request = { queues: null, order: 'strict' as const, limit: 3, worker: session, leaseMs }
    assert.equal((await site.broker.claim(request, systemClock.now())).length, 3)
    await site.start({ prefetch: 10 })
    await site.noted(held[0] ?? 0, 'began')
    const running = await site.broker.jobs.list({ states: ['running'] }, systemClock.now())
    assert.deepEqual(
      running.map(({ id }) => id),
      [held[0]],
    )
    site.open(held[0] ?? 0)
    for (const id of held) await site.reached(id, 'succeeded')
  })
})

describe('a recovered command', () => {
  it('ends with the child that watches it', async (context) => {
    const site = await openSite(context)
    const file = path.join(site.folder, 'pids')
    const id = await site.queue.enqueue(['sh', '-c', `echo $$ >> '${file}'; exec sleep 3600`])
    const session = await site.broker.workers.join(
      { name: 'gone', process: ownIdentity(), queues: null },
      systemClock.now(),
    )
    await site.broker.claim({ queues: null, order: 'strict', limit: 1, worker: session, leaseMs }, systemClock.now())
    await site.broker.workers.leave(session, systemClock.now())
    const worker = await site.start()
    const pids = () => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n').slice(0, -1).map(Number) : [])
    await until('the program', () => pids().length === 1)
    await site.reached(id, 'running')
    const { children } = worker.info().pool as { children: { pid: number }[] }
    process.kill(children[0]?.pid ?? 0, 'SIGKILL')
    await until('the second run', () => pids().length === 2)
    assert.equal(isAlive(pids()[0] ?? 0), false)
  })
})

describe('a job that brings down its child', () => {
  it('is stopped as poison at maxCrashes, no neighbour is blamed', async (context) => {
    const site = await openSite(context)
    await site.start({ prefetch: 5 })
    const [poison = 0, ...others] = await site.queue.enqueueMany([
      { task: 'die' },
      { task: 'note' },
      { task: 'note' },
      { task: 'note' },
    ])
    const { error, crashes, attempt } = await site.reached(poison, 'failed')
    assert.deepEqual([error?.type, crashes, attempt], ['PoisonJob', 3, 1])
    for (const id of others) assert.equal((await site.reached(id, 'succeeded')).crashes, 0)
    assert.equal(site.effects().filter((line) => line.startsWith(`${poison} `)).length, 3)
    assert.equal((await types(site, poison)).filter((type) => type === 'job.recovered').length, 2)
  })

  it('is stopped as poison when it brings down workers, and its crashes are counted right', async (context) => {
    const site = await openSite(context)
    const id = await site.queue.enqueue('note')
    for (let crash = 0; crash < 3; crash += 1) {
      const worker = { name: 'gone', process: ownIdentity(), queues: null }
      const session = await site.broker.workers.join(worker, systemClock.now())
      const request = { queues: null, order: 'strict' as const, limit: 1, worker: session, leaseMs }
      const [job] = await site.broker.claim(request, systemClock.now())
      assert.ok(job)
      const { token, attempt } = job
      await site.broker.settle([{ kind: 'started', id, token, attempt, at: Date.now(), pid: 1 }], systemClock.now())
      await site.broker.workers.leave(session, systemClock.now())
    }
    await (await site.start({ drain: 'due' })).done
    const { state, error, crashes } = await site.job(id)
    assert.deepEqual([state, error?.type, crashes], ['failed', 'PoisonJob', 3])
    assert.deepEqual(site.effects(), [])
  })

  it('runs no second time where its task acknowledges early', async (context) => {
    const site = await openSite(context, {
      'once.js': `import fs from 'node:fs'
        import path from 'node:path'
        export const options = { ack: 'early', retries: 5 }
        export default (payload, job) => {
          fs.appendFileSync(path.join(import.meta.dirname, '..', 'effects'), job.id + ' ' + job.attempt + ' ran\\n')
          process.kill(process.pid, 'SIGKILL')
        }`,
    })
    const id = await site.queue.enqueue('once')
    await (await site.start({ drain: 'all' })).done
    const { state, error } = await site.job(id)
    assert.deepEqual([state, error?.type], ['failed', 'Crashed'])
    assert.deepEqual(site.effects(), [`${id} 1 ran`])
  })

  it('runs no second time where its task acknowledges early and a stop cuts it', async (context) => {
    const site = await openSite(context, {
      'once.js': `import fs from 'node:fs'
        import path from 'node:path'
        export const options = { ack: 'early' }
        export default async (payload, job) => {
          fs.appendFileSync(path.join(import.meta.dirname, '..', 'effects'), job.id + ' ' + job.attempt + ' ran\\n')
          await new Promise((resolve, reject) => job.signal.addEventListener('abort', () => reject(job.signal.reason)))
        }`,
    })
    const id = await site.queue.enqueue('once')
    const worker = await site.start()
    await site.noted(id, 'ran')
    await worker.stop({ grace: 0 })
    await (await site.start({ drain: 'all' })).done
    const { state, error } = await site.job(id)
    assert.deepEqual([state, error?.type], ['failed', 'Crashed'])
    assert.deepEqual(site.effects(), [`${id} 1 ran`])
  })
})

describe('a job that another one brought down', () => {
  it('goes back unblamed, and the drain does not count it as cut by a stop', async (context) => {
    const site = await openSite(context, {
      'bomb.js': `export default () => { setTimeout(() => { throw new Error('late') }, 50) }`,
    })
    const [, held = 0] = await site.queue.enqueueMany([{ task: 'bomb' }, { task: 'hold' }])
    const worker = await site.start({ drain: 'all', prefetch: 5 })
    await until('the second run', () => site.effects().filter((line) => line.endsWith('began')).length === 2)
    site.open(held)
    assert.deepEqual(await worker.done, { returned: 0, error: null })
    const { state, attempt, crashes } = await site.job(held)
    assert.deepEqual([state, attempt, crashes], ['succeeded', 1, 0])
  })
})

describe('a broker', () => {
  it('that is busy for long is waited for; what runs goes on, and is settled after', async (context) => {
    const site = await openSite(context)
    const id = await site.queue.enqueue('hold')
    const impatient = SqliteBroker.open(site.database, { busyTimeoutMs: 100 })
    context.after(() => impatient.close())
    await site.start({ broker: impatient })
    await site.reached(id, 'running')
    const other = openDatabase(site.database)
    context.after(() => other.close())
    other.exec('BEGIN IMMEDIATE')
    site.open(id)
    await until('the worker to find it busy', () => says(site, /is busy.*nothing is claimed until it is back/))
    other.exec('COMMIT')
    await until('the worker to go on', () => says(site, /the broker is back/))
    assert.equal((await site.reached(id, 'succeeded')).crashes, 0)
    assert.deepEqual(await types(site, id), ['job.queued', 'job.started', 'job.succeeded'])
  })

  it('that was replaced ends the worker with an error, which is told and not repeated', async (context) => {
    const site = await openSite(context)
    const id = await site.queue.enqueue('hold')
    const worker = await site.start({ grace: '1h' })
    await site.reached(id, 'running')
    for (const end of ['', '-wal', '-shm']) fs.renameSync(`${site.database}${end}`, `${site.database}.old${end}`)
    site.open(id)
    const { error } = await worker.done
    assert.match(String(error), /moved, deleted or replaced/)
    const told = site.said.filter(({ message }) => message?.includes('moved, deleted or replaced'))
    assert.ok(told.length < 10, `${told.length} lines`)
    assert.equal(fs.existsSync(site.database), false)
  })
})

it('a job that runs again is left alone when the lease of its earlier run is found to be lost', async (context) => {
  const site = await openSite(context)
  const id = await site.queue.enqueue('hold')
  const { extend } = SqliteBroker.prototype
  const answered = Promise.withResolvers<void>()
  let asked = 0
  context.mock.method(
    SqliteBroker.prototype,
    'extend',
    async function (this: SqliteBroker, ...leases: Parameters<typeof extend>) {
      asked += 1
      if (asked > 1) return extend.apply(this, leases)
      site.open(id)
      await site.reached(id, 'succeeded')
      fs.rmSync(path.join(site.folder, `open.${id}`))
      await site.queue.retry(id)
      await site.reached(id, 'running')
      const answers = await extend.apply(this, leases)
      assert.deepEqual(answers, ['lost'])
      setImmediate(answered.resolve)
      return answers
    },
  )
  await site.start({ leaseMs })
  await answered.promise
  site.open(id)
  await site.reached(id, 'succeeded')
  assert.deepEqual(await types(site, id), [
    ...['job.queued', 'job.started', 'job.succeeded', 'job.requeued', 'job.started', 'job.succeeded'],
  ])
})
