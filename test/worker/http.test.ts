import assert from 'node:assert/strict'
import { once } from 'node:events'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { SqliteBroker } from '../../src/broker/sqlite/sqlite-broker.ts'
import { JobqError } from '../../src/errors.ts'
import type { Worker } from '../../src/worker/worker.ts'
import { figureOf, type Line, parsePrometheus } from '../support/prometheus.ts'
import { until } from '../support/until.ts'
import { openSite, watched } from './site.ts'

const urlOf = (worker: Worker): string => {
  const info = worker.info().http
  if (typeof info === 'object' && info !== null && 'url' in info && typeof info.url === 'string') return info.url
  throw new Error('the worker does not listen')
}

interface Answer {
  readonly status: number
  readonly ok: boolean
  readonly said: string
  readonly reason: string | null
  readonly busy: number | undefined
}

const check = async (worker: Worker, name: 'healthz' | 'readyz'): Promise<Answer> => {
  const response = await fetch(`${urlOf(worker)}/${name}`)
  const { ok, status: said, reason, busy } = (await response.json()) as Omit<Answer, 'said'> & { status: string }
  return { status: response.status, ok, said, reason, busy }
}

const scrape = async (worker: Worker): Promise<Line[]> => {
  const response = await fetch(`${urlOf(worker)}/metrics`)
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
  return parsePrometheus(await response.text())
}

const listen = { listen: 0 }

describe('metrics', () => {
  it('tell what the broker holds and what the worker did', async (context) => {
    const site = await openSite(context, { 'fail.js': "export default () => { throw new Error('no') }" })
    const worker = await site.start({ http: listen, name: 'w' })
    const done = await site.queue.enqueue('note', null, { queue: 'a' })
    const failed = await site.queue.enqueue('fail', null, { retries: 1, backoff: 'fixed:0s' })
    const dead = await site.queue.enqueue('die', null, { queue: 'a' })
    await site.queue.enqueue('note', null, { delay: '1h' })
    await site.reached(done, 'succeeded')
    await site.reached(failed, 'failed')
    await site.reached(dead, 'failed')
    const lines = await until('the counts of a second later', async () => {
      const found = await scrape(worker)
      return figureOf(found, 'jobq_jobs', { queue: 'a', state: 'failed' }) === 1 && found
    })
    assert.equal(figureOf(lines, 'jobq_worker_info', { worker: 'w' }), 1)
    assert.equal(figureOf(lines, 'jobq_broker_up'), 1)
    assert.equal(figureOf(lines, 'jobq_jobs', { queue: 'a', state: 'succeeded' }), 1)
    assert.equal(figureOf(lines, 'jobq_jobs', { queue: 'default', state: 'queued' }), 1)
    assert.equal(figureOf(lines, 'jobq_jobs_scheduled', { queue: 'default' }), 1)
    assert.equal(figureOf(lines, 'jobq_jobs_finished_total', { queue: 'a', task: 'note', state: 'succeeded' }), 1)
    assert.equal(figureOf(lines, 'jobq_jobs_finished_total', { task: 'fail', state: 'failed' }), 1)
    assert.equal(figureOf(lines, 'jobq_jobs_retried_total', { task: 'fail' }), 1)
    assert.equal(figureOf(lines, 'jobq_jobs_recovered_total', { task: 'die' }), 2)
    assert.equal(figureOf(lines, 'jobq_child_exits_total', { reason: 'died' }), 3)
    assert.equal(figureOf(lines, 'jobq_job_run_seconds_count', { task: 'note' }), 1)
    assert.equal(figureOf(lines, 'jobq_pool_size'), 1)
    for (const name of [
      'jobq_broker_file_bytes',
      'jobq_broker_wal_bytes',
      'jobq_children_resident_bytes',
      'jobq_events_total',
      'jobq_transaction_seconds_count',
      'process_resident_memory_bytes',
      'process_cpu_seconds_total',
      'nodejs_eventloop_lag_seconds',
    ]) {
      assert.ok((figureOf(lines, name) ?? -1) >= 0, name)
    }
  })

  it('are a file for node_exporter as well, without what that tells of itself, and gone at the end', async (context) => {
    const site = await openSite(context)
    const textfile = path.join(site.folder, 'jobq.prom')
    const worker = await site.start({ metrics: { textfile, every: 100 } })
    const read = () => (fs.existsSync(textfile) ? parsePrometheus(fs.readFileSync(textfile, 'utf8')) : [])
    await until('the file', () => read().length > 0)
    assert.equal(fs.statSync(textfile).mode & 0o777, 0o644)
    await site.reached(await site.queue.enqueue('note'), 'succeeded')
    await until(
      'the job',
      () => figureOf(read(), 'jobq_jobs_finished_total', { task: 'note', state: 'succeeded' }) === 1,
    )
    assert.deepEqual(
      read().filter(({ name }) => !name.startsWith('jobq_')),
      [],
    )
    await worker.stop()
    assert.deepEqual(
      fs.readdirSync(site.folder).filter((name) => name.includes('.prom')),
      [],
    )
  })

  it('of a file that cannot be written are told of once, and the work goes on', async (context) => {
    const site = await openSite(context)
    const textfile = path.join(site.folder, 'missing', 'jobq.prom')
    await site.start({ metrics: { textfile, every: 100 } })
    await site.reached(await site.queue.enqueue('note'), 'succeeded')
    const said = () => site.said.filter(({ message }) => message?.includes(textfile))
    await until('the complaint', () => said().length > 0)
    fs.mkdirSync(path.dirname(textfile))
    await until('the file', () => fs.existsSync(textfile))
    assert.equal(said().length, 1)
  })
})

describe('health', () => {
  it('says that a worker is not ready while it starts and while it stops, and alive all the time', async (context) => {
    const site = await openSite(context, {
      'slow.js': `import fs from 'node:fs'
import path from 'node:path'
const gate = path.join(import.meta.dirname, '..', 'gate')
while (!fs.existsSync(gate)) await new Promise((resolve) => setTimeout(resolve, 5))
export default () => {}`,
    })
    const worker = site.worker({ http: listen })
    const started = worker.start()
    await until('it to listen', () => worker.info().http !== undefined)
    assert.deepEqual((await check(worker, 'readyz')).said, 'starting')
    assert.equal((await check(worker, 'readyz')).status, 503)
    assert.equal((await check(worker, 'healthz')).status, 200)
    assert.equal((await fetch(`${urlOf(worker)}/metrics`)).status, 200)
    fs.writeFileSync(path.join(site.folder, 'gate'), '')
    await started
    assert.deepEqual(await check(worker, 'readyz'), { status: 200, ok: true, said: 'working', reason: null, busy: 0 })
    const id = await site.queue.enqueue('hold')
    await site.noted(id, 'began')
    const ended = worker.stop()
    const stopping = await check(worker, 'readyz')
    assert.deepEqual([stopping.status, stopping.said, stopping.busy], [503, 'stopping', 1])
    assert.equal((await check(worker, 'healthz')).status, 200)
    site.open(id)
    await ended
    await assert.rejects(fetch(`${urlOf(worker)}/healthz`))
  })

  it('tells a wedged worker from a busy one', async (context) => {
    const site = await openSite(context, {
      'block.js': `import fs from 'node:fs'
import path from 'node:path'
export default (payload, job) => {
  job.progress(0)
  while (!fs.existsSync(path.join(import.meta.dirname, '..', 'open.' + job.id))) {}
}`,
    })
    const broker = SqliteBroker.open(site.database)
    context.after(() => broker.close())
    const goOn = Promise.withResolvers<void>()
    let hold = false
    const slow = watched(broker, 'settle', async () => {
      if (hold) await goOn.promise
    })
    const leaseMs = 400
    const worker = await site.start({ broker: slow, http: listen, leaseMs })
    // Busy: its only child cannot even answer, for longer than a loop may be silent.
    const id = await site.queue.enqueue('block')
    await site.reached(id, 'running')
    const since = performance.now()
    await until('a busy while', async () => {
      const { status, said, busy } = await check(worker, 'healthz')
      assert.deepEqual([status, said, busy], [200, 'working', 1])
      assert.equal((await check(worker, 'readyz')).status, 200)
      return performance.now() - since > leaseMs * 3
    })
    // Wedged: a transaction that does not come back.
    hold = true
    site.open(id)
    const wedged = await until('it to be found out', async () => {
      const found = await check(worker, 'healthz')
      return found.status === 503 && found
    })
    assert.deepEqual([wedged.ok, wedged.said], [false, 'wedged'])
    assert.match(wedged.reason ?? '', /has not come round for \d+ s: nothing is claimed or settled/)
    assert.equal((await check(worker, 'readyz')).status, 503)
    assert.ok((await scrape(worker)).length > 0)
    hold = false
    goOn.resolve()
    await site.reached(id, 'succeeded')
    await until('it to be well again', async () => (await check(worker, 'healthz')).status === 200)
  })

  it('says that a broker is away, which is no reason to end the worker', async (context) => {
    const site = await openSite(context)
    const broker = SqliteBroker.open(site.database)
    context.after(() => broker.close())
    let away = false
    const failing = watched(broker, 'settle', async () => {
      if (away) throw new JobqError('unavailable', 'it is away')
    })
    const worker = await site.start({ broker: failing, http: listen })
    away = true
    const id = await site.queue.enqueue('note')
    await until('it to notice', async () => (await check(worker, 'readyz')).said === 'away')
    assert.equal((await check(worker, 'healthz')).status, 200)
    assert.equal(figureOf(await scrape(worker), 'jobq_broker_up'), 0)
    away = false
    await site.reached(id, 'succeeded')
    await until('it to be ready', async () => (await check(worker, 'readyz')).status === 200)
  })
})

describe('the HTTP server', () => {
  const serving = async (context: TestContext, token?: string) => {
    const site = await openSite(context)
    const worker = await site.start({ http: { listen: 0, ...(token === undefined ? {} : { token }) } })
    return { site, worker, url: urlOf(worker), port: Number(new URL(urlOf(worker)).port) }
  }

  const connect = async (context: TestContext, port: number): Promise<net.Socket> => {
    const socket = net.connect(port, '127.0.0.1')
    context.after(() => socket.destroy())
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    return socket
  }

  it('listens on loopback only, and answers to what it knows', async (context) => {
    const { url } = await serving(context)
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/)
    const head = await fetch(`${url}/metrics`, { method: 'HEAD' })
    assert.equal(head.status, 200)
    assert.ok(Number(head.headers.get('content-length')) > 1_000)
    assert.equal(await head.text(), '')
    assert.equal((await fetch(`${url}/healthz?verbose`)).status, 200)
    for (const unknown of ['/', '/metrics/', '/__proto__', '/constructor', '/../etc/passwd']) {
      assert.equal((await fetch(`${url}${unknown}`)).status, 404, unknown)
    }
    const posted = await fetch(`${url}/metrics`, { method: 'POST', body: 'x'.repeat(100_000) })
    assert.deepEqual([posted.status, posted.headers.get('allow')], [405, 'GET, HEAD'])
  })

  it('answers nobody without the token, where one is set', async (context) => {
    const { url } = await serving(context, 'open-sesame')
    const status = async (authorization?: string) =>
      (await fetch(`${url}/metrics`, { headers: authorization === undefined ? {} : { authorization } })).status
    assert.equal(await status(), 401)
    assert.equal(await status('Bearer open-sesam'), 401)
    assert.equal(await status('Bearer open-sesame2'), 401)
    assert.equal(await status('Basic open-sesame'), 401)
    assert.equal(await status('Bearer '), 401)
    assert.equal(await status('Bearer open-sesame'), 200)
    assert.equal(await status('bearer open-sesame'), 200)
    assert.equal((await fetch(`${url}/healthz`)).status, 401)
    assert.equal((await fetch(`${url}/nothing`)).status, 401)
  })

  it('refuses huge headers and hangs up on a client that does not finish', async (context) => {
    const { url, port } = await serving(context)
    assert.equal((await fetch(`${url}/metrics`, { headers: { 'x-long': 'a'.repeat(20_000) } })).status, 431)
    const slow = await connect(context, port)
    slow.resume().write('GET /metrics HTTP/1.1\r\nhost: a\r\n')
    await once(slow, 'close')
  })

  it('takes no more connections than it can bear, while jobs go on', async (context) => {
    const { site, url, port } = await serving(context)
    const sockets = await Promise.all(Array.from({ length: 150 }, () => connect(context, port)))
    const open = () => sockets.filter((socket) => !socket.resume().closed)
    await until('most to be refused', () => open().length <= 64)
    await site.reached(await site.queue.enqueue('note'), 'succeeded')
    for (const socket of sockets) socket.destroy()
    await until('an answer', async () => (await fetch(`${url}/healthz`).catch(() => null))?.status === 200)
  })

  it('makes a start fail whose port is taken, and says which', async (context) => {
    const { site, port } = await serving(context)
    const second = site.worker({ http: { listen: port } })
    await assert.rejects(second.start(), {
      name: 'JobqError',
      code: 'unavailable',
      message: `http: cannot listen on 127.0.0.1:${port}: the port is taken`,
    })
    await assert.rejects(site.worker({ http: { listen: 'host.invalid:0' } }).start(), /host\.invalid:0/)
  })
})
