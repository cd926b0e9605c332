import type { Broker, TaskCatalog } from '../broker/broker.ts'
import type { Clock, Moment } from '../clock.ts'
import type { Messages } from '../envelope/messages.ts'
import { JobqError } from '../errors.ts'
import type { Enqueued, NewJob, TaskDefaults } from '../job.ts'
import { type JobItem, newJob, withPublishedCoding } from '../new-job.ts'

/** For how long it is not asked again what workers have published of their tasks, in milliseconds. */
const publishedForMs = 1_000

/** A broker that can add jobs without letting go of the thread, inside the caller's transaction. */
interface SyncBroker extends Broker {
  readonly tasks: TaskCatalog & { listSync(): TaskDefaults[] }
  enqueueSync(jobs: readonly NewJob[], now: Moment): Enqueued[]
}

/** Adds jobs to a broker, written as workers have published that they want them. */
export class JobWriter {
  readonly #broker: Broker
  readonly #clock: Clock
  readonly #messages: Messages
  #published: { readonly tick: number; readonly tasks: readonly TaskDefaults[] } | null = null

  constructor(broker: Broker, by: { readonly clock: Clock; readonly messages: Messages }) {
    this.#broker = broker
    this.#clock = by.clock
    this.#messages = by.messages
  }

  /**
   * Adds jobs, all or none.
   * @throws JobqError as `Queue.enqueue`, naming the job where there are several
   */
  async addAll(items: readonly JobItem[]): Promise<Enqueued[]> {
    const now = this.#clock.now()
    const jobs = this.#newJobs(items, { now: now.at, published: await this.#publishedTasks(now) })
    return this.#broker.enqueue(jobs, now)
  }

  /**
   * As `addAll`, at once.
   * @throws JobqError also `usage` where the broker cannot
   */
  addAllSync(items: readonly JobItem[]): Enqueued[] {
    const broker = this.#broker
    if (!isSync(broker)) throw new JobqError('usage', `enqueueSync works on SQLite only, not on ${broker.url}`)
    const now = this.#clock.now()
    return broker.enqueueSync(this.#newJobs(items, { now: now.at, published: broker.tasks.listSync() }), now)
  }

  #newJobs(
    items: readonly JobItem[],
    known: { readonly now: number; readonly published: readonly TaskDefaults[] },
  ): NewJob[] {
    const context = { ...known, messages: this.#messages }
    return items.map((item, index) => {
      try {
        return newJob(withPublishedCoding(item, known.published), context)
      } catch (error) {
        throw inBulk(error, index, items.length)
      }
    })
  }

  /** What workers have published, at most a second old. */
  async #publishedTasks(now: Moment): Promise<readonly TaskDefaults[]> {
    if (this.#published === null || now.tick - this.#published.tick > publishedForMs) {
      this.#published = { tick: now.tick, tasks: await this.#broker.tasks.list() }
    }
    return this.#published.tasks
  }
}

/** An error that says which job of several it is about. */
export const inBulk = (error: unknown, index: number, count: number): unknown =>
  count === 1 || !(error instanceof JobqError)
    ? error
    : new JobqError(error.code, `job ${index + 1} of ${count}: ${error.message}`, { cause: error })

const isSync = (broker: Broker): broker is SyncBroker =>
  'enqueueSync' in broker && typeof broker.enqueueSync === 'function'
