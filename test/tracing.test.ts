// Spans by a real SDK, in this process and in the children of real workers: what they were is read from a file.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, describe, it, type TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'
import { connect } from '../src/client.ts'
import { traceContext } from '../src/trace-context.ts'
import { isTraced } from '../src/tracing.ts'
import { readSpans, type Span, sdkModule } from './support/spans.ts'
import { until } from './support/until.ts'
import { openSite } from './worker/site.ts'

const root = path.dirname(import.meta.dirname)

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jobq-trace-'))
after(() => fs.rmSync(folder, { recursive: true, force: true }))
const spanFile = path.join(folder, 'spans')
fs.writeFileSync(spanFile, '')

const spans = (): Span[] => readSpans(spanFile)

const spanNamed = (name: string, nth = 0): Promise<Span> =>
  until(`span ${name}`, () => spans().filter((span) => span.name === name)[nth])

const [producer, consumer] = [3, 4]
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

const tracedTask = (body: string): string => `import './_sdk.js'\n${body}`

const tracedSite = (context: TestContext, tasks: Readonly<Record<string, string>>) =>
  openSite(context, { '_sdk.js': sdkModule(spanFile), ...tasks })

describe('without an SDK', () => {
  it('nothing is traced, and the trace that a job was given goes on to its command, its task and its own jobs', async (context) => {
    assert.equal(isTraced(), false)
    const site = await openSite(context, {
      'inner.js': 'export default (payload, job) => job.trace',
      'outer.js': "export default (payload, job) => job.enqueue('inner', null, { meta: { a: 'b' } })",
    })
    await site.start()
    const meta = { traceparent, tracestate: 'vendor=1' }
    const plain = await site.queue.enqueue('inner')
    assert.deepEqual((await site.reached(plain, 'succeeded')).meta, {})
    const outer = await site.reached(await site.queue.enqueue('outer', null, { meta }), 'succeeded')
    const inner = await site.reached(Number(outer.result), 'succeeded')
    assert.deepEqual(inner.meta, { ...meta, a: 'b' })
    assert.deepEqual(inner.result, meta)
    const file = path.join(site.folder, 'told')
    const command = [
      'sh',
      '-c',
      `echo "$TRACEPARENT $TRACESTATE" >> '${file}'; test -e '${file}.2' || { touch '${file}.2'; exit 1; }`,
    ]
    const id = await site.queue.enqueue(command, { meta, retries: 1, backoff: 'fixed:0s' })
    await site.reached(id, 'succeeded')
    assert.equal(fs.readFileSync(file, 'utf8'), `${traceparent} vendor=1\n`.repeat(2))
    const none = await site.queue.enqueue(['sh', '-c', `echo "[$TRACEPARENT]" > '${file}'`])
    await site.reached(none, 'succeeded')
    assert.equal(fs.readFileSync(file, 'utf8'), '[]\n')
    assert.deepEqual(spans(), [])
  })

  it('an enqueue by SQL, and one by a command that runs in a trace, belong to it', async (context) => {
    const site = await openSite(context)
    const insert = `INSERT INTO enqueue(task, meta) VALUES ('note', '{"traceparent":"${traceparent}"}')`
    const script = `const { DatabaseSync } = require('node:sqlite'); new DatabaseSync(process.argv[1]).exec(process.argv[2])`
    execFileSync(process.execPath, ['-e', script, site.database, insert], { stdio: 'ignore' })
    const env = { ...process.env, TRACEPARENT: traceparent, JOBQ_BROKER: site.database }
    const enqueue = [path.join(root, 'cli', 'main.ts'), 'enqueue', 'note']
    execFileSync(process.execPath, enqueue, { env, cwd: site.folder })
    execFileSync(process.execPath, [...enqueue, '--meta', 'a=b'], { env, cwd: site.folder })
    execFileSync(process.execPath, enqueue, { env: { ...env, TRACEPARENT: 'nonsense' }, cwd: site.folder })
    const jobs = await site.queue.list()
    assert.deepEqual(
      jobs.map(({ meta }) => meta),
      [{}, { traceparent, a: 'b' }, { traceparent }, { traceparent }],
    )
  })
})

describe('with an SDK', () => {
  it('a run belongs to the trace of its enqueue and is linked to it, as are its retry and the jobs that it adds', async (context) => {
    const site = await tracedSite(context, {
      'first.js': tracedTask(`export default async (payload, job) => {
  if (job.attempt === 1) throw new TypeError('not yet')
  await job.enqueue('second', null, { queue: 'q2' })
}`),
      'second.js': tracedTask('export default () => {}'),
    })
    await import(pathToFileURL(path.join(site.folder, 'tasks', '_sdk.js')).href)
    assert.equal(isTraced(), true)
    const worker = await site.start()
    const queue = await connect(site.database)
    context.after(() => queue.close())
    const id = await queue.enqueue('first', null, { queue: 'q1', retries: 1, backoff: 'fixed:0s' })
    await site.reached(id, 'succeeded')
    const enqueued = await spanNamed('enqueue first')
    const failed = await spanNamed('process first')
    const retried = await spanNamed('process first', 1)
    const added = await spanNamed('enqueue second')
    const ran = await spanNamed('process second')
    for (const span of [failed, retried, added, ran]) assert.equal(span.traceId, enqueued.traceId)
    assert.deepEqual([enqueued.kind, enqueued.pid, enqueued.parent], [producer, process.pid, null])
    assert.deepEqual(enqueued.attributes, {
      'messaging.system': 'jobq',
      'messaging.operation.name': 'enqueue',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'q1',
      'jobq.task': 'first',
      'messaging.message.id': String(id),
    })
    assert.deepEqual([failed.kind, failed.parent, failed.linked], [consumer, enqueued.spanId, [enqueued.spanId]])
    assert.deepEqual([failed.status.code, failed.status.message], [2, 'not yet'])
    assert.deepEqual([failed.attributes['error.type'], failed.attributes['jobq.attempt']], ['TypeError', 1])
    assert.deepEqual([retried.parent, retried.linked, retried.status.code], [enqueued.spanId, [enqueued.spanId], 0])
    assert.deepEqual([retried.attributes['jobq.attempt'], retried.attributes['jobq.outcome']], [2, 'succeeded'])
    assert.notEqual(retried.pid, process.pid)
    assert.deepEqual([added.kind, added.parent, added.pid], [producer, retried.spanId, retried.pid])
    assert.deepEqual([ran.parent, ran.linked], [added.spanId, [added.spanId]])
    const job = await site.job(id)
    assert.equal(traceContext(job.meta.traceparent, null)?.traceparent, `00-${enqueued.traceId}-${enqueued.spanId}-01`)
    await worker.stop()
  })

  it("a batch is one span of all its jobs, a refusal is an error, and one's own traceparent is kept", async (context) => {
    const site = await tracedSite(context, {})
    const { queue } = site
    const ids = await queue.enqueueMany([
      { task: 'note', queue: 'x' },
      { task: 'note', queue: 'x', meta: { traceparent } },
    ])
    const [first, second] = await Promise.all(ids.map((id) => site.job(id)))
    const span = await spanNamed('enqueue note')
    assert.equal(span.attributes['messaging.batch.message_count'], 2)
    assert.equal(first?.meta.traceparent, `00-${span.traceId}-${span.spanId}-01`)
    assert.equal(second?.meta.traceparent, traceparent)
    await assert.rejects(queue.enqueue('bad name'), { code: 'usage' })
    const refused = await spanNamed('enqueue bad name')
    assert.deepEqual([refused.status.code, refused.attributes['error.type']], [2, 'usage'])
    const id = queue.enqueueSync('sync')
    const sync = await spanNamed('enqueue sync')
    assert.equal((await site.job(id)).meta.traceparent, `00-${sync.traceId}-${sync.spanId}-01`)
  })

  it('a command has the context of its run in its environment', async (context) => {
    const site = await tracedSite(context, { 'traced.js': tracedTask('export default () => {}') })
    await site.start()
    const file = path.join(site.folder, 'told')
    const id = await site.queue.enqueue(['sh', '-c', `echo "$TRACEPARENT" > '${file}'`])
    await site.reached(id, 'succeeded')
    const run = await spanNamed('process exec')
    const enqueued = await spanNamed('enqueue exec')
    assert.equal(run.traceId, enqueued.traceId)
    assert.equal(fs.readFileSync(file, 'utf8'), `00-${run.traceId}-${run.spanId}-01\n`)
  })
})
