import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { ConsumedEvent, Consumer } from '../../src/worker/consumer-settings.ts'
import { isAlive } from '../support/processes.ts'
import { until } from '../support/until.ts'
import { openSite, type Site } from './site.ts'

const quick = { backoff: 'fixed:10ms' } as const

/** A consumer that notes what it is told. */
const noting = (options: Partial<Consumer> = {}): { consumer: Consumer; told: ConsumedEvent[] } => {
  const told: ConsumedEvent[] = []
  return { told, consumer: { name: 'notes', handle: (event) => void told.push(event), ...options } as Consumer }
}

const typesOf = (told: readonly ConsumedEvent[]): string[] => told.map(({ type }) => type)

const idsOf = (told: readonly ConsumedEvent[]): number[] => told.map((event) => ('id' in event ? event.id : Number.NaN))

const warnings = (site: Site): string[] =>
  site.said.filter(({ level }) => level === 'warn' || level === 'error').map(({ message }) => message ?? '')

const linesOf = (file: string): Record<string, unknown>[] =>
  (fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>)

interface Post {
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

/** A server that answers with what `answer` says: a status, with headers, or nothing at all. */
const serve = async (
  context: TestContext,
  answer: (post: Post, count: number) => readonly [status: number, headers?: http.OutgoingHttpHeaders] | null,
): Promise<{ readonly url: string; readonly posts: readonly Post[] }> => {
  const posts: Post[] = []
  const server = http.createServer(async (request, response) => {
    let body = ''
    for await (const piece of request) body += piece
    const post = { headers: request.headers, body }
    posts.push(post)
    const answered = answer(post, posts.length)
    if (answered !== null) response.writeHead(...answered).end('thanks')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return { url: `http://127.0.0.1:${address.port}/hook?token=hush`, posts }
}

/** The address of a server that is not there any more. */
const closedUrl = async (): Promise<string> => {
  const server = http.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  server.close()
  await once(server, 'close')
  return `http://127.0.0.1:${address.port}/`
}

describe('consumers', () => {
  it('tells a handler what happens, in order, from the start of the first worker that has it to the end of its last job', async (context) => {
    const site = await openSite(context)
    await site.queue.enqueue('note')
    const { consumer, told } = noting({ events: ['worker.online', 'job.*'] })
    const worker = await site.start({ consumers: [consumer], drain: 'due' })
    await worker.done
    const all = await site.events()
    const online = all.findIndex(({ type }) => type === 'worker.online')
    const wanted = all.filter(({ type }, index) => index >= online && /^(worker\.online|job\.)/.test(type))
    assert.deepEqual(told, wanted)
    assert.deepEqual(typesOf(told), ['worker.online', 'job.started', 'job.succeeded'])
  })

  it('goes on where it was after the worker has stopped, and tells what happened meanwhile', async (context) => {
    const site = await openSite(context)
    const { consumer, told } = noting({ events: 'job.queued' })
    const first = await site.start({ consumers: [consumer] })
    await site.queue.enqueue('note')
    await until('the first event', () => told.length === 1)
    await first.stop()
    await site.queue.enqueueMany([{ task: 'note' }, { task: 'note' }])
    await site.start({ consumers: [consumer] })
    await until('the others', () => told.length === 3)
    assert.deepEqual(idsOf(told), [...new Set(idsOf(told))])
  })

  it('lets the worker do its work between the calls of a handler that keeps the thread', async (context) => {
    const site = await openSite(context)
    await site.queue.pause('q')
    let told = 0
    let toldWhenOthersCame: number | null = null
    const greedy: Consumer = {
      name: 'greedy',
      events: 'job.queued',
      handle() {
        told += 1
        if (told === 1) setImmediate(() => (toldWhenOthersCame = told))
        for (const end = performance.now() + 15; performance.now() < end; );
      },
    }
    await site.start({ consumers: [greedy] })
    await site.queue.enqueueMany(Array.from({ length: 40 }, () => ({ task: 'note', queue: 'q' })))
    await until('all of them', () => told === 40)
    assert.equal(toldWhenOthersCame, 1)
  })

  it('tells again what failed, before it goes on, and harms no other consumer', async (context) => {
    const site = await openSite(context)
    const tries: number[] = []
    const bad: Consumer = {
      name: 'bad',
      events: 'job.queued',
      ...quick,
      handle: (event) => {
        tries.push('id' in event ? event.id : 0)
        if (tries.length < 4) throw new Error('not yet')
      },
    }
    const hung: Consumer = { name: 'hung', timeout: 50, ...quick, handle: () => new Promise(() => undefined) }
    const { consumer, told } = noting({ events: 'job.queued' })
    await site.start({ consumers: [bad, hung, consumer] })
    const ids = await site.queue.enqueueMany([{ task: 'note' }, { task: 'note' }])
    for (const id of ids) await site.reached(id, 'succeeded')
    await until('both events', () => tries.length === 5 && told.length === 2)
    const [one, two] = idsOf(told)
    assert.deepEqual(tries, [one, one, one, one, two])
    await until('the hung one to be complained of', () =>
      warnings(site).some((message) => /consumer hung: event \d+ .* not delivered: no end within 50 ms/.test(message)),
    )
    assert.ok(
      warnings(site).some((message) =>
        /consumer bad: event \d+ \(job.queued\) not delivered: not yet; tried again/.test(message),
      ),
    )
  })

  it('gives up after as many retries as it is told', async (context) => {
    const site = await openSite(context)
    let calls = 0
    const broken: Consumer = {
      name: 'broken',
      events: 'job.queued',
      retries: 2,
      ...quick,
      handle: async () => {
        calls += 1
        throw new Error('broken')
      },
    }
    await site.start({ consumers: [broken] })
    await site.queue.enqueueMany([{ task: 'note' }, { task: 'note' }])
    await until('all tries', () => calls === 6)
    await until(
      'the log to say so',
      () => warnings(site).filter((text) => text.includes('given up after 3 tries')).length === 2,
    )
  })

  it('has one of several workers deliver, and another one take over', async (context) => {
    const site = await openSite(context)
    const { consumer, told } = noting({ events: 'job.queued' })
    const workers = await Promise.all([site.start({ consumers: [consumer] }), site.start({ consumers: [consumer] })])
    await site.queue.enqueueMany(Array.from({ length: 50 }, () => ({ task: 'note' })))
    await until('all events', () => told.length >= 50)
    const holds = (worker: (typeof workers)[number]): boolean =>
      JSON.stringify(worker.info()).includes('"name":"notes","active":true')
    const [holder] = workers.filter(holds)
    assert.equal(workers.filter(holds).length, 1)
    await holder?.stop()
    await site.queue.enqueue('note')
    await until('the other worker to deliver', () => told.length >= 51)
    assert.deepEqual(idsOf(told), [...new Set(idsOf(told))])
  })

  it('takes over from a worker of another machine that is not heard of any more', async (context) => {
    const site = await openSite(context)
    const { consumer, told } = noting({ events: 'job.queued' })
    const process = { host: 'elsewhere', pid: 1, boot: 'b', startTime: null }
    const now = { at: Date.now(), tick: performance.now() }
    const gone = await site.broker.workers.join({ name: 'gone', process, queues: null }, now)
    await site.broker.cursors.take('notes', { session: gone, leaseMs: 1_000, start: 0 }, now)
    await site.queue.enqueue('note')
    await site.start({ consumers: [consumer] })
    await until('the event', () => told.length === 1)
  })

  it('tells of events that were pruned before they were told', async (context) => {
    const site = await openSite(context)
    const { consumer, told } = noting({ events: 'job.failed' })
    await (await site.start({ consumers: [consumer] })).stop()
    const from = await site.broker.events.last()
    await site.queue.enqueueMany(Array.from({ length: 9 }, () => ({ task: 'note' })))
    await site.broker.events.prune({ before: 0, keep: 3, limit: 1_000 })
    await site.start({ consumers: [consumer] })
    await until('the gap', () => told.length === 1)
    const [gap] = told
    assert.deepEqual(gap, { type: 'events.pruned', from: from, to: from + 6 })
  })

  it('ends its delivery soon when the worker stops, and delivers that event at the next start', async (context) => {
    const site = await openSite(context)
    let begun = false
    let aborted = false
    const waiting: Consumer = {
      name: 'slow',
      events: 'job.queued',
      handle: (_event, { signal }) =>
        new Promise((_, reject) => {
          begun = true
          signal.addEventListener('abort', () => {
            aborted = true
            reject(signal.reason)
          })
        }),
    }
    const first = await site.start({ consumers: [waiting] })
    await site.queue.enqueue('hold')
    await until('the delivery to begin', () => begun)
    await first.stop({ cold: true })
    assert.ok(aborted)
    const { consumer, told } = noting({ name: 'slow', events: 'job.queued' })
    await site.start({ consumers: [consumer] })
    await until('the event', () => told.length === 1)
  })

  it('warns of a handler that holds up the worker', async (context) => {
    const site = await openSite(context)
    const holding: Consumer = {
      name: 'holding',
      events: 'job.queued',
      handle: () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250),
    }
    await site.start({ consumers: [holding] })
    await site.queue.enqueue('note')
    await until('the warning', () =>
      warnings(site).some((text) => /holding: its handler held up the whole worker for \d+ ms/.test(text)),
    )
  })
})

describe('a webhook', () => {
  it('is sent signed JSON, again after failures, with the same delivery id', async (context) => {
    const site = await openSite(context)
    const { url, posts } = await serve(context, (_post, count) => [count === 1 ? 500 : count === 2 ? 302 : 204])
    const webhook = { url, secret: 'sesame', headers: { authorization: 'Bearer token' } }
    await site.start({ consumers: [{ name: 'hook', events: 'job.succeeded', ...quick, webhook }] })
    const id = await site.queue.enqueue('note')
    await until('three posts', () => posts.length === 3)
    const [event] = (await site.events(id)).filter(({ type }) => type === 'job.succeeded')
    for (const { headers, body } of posts) {
      assert.equal(headers['x-jobq-signature'], `sha256=${createHmac('sha256', 'sesame').update(body).digest('hex')}`)
      assert.equal(headers['x-jobq-delivery'], `hook%3A${event?.id}`)
      assert.equal(headers['x-jobq-event'], 'job.succeeded')
      assert.equal(headers['content-type'], 'application/json')
      assert.equal(headers.authorization, 'Bearer token')
      assert.match(String(headers['x-jobq-timestamp']), /^\d{10}$/)
      const { runtimeMs, ...rest } = JSON.parse(body)
      assert.equal(typeof runtimeMs, 'number')
      const { at, type, job, task, queue, worker, attempt } = event ?? assert.fail()
      assert.deepEqual(rest, { id: event?.id, at: new Date(at).toISOString(), type, job, task, queue, worker, attempt })
    }
    await until('the complaints', () => warnings(site).length >= 2)
    assert.match(warnings(site).join('\n'), /the server answered 500.*\n.*the server answered 302/)
    assert.ok(!warnings(site).join('\n').includes('hush'))
  })

  it('is left alone for as long as it asks for', async (context) => {
    const site = await openSite(context)
    const { url, posts } = await serve(context, (_post, count) =>
      count === 1 ? [429, { 'retry-after': '60' }] : [200],
    )
    await site.start({ consumers: [{ name: 'hook', events: 'job.queued', ...quick, webhook: { url, secret: null } }] })
    await site.queue.enqueue('note')
    await until('the complaint', () =>
      warnings(site).some((text) => text.includes('answered 429; tried again in 60 s')),
    )
    assert.equal(posts.length, 1)
    assert.equal(posts[0]?.headers['x-jobq-signature'], undefined)
  })

  it('that does not answer, or is not there, is tried again', async (context) => {
    const site = await openSite(context)
    const { url, posts } = await serve(context, (_post, count) => (count === 1 ? null : [200]))
    const silent: Consumer = {
      name: 'silent',
      events: 'job.queued',
      ...quick,
      timeout: 100,
      webhook: { url, secret: 'x' },
    }
    const dead: Consumer = {
      name: 'dead',
      events: 'job.queued',
      ...quick,
      webhook: { url: await closedUrl(), secret: 'x' },
    }
    await site.start({ consumers: [silent, dead] })
    await site.queue.enqueue('note')
    await until('the second try', () => posts.length === 2)
    await until(
      'the refusals',
      () => warnings(site).filter((text) => text.includes('cannot be reached: ECONNREFUSED')).length > 1,
    )
  })
})

describe('a command', () => {
  it('is run for each event with a line of JSON, and again until it ends with 0', async (context) => {
    const site = await openSite(context)
    const out = path.join(site.folder, 'out')
    const script = 'cat >> "$1"; test -e "$2" || { touch "$2"; echo "first time" >&2; exit 3; }'
    const command = ['sh', '-c', script, 'sh', out, path.join(site.folder, 'tried')]
    await site.start({ consumers: [{ name: 'program', events: 'job.queued', ...quick, command }] })
    const ids = await site.queue.enqueueMany([{ task: 'note' }, { task: 'note' }])
    await until('three lines', () => linesOf(out).length === 3)
    assert.deepEqual(
      linesOf(out).map(({ type, job }) => [type, job]),
      [ids[0], ids[0], ids[1]].map((id) => ['job.queued', id]),
    )
    assert.match(warnings(site).join('\n'), /consumer program: .* not delivered: exit code 3: first time; tried again/)
  })

  it('gets the environment of the worker, and of its own variables the broker only', async (context) => {
    const site = await openSite(context)
    const out = path.join(site.folder, 'out')
    const command = ['sh', '-c', 'env > "$1.new"; mv "$1.new" "$1"', 'sh', out]
    const env = { PATH: process.env.PATH, TOKEN: 'abc', JOBQ_NAME: 'x' }
    await site.start({ env, consumers: [{ name: 'program', events: 'worker.online', command }] })
    await until('its environment', () => fs.existsSync(out))
    const lines = fs.readFileSync(out, 'utf8').split('\n')
    assert.ok(lines.includes('TOKEN=abc'))
    assert.deepEqual(
      lines.filter((line) => line.startsWith('JOBQ_')),
      [`JOBQ_BROKER=sqlite:${site.database}`],
    )
  })

  it('that is not there, or takes too long, is told of and tried again', async (context) => {
    const site = await openSite(context)
    const pid = path.join(site.folder, 'pid')
    await site.start({
      consumers: [
        { name: 'none', events: 'worker.online', ...quick, command: ['no-such-program'] },
        {
          name: 'slow',
          events: 'worker.online',
          ...quick,
          timeout: 200,
          command: ['sh', '-c', `echo $$ > '${pid}'; exec sleep 60`],
        },
      ],
    })
    await until('both complaints', () => {
      const text = warnings(site).join('\n')
      return text.includes('consumer none: event') && text.includes('no end within 200 ms')
    })
    assert.match(warnings(site).join('\n'), /spawn no-such-program ENOENT/)
    const first = Number(fs.readFileSync(pid, 'utf8'))
    await until('its end', () => !isAlive(first))
  })
})

describe('a file', () => {
  it('is appended a line for each event, also after it was renamed', async (context) => {
    const site = await openSite(context)
    const file = path.join(site.folder, 'events.ndjson')
    await site.start({ consumers: [{ name: 'file', events: 'job.queued', file }] })
    const [one] = await site.queue.enqueueMany([{ task: 'note' }])
    await until('the first line', () => linesOf(file).length === 1)
    assert.equal(fs.statSync(file).mode & 0o777, 0o600)
    fs.renameSync(file, `${file}.1`)
    const ids = await site.queue.enqueueMany(Array.from({ length: 250 }, () => ({ task: 'note' })))
    await until('the other lines', () => linesOf(file).length === 250)
    assert.deepEqual(
      [...linesOf(`${file}.1`), ...linesOf(file)].map(({ job }) => job),
      [one, ...ids],
    )
  })

  it('gets no line into a torn one, and is not written through a link', async (context) => {
    const site = await openSite(context)
    const torn = path.join(site.folder, 'torn')
    const link = path.join(site.folder, 'link')
    fs.writeFileSync(torn, '{"id":')
    fs.symlinkSync(torn, link)
    const link_: Consumer = { name: 'link', events: 'worker.online', ...quick, file: link }
    await site.start({ consumers: [{ name: 'torn', events: 'worker.online', file: torn }, link_] })
    await until('the line', () => fs.readFileSync(torn, 'utf8').endsWith('}\n'))
    const [before, line = ''] = fs.readFileSync(torn, 'utf8').split('\n')
    assert.equal(before, '{"id":')
    assert.equal(JSON.parse(line).type, 'worker.online')
    await until('the complaint', () => warnings(site).some((text) => text.startsWith('consumer link: ')))
  })
})
