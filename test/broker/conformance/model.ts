/**
 * Random operations on two brokers at once: the one under test must answer as the memory broker does, leave the
 * same jobs, queues and events, and break no invariant of the log. What an operation is about (an id, a claim)
 * is drawn as a number and taken from what there is, so that every sequence makes sense and shrinks well.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Broker, Report } from '../../../src/broker/broker.ts'
import { MemoryBroker } from '../../../src/broker/memory/memory-broker.ts'
import { oneByOne } from '../../../src/burst.ts'
import { JobqError } from '../../../src/errors.ts'
import type { JobqEvent } from '../../../src/event.ts'
import type { ClaimedJob, NewJob } from '../../../src/job.ts'
import type { Transition } from '../../../src/outcome.ts'
import { ends, lease, plainJob, Scene } from './scene.ts'

const pick = fc.nat(100)
const queue = fc.constantFrom('a', 'b')
/** Claims one behind the other, every one of them or with gaps. */
const stretch = { from: pick, count: fc.constantFrom(1, 4, 20), step: fc.constantFrom(1, 1, 3) }
const newJob = fc.record({
  queue,
  priority: fc.constantFrom(null, 1, 9),
  delay: fc.constantFrom(0, 0, 25),
  expires: fc.constantFrom(null, null, 30),
  retries: fc.constantFrom(null, 1),
  key: fc.constantFrom(null, null, 'k', 'l'),
  onConflict: fc.constantFrom('ignore' as const, 'replace' as const, 'fail' as const),
  after: fc.array(pick, { maxLength: 2 }),
  afterAny: fc.array(pick, { maxLength: 1 }),
  linked: fc.boolean(),
  hold: fc.constantFrom(false, false, true),
})
const end = fc.constantFrom(
  ...([
    'succeeded',
    'succeeded',
    'failed',
    'retried',
    'snoozed',
    'cancelled',
    'rejected',
    'crashed',
    'returned',
  ] as const),
)
const operation = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('add' as const), jobs: fc.array(newJob, { minLength: 1, maxLength: 3 }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('claim' as const),
      queue,
      limit: fc.integer({ min: 1, max: 3 }),
      worker: fc.nat(1),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('addAlike' as const), queue, count: fc.constantFrom(16, 20) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('claimMany' as const), queue, worker: fc.nat(1) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('succeed' as const), ...stretch }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('start' as const), claim: pick }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('progress' as const), claim: pick }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('finish' as const),
      claims: fc.array(pick, { minLength: 1, maxLength: 3 }),
      end,
      started: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('extend' as const), ...stretch }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('cancel' as const),
      jobs: fc.array(pick, { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('purge' as const), queue }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('requeue' as const),
      jobs: fc.array(pick, { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('release' as const),
      jobs: fc.array(pick, { minLength: 1, maxLength: 2 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pause' as const), queue, paused: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('rate' as const), perMs: fc.constantFrom(null, 30, 100, 5_000) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), worker: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('prune' as const), keep: fc.nat(4) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(1, 20, 50) }) },
)
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never

/** One broker on its way through a sequence. Both sides of a comparison go through equal ones. */
class Side {
  readonly scene: Scene
  readonly #ids: number[] = []
  readonly #claims: ClaimedJob[] = []
  /** Jobs that are not told of together: they have a unique key, or something was told of a run of theirs. */
  readonly #apart = new Set<number>()
  readonly #sessions: number[] = []

  constructor(broker: Broker) {
    this.scene = new Scene(broker)
  }

  async open(): Promise<void> {
    for (const name of ['w0', 'w1']) this.#sessions.push(await this.scene.join(name))
  }

  /** What the broker answers, free of tokens; the code of what it throws. */
  async run(operation: Operation): Promise<unknown> {
    try {
      return await this.#run(operation)
    } catch (error) {
      if (error instanceof JobqError) return { refused: error.code }
      throw error
    }
  }

  async #run(operation: Operation): Promise<unknown> {
    const { scene } = this
    const { broker } = scene
    const ids = (picks: readonly number[]) => [
      ...new Set(picks.flatMap((each) => this.#ids[each % this.#ids.length] ?? [])),
    ]
    const claim = (each: number) => this.#claims[each % this.#claims.length]
    switch (operation.kind) {
      case 'add': {
        const added = await scene.addAll(operation.jobs.map((job) => this.#newJob(job, ids)))
        for (const [index, { id, duplicate }] of added.entries()) {
          if (operation.jobs[index]?.key !== null) this.#apart.add(id)
          if (!duplicate) this.#ids.push(id)
        }
        return added
      }
      case 'addAlike': {
        const added = await scene.addAll(Array.from({ length: operation.count }, () => ({ queue: operation.queue })))
        this.#ids.push(...added.map(({ id }) => id))
        return added
      }
      case 'claimMany': {
        const worker = this.#sessions[operation.worker] ?? 0
        const queues = [{ name: operation.queue, weight: 1 }]
        const jobs = oneByOne(await scene.claimInBursts({ queues, order: 'strict', limit: 20, leaseMs: 40, worker }))
        this.#claims.push(...jobs)
        return jobs.map(({ token: _, ...job }) => job)
      }
      case 'succeed': {
        const jobs = this.#stretch(operation).filter((job) => this.#mayBeToldTogether(job))
        const reports = scene.succeeded(jobs, scene.at - 1)
        return this.#settle(...reports)
      }
      case 'claim': {
        const worker = this.#sessions[operation.worker] ?? 0
        const queues = [{ name: operation.queue, weight: 1 }]
        const jobs = await scene.claim({ queues, order: 'strict', limit: operation.limit, leaseMs: 40, worker })
        this.#claims.push(...jobs)
        return jobs.map(({ token: _, ...job }) => job)
      }
      case 'start': {
        const job = claim(operation.claim)
        return job && this.#settle(scene.started(job))
      }
      case 'progress': {
        const job = claim(operation.claim)
        return job && this.#settle(scene.progress(job, 0.5, 'half'))
      }
      case 'finish': {
        // One report a job: those of different jobs may be carried out in any order.
        const jobs = new Map(operation.claims.flatMap((each) => claim(each) ?? []).map((job) => [job.id, job])).values()
        // Only what was given back, refused or cancelled may never have begun.
        const begun = operation.started || !['returned', 'rejected', 'cancelled'].includes(operation.end)
        const startedAt = begun ? scene.at - 1 : null
        const reports = [...jobs].map((job) => scene.finished(job, this.#end(operation.end), startedAt))
        return this.#settle(...reports)
      }
      case 'extend':
        return broker.extend(this.#stretch(operation).map(lease), 40, scene.now())
      case 'cancel':
        return broker.cancel({ ids: ids(operation.jobs) }, 'Cancelled', scene.now())
      case 'purge':
        return broker.cancel({ queue: operation.queue }, 'Purged', scene.now())
      case 'requeue':
        return broker.requeue(ids(operation.jobs), scene.at + 5, scene.now())
      case 'release':
        return broker.release(ids(operation.jobs), scene.now())
      case 'pause':
        return broker.setPaused(operation.queue, operation.paused, scene.now())
      case 'rate':
        return broker.tasks.limitStarts(
          plainJob.task,
          operation.perMs === null ? null : { count: 1, perMs: operation.perMs },
        )
      case 'leave':
        await broker.workers.leave(this.#sessions[operation.worker] ?? 0, scene.now())
        this.#sessions[operation.worker] = await scene.join(`w${operation.worker}`)
        return null
      case 'prune':
        return broker.jobs.prune({ keep: operation.keep })
      case 'pass':
        return scene.pass(operation.ms)
    }
  }

  /** Claims as they were made, one of each job. */
  #stretch({ from, count, step }: { readonly from: number; readonly count: number; readonly step: number }) {
    const first = from % Math.max(1, this.#claims.length)
    const claims = this.#claims.slice(first).filter((_, index) => index % step === 0 && index < count * step)
    return [...new Map(claims.map((job) => [job.id, job])).values()]
  }

  #mayBeToldTogether({ id, attempt, crashes, recovered, expiresAt }: ClaimedJob): boolean {
    return attempt === 1 && crashes === 0 && !recovered && expiresAt === null && !this.#apart.has(id)
  }

  /** Settles, and answers the jobs whose lease was lost, in the order of their ids: reports of different jobs may be carried out in any. */
  async #settle(...reports: Report[]): Promise<number[]> {
    for (const report of reports) {
      if (report.kind !== 'succeeded' && !(report.kind === 'finished' && report.startedAt === null))
        this.#apart.add(report.id)
    }
    return (await this.scene.settle(...reports)).map(({ id }) => id).toSorted((a, b) => a - b)
  }

  #newJob(
    said: Extract<Operation, { kind: 'add' }>['jobs'][number],
    ids: (picks: readonly number[]) => number[],
  ): Partial<NewJob> {
    const { queue, priority, delay, expires, retries, key, onConflict, linked, hold } = said
    const after = linked ? ids(said.after) : []
    const afterAny = linked ? ids(said.afterAny).filter((id) => !after.includes(id)) : []
    const { at } = this.scene
    const times = { dueAt: at + delay, expiresAt: expires === null ? null : at + expires }
    return { queue, priority, retries, uniqueKey: key, onConflict, after, afterAny, hold, ...times }
  }

  #end(kind: keyof typeof ends): Transition {
    const { at } = this.scene
    if (kind === 'retried' || kind === 'snoozed') return ends[kind](at + 10)
    return kind === 'crashed' || kind === 'returned' ? ends[kind](at) : ends[kind]()
  }

  /** All that can be seen, but for tokens and what brokers may word in their own way. */
  async observe(): Promise<unknown> {
    const { broker } = this.scene
    const jobs = await broker.jobs.list({ order: 'oldest' }, this.scene.now())
    const queues = await broker.jobs.queues(this.scene.now())
    const events = Map.groupBy(await this.scene.events(), (event) => event.job ?? event.type)
    return {
      jobs: jobs.map(({ error, after, afterAny, ...job }) => {
        const needs = [after, afterAny].map((each) => each.toSorted())
        return {
          ...job,
          error: error?.type,
          needs: this.#known(
            needs,
            jobs.map(({ id }) => id),
          ),
        }
      }),
      queues,
      events: new Map([...events].map(([of, list]) => [of, list.map(outline)])),
    }
  }

  /** A deleted job may be forgotten by those that ran after it. */
  #known(needs: readonly (readonly number[])[], present: readonly number[]): number[][] {
    return needs.map((each) => each.filter((id) => present.includes(id)))
  }
}

const outline = ({ type, at, job, task, queue, attempt, worker, data }: JobqEvent) => {
  const { dueAt, blocked, runtimeMs, error } = data
  const cause = typeof error === 'object' && error !== null ? Reflect.get(error, 'type') : undefined
  return {
    type,
    at,
    job,
    task,
    queue,
    attempt,
    worker: type === 'job.stale' ? null : worker,
    dueAt,
    blocked,
    runtimeMs,
    cause,
  }
}

const terminal = new Set(['job.succeeded', 'job.failed', 'job.cancelled', 'job.rejected'])
const silentAfterEnd = new Set(['job.stale', 'job.requeued'])

/** What holds for the log of any broker. */
const checkLog = (events: readonly JobqEvent[]): void => {
  for (const [job, log] of Map.groupBy(
    events.filter((event) => event.job !== null),
    (event) => event.job,
  )) {
    assert.equal(log[0]?.type, 'job.queued', `job ${job} begins by being queued`)
    assert.equal(log.filter((event) => event.type === 'job.queued').length, 1, `job ${job} is queued once`)
    let ended = false
    let attempt = 0
    for (const { type, attempt: number } of log) {
      assert.ok(!ended || silentAfterEnd.has(type), `job ${job}: ${type} after its end`)
      if (type === 'job.requeued') ended = false
      if (terminal.has(type)) ended = true
      if (type !== 'job.started') continue
      assert.ok(number === attempt || number === attempt + 1, `job ${job}: run ${number} after run ${attempt}`)
      attempt = number
    }
  }
}

/** Runs random sequences on brokers from `open`, each beside a memory broker, and compares after every step. */
export const compareWithModel = (open: () => Promise<Broker>, numRuns: number): Promise<void> =>
  fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 50, size: 'max' }), async (operations) => {
      const [tested, model] = [new Side(await open()), new Side(new MemoryBroker())]
      try {
        await tested.open()
        await model.open()
        for (const operation of operations) {
          const wanted = await model.run(operation)
          assert.deepEqual(await tested.run(operation), wanted)
          assert.deepEqual(await tested.observe(), await model.observe())
        }
        checkLog(await tested.scene.events())
      } finally {
        await tested.scene.broker.close()
      }
    }),
    { numRuns },
  )
