/**
 * The client: what an application and the command line do with a broker. A `Queue` checks what it is given,
 * turns it into what brokers store and leaves the rest to the broker behind it, which is there as
 * `queue.broker` for what has no word of its own here.
 */

import type { Broker, CancelAnswer } from './broker/broker.ts'
import { awaitJob, type WaitOptions } from './client/await-job.ts'
import { checkTarget, checkTargetSync } from './client/check-input.ts'
import { type ConnectTarget, openTarget } from './client/connect-target.ts'
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
import { inBulk, JobWriter } from './client/job-writer.ts'
import { jobFilter, type ListOptions } from './client/list-options.ts'
import { type Clock, systemClock } from './clock.ts'
import type { ControlCommand } from './control/command.ts'
import { checkMessageSettings, type MessageSettings, messagesBy } from './envelope/message-settings.ts'
import type { Messages } from './envelope/messages.ts'
import { JobqError } from './errors.ts'
import type { EventsPruned, JobqEvent } from './event.ts'
import { type Enqueued, type Job, type JobState, jobStates } from './job.ts'
import type { CommandOptions } from './job-options.ts'
import { checkName } from './name.ts'
import type { JobItem } from './new-job.ts'
import { removeOutput } from './output/remove-output.ts'
import { parseRate } from './rate.ts'
import type { TaskDefinition } from './task.ts'
import { prepareTracing, tracedEnqueue, tracedEnqueueSync } from './tracing.ts'

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
  return new Queue<Tasks>(await openTarget(target, opening), { clock, messages: by })
}

/** A connection to a broker. `Tasks` maps the names of tasks to their payloads or definitions. */
export class Queue<Tasks extends TaskPayloads = Record<string, unknown>> {
  readonly broker: Broker
  readonly #clock: Clock
  readonly #writer: JobWriter
  #closed = false

  constructor(broker: Broker, options: { readonly clock?: Clock; readonly messages?: Messages } = {}) {
    this.broker = broker
    this.#clock = options.clock ?? systemClock
    this.#writer = new JobWriter(broker, {
      clock: this.#clock,
      messages: options.messages ?? messagesBy({}, this.#clock),
    })
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
    this.#open()
    checkTargetSync(target, rest[0])
    return tracedEnqueueSync(toItem(target, rest), (item) => only(this.#writer.addAllSync([item])).id)
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
    return tracedEnqueue(items, async (traced) => {
      this.#open()
      return this.#writer.addAll(traced)
    })
  }

  /** One job, or null where there is none with this id. */
  async get(id: number): Promise<Job | null> {
    return this.#open().jobs.get(id, this.#clock.now())
  }

  /** Jobs, the newest first. */
  async list(options: ListOptions = {}): Promise<Job[]> {
    const now = this.#clock.now()
    return this.#open().jobs.list(jobFilter(options, now.at), now)
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
}

const noSuchJob = (id: number): JobqError => new JobqError('not-found', `there is no job ${id}`)

const only = <T>(answers: readonly T[]): T => {
  const [answer] = answers
  if (answer === undefined) throw new Error('the broker gave no answer')
  return answer
}
