/**
 * What a case of the conformance suite works with: a fresh broker, a time that only the case moves, and short
 * words for what enqueuers and workers do. Nothing here knows a test runner, so that whoever writes a broker
 * can run the cases with their own.
 */
import assert from 'node:assert/strict'
import type { Broker, ClaimRequest, QueueSummary, Report, Succeeded } from '../../../src/broker/broker.ts'
import type { Burst } from '../../../src/burst.ts'
import type { Moment } from '../../../src/clock.ts'
import type { JobqEvent } from '../../../src/event.ts'
import type { ClaimedJob, Enqueued, Job, Lease, NewJob } from '../../../src/job.ts'
import type { Transition } from '../../../src/outcome.ts'

/** One rule that every broker keeps. */
export interface Case {
  readonly name: string
  run(scene: Scene): Promise<void>
}

/** A job that says nothing but its task. */
export const plainJob: NewJob = {
  task: 'work',
  queue: null,
  priority: null,
  payload: { serializer: 'json', text: '{}' },
  dueAt: 0,
  expiresAt: null,
  retries: null,
  options: {},
  uniqueKey: null,
  onConflict: 'ignore',
  after: [],
  afterAny: [],
  hold: false,
  tags: [],
  name: null,
  meta: null,
  ref: null,
}

const kept = { spent: false, crashed: false } as const
const used = { spent: true, crashed: false } as const

/** The transitions that workers report, as `policy.decide` makes them. */
// biome-ignore format: a table
export const ends = {
  succeeded: (result: string | null = null): Transition => ({ to: 'succeeded', event: 'job.succeeded', ...used, result, exitCode: null }),
  failed: (message = 'broken'): Transition => ({ to: 'failed', event: 'job.failed', ...used, error: { type: 'Error', message }, exitCode: 1, signal: null, retries: 0 }),
  retried: (dueAt: number, message = 'broken'): Transition => ({ to: 'queued', event: 'job.retried', ...used, dueAt, error: { type: 'Error', message }, exitCode: 1, signal: null, retries: 3 }),
  snoozed: (dueAt: number): Transition => ({ to: 'queued', event: 'job.snoozed', ...kept, dueAt }),
  cancelled: (): Transition => ({ to: 'cancelled', event: 'job.cancelled', ...kept, error: { type: 'Cancelled', message: 'by request' } }),
  rejected: (): Transition => ({ to: 'failed', event: 'job.rejected', ...kept, error: { type: 'UnknownTask', message: 'no such task' } }),
  crashed: (dueAt: number): Transition => ({ to: 'queued', event: 'job.recovered', spent: false, crashed: true, alone: true, dueAt, error: { type: 'Crashed', message: 'the child died' } }),
  returned: (dueAt: number): Transition => ({ to: 'queued', event: null, ...kept, dueAt }),
}

/** A broker and the time it is told. */
export class Scene {
  readonly broker: Broker
  /** Epoch milliseconds. */
  at = 1_800_000_000_000
  /** Monotonic milliseconds. */
  tick = 5_000
  #session: number | null = null

  constructor(broker: Broker) {
    this.broker = broker
  }

  now(): Moment {
    return { at: this.at, tick: this.tick }
  }

  /** Lets both clocks go on. */
  pass(ms: number): void {
    this.at += ms
    this.tick += ms
  }

  /** Adds jobs that say only this; due now. */
  addAll(jobs: readonly Partial<NewJob>[]): Promise<Enqueued[]> {
    return this.broker.enqueue(
      jobs.map((job) => ({ ...plainJob, dueAt: this.at, ...job })),
      this.now(),
    )
  }

  async add(job: Partial<NewJob> = {}): Promise<Enqueued> {
    return one(await this.addAll([job]))
  }

  async addId(job: Partial<NewJob> = {}): Promise<number> {
    return (await this.add(job)).id
  }

  join(name: string, queues: readonly string[] | null = null): Promise<number> {
    const process = { host: 'here', pid: 100, boot: 'b1', startTime: '7' }
    return this.broker.workers.join({ name, process, queues }, this.now())
  }

  async request(said: Partial<ClaimRequest> = {}): Promise<ClaimRequest> {
    this.#session ??= await this.join('w1')
    return { queues: null, order: 'weighted', limit: 100, worker: this.#session, leaseMs: 30_000, ...said }
  }

  async claim(said: Partial<ClaimRequest> = {}): Promise<ClaimedJob[]> {
    return this.broker.claim(await this.request(said), this.now())
  }

  async claimOne(said: Partial<ClaimRequest> = {}): Promise<ClaimedJob> {
    return one(await this.claim(said))
  }

  async claimIds(said: Partial<ClaimRequest> = {}): Promise<number[]> {
    return (await this.claim(said)).map((job) => job.id)
  }

  /** As `claim`, of a broker that may put alike jobs together. */
  async claimInBursts(said: Partial<ClaimRequest> = {}): Promise<readonly (ClaimedJob | Burst)[]> {
    const request = await this.request({ burst: 32, ...said })
    return (await this.broker.settle([], this.now(), request)).claimed
  }

  started(job: ClaimedJob, pid = 4711): Report {
    return { kind: 'started', ...lease(job), attempt: job.attempt, at: this.at, pid }
  }

  progress(job: ClaimedJob, fraction: number, text: string | null = null): Report {
    return { kind: 'progress', ...lease(job), attempt: job.attempt, at: this.at, fraction, text }
  }

  /** An end; of a run that began now unless `startedAt` says otherwise. */
  finished(job: ClaimedJob, transition: Transition, startedAt: number | null = this.at): Report {
    return {
      kind: 'finished',
      ...lease(job),
      attempt: job.attempt,
      at: this.at,
      startedAt,
      pid: startedAt === null ? null : 4711,
      transition,
    }
  }

  /** That jobs in their first attempt, of which nothing was told before, succeeded without a result: one report for each claim. */
  succeeded(jobs: readonly ClaimedJob[], startedAt = this.at): Succeeded[] {
    const alike = Map.groupBy(jobs, ({ token, task, queue }) => JSON.stringify([token, task, queue]))
    return [...alike.values()].flatMap((group) => {
      const [first] = group
      if (first === undefined) return []
      const { token, task, queue } = first
      return {
        kind: 'succeeded',
        ids: group.map(({ id }) => id),
        token,
        task,
        queue,
        at: this.at,
        startedAt,
        pid: 4711,
      }
    })
  }

  async settle(...reports: Report[]): Promise<readonly Lease[]> {
    return (await this.broker.settle(reports, this.now())).lost
  }

  /** Runs the job that is next to its end. */
  async runOne(transition: Transition, said: Partial<ClaimRequest> = {}): Promise<ClaimedJob> {
    const job = await this.claimOne({ limit: 1, ...said })
    assert.deepEqual(await this.settle(this.finished(job, transition)), [])
    return job
  }

  async get(id: number): Promise<Job> {
    const job = await this.broker.jobs.get(id, this.now())
    assert.ok(job, `job ${id} is there`)
    return job
  }

  async states(...ids: number[]): Promise<string[]> {
    return Promise.all(ids.map(async (id) => (await this.get(id)).state))
  }

  async queue(name: string): Promise<QueueSummary> {
    const queue = (await this.broker.jobs.queues(this.now())).find((candidate) => candidate.name === name)
    assert.ok(queue, `queue ${name} is known`)
    return queue
  }

  /** All events, or those of one job. */
  async events(job?: number): Promise<JobqEvent[]> {
    const found: JobqEvent[] = []
    for (let cursor = 0; ; ) {
      const page = await this.broker.events.read({ after: cursor, limit: 1000, ...(job === undefined ? {} : { job }) })
      found.push(...page.events)
      if (page.cursor <= cursor) return found
      cursor = page.cursor
    }
  }

  async types(job?: number): Promise<string[]> {
    return (await this.events(job)).map((event) => event.type)
  }

  /** The last event of a job. */
  async lastEvent(job: number): Promise<JobqEvent> {
    const event = (await this.events(job)).at(-1)
    assert.ok(event, `job ${job} has events`)
    return event
  }
}

/** The lease of a job. */
export const lease = ({ id, token }: Lease): Lease => ({ id, token })

/** The only element. */
export const one = <T>(list: readonly T[]): T => {
  assert.equal(list.length, 1)
  return list[0] as T
}

/** Checks that a promise is refused with this code. */
export const refused = (code: string, promise: Promise<unknown>): Promise<void> =>
  assert.rejects(promise, { name: 'JobqError', code })
