import type { Moment } from '../../clock.ts'
import type { Enqueued, NewJob, TaskDefaults } from '../../job.ts'
import { openFile } from './database-file.ts'
import { enqueueJobs } from './enqueue.ts'
import { publishedTasks } from './published-tasks.ts'
import { ring } from './ring.ts'
import { Store } from './store.ts'

/** Rings the bells of all workers once the present transaction has been committed. */
export const ringWorkers = (store: Store): void => {
  const sessions = store.sql<{ id: number }>('SELECT id FROM jobq_workers WHERE left_at IS NULL').all()
  store.afterCommit(() => {
    for (const { id } of sessions) ring(store.file, id)
  })
}

/** All of a SQLite broker that adding jobs takes, for processes that live no longer than that. */
export class SqliteProducer {
  readonly #store: Store

  /**
   * Opens the queue file, creating it if need be.
   * @throws JobqError `unusable`, `permission`, `unavailable`
   */
  constructor(file: string) {
    this.#store = new Store(openFile(file, {}), file)
  }

  /** What workers have published of their tasks. */
  publishedTasks(): TaskDefaults[] {
    return publishedTasks(this.#store)
  }

  /** Adds jobs, all or none. */
  enqueue(jobs: readonly NewJob[], now: Moment): Enqueued[] {
    return this.#store.writeSync(() => {
      const added = enqueueJobs(this.#store, jobs, now.at)
      ringWorkers(this.#store)
      return added
    })
  }

  close(): void {
    this.#store.close()
  }
}
