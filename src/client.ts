/**
 * The client: what an application and the command line do with a broker. A `Queue` checks what it is given,
 * turns it into what brokers store and leaves the rest to the broker behind it, which is there as
 * `queue.broker` for what has no word of its own here.
 */

import type { Broker, CancelAnswer, JobFilter, TaskCatalog } from './broker/broker.ts'
import { attachBroker, openBroker } from './broker/open.ts'
import type { SqliteDatabase } from './broker/sqlite/native.ts'
import type { SqliteBrokerOptions } from './broker/sqlite/sqlite-broker.ts'
import { awaitJob, type WaitOptions } from './client/await-job.ts'
import { checkTarget, checkTargetSync } from './client/check-input.ts'
import { type ControlAnswer, type ControlOptions, controlWorkers } from './client/control.ts'
import {
  type DefinedItem,
  isDefined,
  type PayloadAndOptions,
  type PayloadOf,
  type TaskPayloads,
  toItem,
  withTaskName,
} from './client/enqueue-arguments.ts'
import { type EventOptions, readEvents } from './client/event-stream.ts'
import { type Clock, type Moment, systemClock } from './clock.ts'
import type { ControlCommand } from './control/command.ts'
import { checkMessageSettings, type MessageSettings, messagesBy } from './envelope/message-settings.ts'
import type { Messages } from './envelope/messages.ts'
import { JobqError } from './errors.ts'
import type { EventsPruned, JobqEvent } from './event.ts'
import { parseSince } from './instant.ts'
import { type Enqueued, type Job, type JobState, jobStates, type NewJob, type TaskDefaults } from './job.ts'
import type { CommandOptions } from './job-options.ts'
import { checkName } from './name.ts'
import { type JobItem, newJob, withPublishedCoding } from './new-job.ts'
import { removeOutput } from './output/remove-output.ts'
import { parseRate } from './rate.ts'
import type { TaskDefinition } from './task.ts'
import { prepareTracing, tracedEnqueue, tracedEnqueueSync } from './tracing.ts'

/** Where the broker is: a path or URL (several, in a list or separated by `;`, are tried in turn), or an application's own open database. */
export type ConnectTarget = string | readonly string[] | { readonly database: SqliteDatabase }

/** For how long it is not asked again what workers have published of their tasks, in milliseconds. */
const publishedForMs = 1_000

/** How to connect. What the configuration file has too is as there. */
export interface ConnectOptions extends Omit<MessageSettings, 'maxResult'> {
  readonly readonly?: boolean
  /** Make a missing file; default true. */
  readonly create?: boolean
  /** How long to wait for other writers before `unavailable`; default 15 s. */
  readonly busyTimeoutMs?: number
  readonly clock?: Clock
  /** Instead of all that says how payloads are written and read. */
  readonly messages?: Messages
}

/** Which jobs to list; what is absent does not filter. */
export interface ListOptions {
  readonly state?: JobState | readonly JobState[]
  readonly queue?: string
  readonly task?: string
  readonly tag?: string
  /** Created since then: an instant, or an age such as `'2h'`. */
  readonly since?: string | number | Date
  readonly limit?: number
  /** Only jobs older than the one with this id. */
  readonly cursor?: number
}

/** A broker that can add jobs without letting go of the thread, inside the caller's transaction. */
interface SyncBroker extends Broker {
  readonly tasks: TaskCatalog & { listSync(): TaskDefaults[] }
  enqueueSync(jobs: readonly NewJob[], now: { readonly at: number; readonly tick: number }): Enqueued[]
}

/**
 * Connects to a broker, made if need be.
 * @throws JobqError `usage`, `unusable`, `permission`, `not-found`, `unavailable`
 */
export const connect = async <Tasks extends TaskPayloads = Record<string, unknown>>(
  target: ConnectTarget,
  options: ConnectOptions = {},
): Promise<Queue<Tasks>> => {
  const { readonly, create, busyTimeoutMs, clock = systemClock, messages, ...said } = options
  const by = messages ?? messagesBy(checkMessageSettings(said), clock)
  const opening = {
    clock,
    read: by.read,
    ...(readonly === undefined ? {} : { readonly }),
    ...(create === undefined ? {} : { create }),
    ...(busyTimeoutMs === undefined ? {} : { busyTimeoutMs }),
  }
  await prepareTracing()
  const broker = hasDatabase(target)
    ? attachBroker(target.database, opening)
    : await openFirst(typeof target === 'string' ? target.split(';') : target, opening)
  return new Queue<Tasks>(broker, { clock, messages: by })
}

const hasDatabase = (target: ConnectTarget): target is { readonly database: SqliteDatabase } =>
  typeof target === 'object' && target !== null && 'database' in target

const openFirst = async (urls: readonly string[], options: SqliteBrokerOptions): Promise<Broker> => {
  const [url, ...others] = Array.isArray(urls) ? urls : []
  if (typeof url !== 'string') throw new JobqError('usage', 'connect needs a path, a URL or { database }')
  try {
    return await openBroker(url.trim(), options)
  } catch (error) {
    const away = error instanceof JobqError && (error.code === 'unavailable' || error.code === 'not-found')
    if (!away || others.length === 0) throw error
    return openFirst(others, options)
  }
}

/** A connection to a broker. `Tasks` maps the names of tasks to their payloads or definitions. */
export class Queue<Tasks extends TaskPayloads = Record<string, unknown>> {
  readonly broker: Broker
  readonly #clock: Clock
  readonly #messages: Messages
  #published: { readonly tick: number; readonly tasks: readonly TaskDefaults[] } | null = null
  #closed = false

  constructor(broker: Broker, options: { readonly clock?: Clock; readonly messages?: Messages } = {}) {
    this.broker = broker
    this.#clock = options.clock ?? systemClock
    this.#messages = options.messages ?? messagesBy({}, this.#clock)
  }

  /**
   * Adds a job and answers its id; that of the holder where the unique key is taken.
   * @throws JobqError `usage` with nothing written, `not-found` for what it runs after, `duplicate`, `unavailable`
   */
  enqueue(argv: readonly string[], options?: CommandOptions): Promise<number>
  enqueue<Input, Payload, Result>(
    task: TaskDefinition<Input, Payload, Result>,
    ...rest: PayloadAndOptions<NoInfer<Input>>
  ): Promise<number>
  enqueue<Name extends keyof Tasks & string>(
    task: Name,
    ...rest: PayloadAndOptions<PayloadOf<Tasks[Name]>>
  ): Promise<number>
  async enqueue(target: unknown, ...rest: readonly unknown[]): Promise<number> {
    await checkTarget(target, rest[0])
    return only(await this.addJobs([toItem(target, rest)])).id
  }

  /** As `enqueue`, on SQLite: done when it returns, and part of the transaction that runs on an own database. */
  enqueueSync(argv: readonly string[], options?: CommandOptions): number
  enqueueSync<Input, Payload, Result>(
    task: TaskDefinition<Input, Payload, Result>,
    ...rest: PayloadAndOptions<NoInfer<Input>>
  ): number
  enqueueSync<Name extends keyof Tasks & string>(task: Name, ...rest: PayloadAndOptions<PayloadOf<Tasks[Name]>>): number
  enqueueSync(target: unknown, ...rest: readonly unknown[]): number {
    const broker = this.#open()
    if (!isSync(broker)) throw new JobqError('usage', `enqueueSync works on SQLite only, not on ${broker.url}`)
    const add = (said: JobItem): number => {
      const now = this.#clock.now()
      const job = this.#newJob(said, { now: now.at, published: broker.tasks.listSync() })
      return only(broker.enqueueSync([job], now)).id
    }
    checkTargetSync(target, rest[0])
    return tracedEnqueueSync(toItem(target, rest), add)
  }

  /** Adds jobs, all or none, and answers their ids in order; a task may be its name or its definition. */
  async enqueueMany(items: readonly (JobItem | DefinedItem)[]): Promise<number[]> {
    const named: JobItem[] = []
    for (const [index, item] of items.entries()) {
      try {
        if (isDefined(item)) await checkTarget(item.task, item.payload)
        named.push(isDefined(item) ? withTaskName(item) : item)
      } catch (error) {
        throw inBulk(error, index, items.length)
      }
    }
    return (await this.addJobs(named)).map((added) => added.id)
  }

  /** As `enqueueMany`, answering of each job also whether it was a duplicate, its state and when it is due. */
  addJobs(items: readonly JobItem[]): Promise<Enqueued[]> {
    return tracedEnqueue(items, (traced) => this.#addJobs(traced))
  }

  async #addJobs(items: readonly JobItem[]): Promise<Enqueued[]> {
    const broker = this.#open()
    const now = this.#clock.now()
    const published = await this.#publishedTasks(now)
    const jobs = items.map((item, index) => {
      try {
        return this.#newJob(item, { now: now.at, published })
      } catch (error) {
        throw inBulk(error, index, items.length)
      }
    })
    return broker.enqueue(jobs, now)
  }

  /** One job, or null where there is none with this id. */
  async get(id: number): Promise<Job | null> {
    return this.#open().jobs.get(id, this.#clock.now())
  }

  /** Jobs, the newest first. */
  async list(options: ListOptions = {}): Promise<Job[]> {
    const now = this.#clock.now()
    const { state, since, ...filter } = options
    const states = typeof state === 'string' ? [state] : state
    const unknown = states?.find((each) => !jobStates.includes(each))
    if (unknown !== undefined) throw new JobqError('usage', `state: ${unknown} is not one of ${jobStates.join(', ')}`)
    const wanted: JobFilter = {
      ...filter,
      ...(states === undefined ? {} : { states }),
      ...(since === undefined ? {} : { since: typeof since === 'string' ? parseSince(since, now.at) : Number(since) }),
    }
    return this.#open().jobs.list(wanted, now)
  }

  /** How many jobs there are in each state. */
  async counts(): Promise<Readonly<Record<JobState, number>>> {
    const queues = await this.#open().jobs.queues(this.#clock.now())
    const counts = { blocked: 0, queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0 }
    for (const queue of queues) for (const state of jobStates) counts[state] += queue[state]
    return counts
  }

  /**
   * The job once it has finished, however it did.
   * @throws JobqError `not-found`, `timeout`
   */
  async wait(id: number, options: WaitOptions = {}): Promise<Job> {
    return awaitJob(this.#open(), id, { ...options, clock: this.#clock })
  }

  /**
   * Cancels a job: at once (`cancelled`) where it waits, soon (`cancelling`) where a worker has it.
   * @throws JobqError `not-found`
   */
  async cancel(id: number): Promise<Exclude<CancelAnswer, 'not-found'>> {
    const answer = only(await this.#open().cancel({ ids: [id] }, 'Cancelled', this.#clock.now()))
    if (answer === 'not-found') throw noSuchJob(id)
    return answer
  }

  /**
   * Runs a finished job again.
   * @throws JobqError `not-found`, `conflict` for one that has not finished
   */
  async retry(id: number): Promise<void> {
    const now = this.#clock.now()
    const answer = only(await this.#open().requeue([id], now.at, now))
    if (answer === 'not-found') throw noSuchJob(id)
    if (answer === 'unfinished') throw new JobqError('conflict', `job ${id} has not finished yet`)
  }

  /**
   * Lets go of a job that was held.
   * @throws JobqError `not-found`, `conflict` for one that is not held
   */
  async release(id: number): Promise<void> {
    if (only(await this.#open().release([id], this.#clock.now()))) return
    throw (await this.get(id)) === null ? noSuchJob(id) : new JobqError('conflict', `job ${id} is not held`)
  }

  /**
   * Deletes a finished job and its output.
   * @throws JobqError `not-found`, `conflict` for one that has not finished
   */
  async remove(id: number): Promise<void> {
    const { jobs, url } = this.#open()
    if (!only(await jobs.remove([id]))) {
      throw (await this.get(id)) === null ? noSuchJob(id) : new JobqError('conflict', `job ${id} has not finished yet`)
    }
    if (url.startsWith('sqlite:')) removeOutput(`${url.slice('sqlite:'.length)}.logs`, [id])
  }

  /** Stops workers from taking jobs of a queue; what runs goes on. */
  async pause(queue: string): Promise<void> {
    await this.#open().setPaused(checkName('queue', queue), true, this.#clock.now())
  }

  /** Lets workers take jobs of a queue again. */
  async resume(queue: string): Promise<void> {
    await this.#open().setPaused(checkName('queue', queue), false, this.#clock.now())
  }

  /**
   * Limits how often jobs of a task start, over all workers of the broker, also those to come: `100/m`, or `none`.
   * @throws JobqError `usage` for what is no rate
   */
  async limitStarts(task: string, rate: string): Promise<void> {
    await this.#open().tasks.limitStarts(checkName('task', task), parseRate(rate))
  }

  /**
   * Tells running workers something (`{ verb: 'drain' }`) and gives what each of them answered; an empty list where no
   * worker runs.
   * @throws JobqError `usage` for what is no command, `not-found` when no worker has the name
   */
  async control(command: ControlCommand, options: ControlOptions = {}): Promise<ControlAnswer[]> {
    return controlWorkers(this.#open(), command, options)
  }

  /**
   * The event log, oldest first; with `follow` until `signal` aborts or the loop is left.
   * @throws JobqError `usage` for an unknown type
   */
  events(options: EventOptions = {}): AsyncGenerator<JobqEvent | EventsPruned, void, void> {
    return readEvents(this.#open().events, options)
  }

  /** Lets go of the broker; an application's own database stays open. */
  async close(): Promise<void> {
    this.#closed = true
    await this.broker.close()
  }

  #open(): Broker {
    if (this.#closed) throw new JobqError('usage', 'the queue is closed')
    return this.broker
  }

  #newJob(item: JobItem, known: { readonly now: number; readonly published: readonly TaskDefaults[] }): NewJob {
    return newJob(withPublishedCoding(item, known.published), { ...known, messages: this.#messages })
  }

  /** What workers have published, at most a second old. */
  async #publishedTasks(now: Moment): Promise<readonly TaskDefaults[]> {
    if (this.#published === null || now.tick - this.#published.tick > publishedForMs) {
      this.#published = { tick: now.tick, tasks: await this.broker.tasks.list() }
    }
    return this.#published.tasks
  }
}

/** An error that says which job of several it is about. */
const inBulk = (error: unknown, index: number, count: number): unknown =>
  count === 1 || !(error instanceof JobqError)
    ? error
    : new JobqError(error.code, `job ${index + 1} of ${count}: ${error.message}`, { cause: error })

const isSync = (broker: Broker): broker is SyncBroker =>
  'enqueueSync' in broker && typeof broker.enqueueSync === 'function'

const noSuchJob = (id: number): JobqError => new JobqError('not-found', `there is no job ${id}`)

const only = <T>(answers: readonly T[]): T => {
  const [answer] = answers
  if (answer === undefined) throw new Error('the broker gave no answer')
  return answer
}
