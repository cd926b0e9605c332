import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MemoryBroker } from '../../src/broker/memory/memory-broker.ts'
import { systemClock } from '../../src/clock.ts'
import type { ClaimedJob } from '../../src/job.ts'
import type { Transition } from '../../src/outcome.ts'
import { Exposition } from '../../src/worker/metrics/exposition.ts'
import { Meter } from '../../src/worker/metrics/meter.ts'
import { QueueCounts } from '../../src/worker/metrics/queue-counts.ts'
import { figureOf, parsePrometheus } from '../support/prometheus.ts'

const now = 1_800_000_000_000
const job = (queue: string, task: string, crashes = 0): ClaimedJob => ({
  ...{ id: 1, token: 1, task, queue, priority: 5, attempt: 1, base: 0, retries: null, crashes },
  ...{ recovered: false, payload: { serializer: 'json', text: 'null' }, options: {}, createdAt: now, expiresAt: null },
  ...{ dueAt: now, trace: null },
})
const succeeded: Transition = { to: 'succeeded', event: 'job.succeeded', spent: true, crashed: false }
const retried: Transition = { to: 'queued', event: 'job.retried', spent: true, crashed: false, dueAt: now }
const returned: Transition = { to: 'queued', event: null, spent: false, crashed: false, dueAt: now }
const rejected: Transition = { to: 'failed', event: 'job.rejected', spent: false, crashed: false }
const run = (waitMs: number, runMs: number) => ({ at: now + waitMs + runMs, startedAt: now + waitMs, runMs })

const expositionOf = (meter: Meter, broker = new MemoryBroker()): Exposition => {
  const queueCounts = new QueueCounts(broker, systemClock)
  return new Exposition({ name: 'w', broker, meter, queueCounts, components: () => ({}) }, { ofProcess: false })
}

describe('Meter', () => {
  it('counts ends, turns, runs and waits by queue and task', async () => {
    const meter = new Meter()
    meter.ended(job('a', 't'), succeeded, run(20, 3))
    meter.ended(job('a', 't'), retried, run(2, 200))
    meter.ended(job('a', 't', 1), succeeded, run(900_000, 3))
    meter.ended(job('a', 'u'), rejected, { at: now, startedAt: null, runMs: null })
    meter.ended(job('b', 't'), returned, { at: now, startedAt: null, runMs: null })
    const lines = parsePrometheus(await expositionOf(meter).ownText())
    const labels = { queue: 'a', task: 't' }
    assert.equal(figureOf(lines, 'jobq_jobs_finished_total', { ...labels, state: 'succeeded' }), 2)
    assert.equal(figureOf(lines, 'jobq_jobs_finished_total', { queue: 'a', task: 'u', state: 'failed' }), 1)
    assert.equal(figureOf(lines, 'jobq_jobs_retried_total', labels), 1)
    assert.equal(figureOf(lines, 'jobq_jobs_rejected_total', { queue: 'a', task: 'u' }), 1)
    assert.equal(figureOf(lines, 'jobq_job_run_seconds_count', labels), 3)
    assert.equal(figureOf(lines, 'jobq_job_run_seconds_sum', labels), 0.206)
    assert.equal(figureOf(lines, 'jobq_job_run_seconds_bucket', { ...labels, le: '0.005' }), 2)
    assert.equal(figureOf(lines, 'jobq_job_run_seconds_bucket', { ...labels, le: '+Inf' }), 3)
    // The run after a crash tells nothing of waiting.
    assert.equal(figureOf(lines, 'jobq_job_wait_seconds_count', labels), 2)
    assert.equal(figureOf(lines, 'jobq_job_wait_seconds_sum', labels), 0.022)
    assert.equal(lines.filter((line) => line.labels.queue === 'b').length, 0)
  })

  it('stays small however many tasks and queues there are, and loses no count', async () => {
    const meter = new Meter()
    for (let index = 0; index < 5_000; index += 1) {
      meter.ended(job(`q${index % 70}`, `t${index}`), succeeded, run(1, 1))
      meter.ended(job('q0', 't0'), succeeded, run(1, 1))
    }
    assert.equal(meter.rows.length, 201)
    const lines = parsePrometheus(await expositionOf(meter).ownText())
    const counts = lines.filter(
      ({ name, labels }) => name === 'jobq_jobs_finished_total' && labels.state === 'succeeded',
    )
    assert.equal(
      counts.reduce((total, { value }) => total + value, 0),
      10_000,
    )
    assert.equal(figureOf(counts, 'jobq_jobs_finished_total', { queue: 'q0', task: 't0' }), 5_001)
    assert.equal(figureOf(counts, 'jobq_jobs_finished_total', { queue: 'other', task: 'other' }), 4_800)
  })

  it('keeps to the rules of names: base units, and only counters end in _total', async () => {
    const text = await expositionOf(new Meter()).ownText()
    const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type]) => ({ name, type }))
    assert.ok(types.length > 20)
    for (const { name, type } of types) {
      assert.match(name, /^jobq_[a-z]+(?:_[a-z]+)*$/)
      assert.equal(name.endsWith('_total'), type === 'counter', name)
      assert.doesNotMatch(name, /_(?:ms|milliseconds|minutes|kb|mb|percent)\b/)
      if (type === 'histogram') assert.match(name, /_seconds$/)
    }
  })
})

describe('QueueCounts', () => {
  it('adds up the queues beyond a bound, and one that is named like their sum', async () => {
    const broker = new MemoryBroker()
    const at = systemClock.now()
    for (let index = 0; index < 250; index += 1) await broker.setPaused(`q${String(index).padStart(3, '0')}`, false, at)
    await broker.setPaused('other', false, at)
    const lines = parsePrometheus(await expositionOf(new Meter(), broker).ownText())
    const queues = lines.filter(({ name }) => name === 'jobq_queue_paused').map(({ labels }) => labels.queue)
    assert.equal(queues.length, 200)
    assert.equal(queues.filter((queue) => queue === 'other').length, 1)
  })

  it('asks the broker no oftener than once a second', async () => {
    const broker = new MemoryBroker()
    let asked = 0
    const counts = broker.jobs.counts.bind(broker.jobs)
    broker.jobs.counts = async (moment) => {
      asked += 1
      return counts(moment)
    }
    const exposition = expositionOf(new Meter(), broker)
    for (let scrape = 0; scrape < 20; scrape += 1) await exposition.ownText()
    assert.ok(asked >= 1 && asked < 20, `asked ${asked} times`)
  })
})
