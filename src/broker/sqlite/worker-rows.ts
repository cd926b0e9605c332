/** Workers that are online, and what they published of their tasks. */
import type { Moment } from '../../clock.ts'
import type { TaskDefaults } from '../../job.ts'
import type { Rate } from '../../rate.ts'
import type { StartRate } from '../../start-rate.ts'
import type { NewWorker, TaskCatalog, WorkerRecord, WorkerRegistry, WorkerStatus } from '../broker.ts'
import { publishedTasks } from './published-tasks.ts'
import { readStartRates, setStartRate } from './start-rates.ts'
import { eventCode, type Store } from './store.ts'

interface WorkerRow {
  readonly id: number
  readonly name: string
  readonly host: string
  readonly pid: number
  readonly boot: string
  readonly start_time: string | null
  readonly queues: string | null
  readonly started_at: number
  readonly heartbeat_at: number
  readonly status: string
}

const starting: WorkerStatus = { status: 'online', size: 0, busy: 0, processed: 0, children: [] }

/** The workers of a SQLite broker. */
export class SqliteWorkerRegistry implements WorkerRegistry {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  async join(worker: NewWorker, now: Moment): Promise<number> {
    return this.#store.write(() => {
      const { host, pid, boot, startTime } = worker.process
      const { lastInsertRowid } = this.#store
        .sql(
          `INSERT INTO jobq_workers(name, host, pid, boot, start_time, queues, started_at, heartbeat_at, status)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        )
        .run(
          worker.name,
          host,
          pid,
          boot,
          startTime,
          worker.queues === null ? null : JSON.stringify(worker.queues),
          now.at,
          now.at,
          JSON.stringify(starting),
        )
      const session = Number(lastInsertRowid)
      this.#log('worker.online', session, { at: now.at, data: { pid, host } })
      return session
    })
  }

  async beat(session: number, status: WorkerStatus, now: Moment): Promise<void> {
    await this.#store.write(() =>
      this.#store
        .sql('UPDATE jobq_workers SET heartbeat_at = ?, status = ? WHERE id = ?')
        .run(now.at, JSON.stringify(status), session),
    )
  }

  async leave(session: number, now: Moment): Promise<void> {
    await this.#store.write(() => {
      const { changes } = this.#store
        .sql('UPDATE jobq_workers SET left_at = ? WHERE id = ? AND left_at IS NULL')
        .run(now.at, session)
      this.#store.sql('UPDATE jobq_leases SET lease_until = 0 WHERE worker = ?').run(session)
      this.#store.sql('UPDATE jobq_cursors SET session = NULL WHERE session = ?').run(session)
      if (changes === 1) this.#log('worker.offline', session, { at: now.at, data: {} })
    })
  }

  async list(): Promise<WorkerRecord[]> {
    const rows = this.#store.read(() =>
      this.#store.sql<WorkerRow>('SELECT * FROM jobq_workers WHERE left_at IS NULL ORDER BY id').all(),
    )
    return rows.map((row) => ({
      session: row.id,
      name: row.name,
      process: { host: row.host, pid: row.pid, boot: row.boot, startTime: row.start_time },
      queues: row.queues === null ? null : (JSON.parse(row.queues) as string[]),
      startedAt: row.started_at,
      heartbeatAt: row.heartbeat_at,
      ...(JSON.parse(row.status) as WorkerStatus),
    }))
  }

  #log(
    type: 'worker.online' | 'worker.offline',
    session: number,
    event: { at: number; data: Record<string, unknown> },
  ): void {
    this.#store
      .sql('INSERT INTO jobq_events(at, type, worker, data) VALUES (?, ?, ?, ?)')
      .run(event.at, eventCode(type), session, JSON.stringify(event.data))
  }
}

/** The published tasks of a SQLite broker. */
export class SqliteTaskCatalog implements TaskCatalog {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  async publish(tasks: readonly TaskDefaults[]): Promise<void> {
    await this.#store.write(() => {
      for (const task of tasks) {
        const id = this.#store.taskId(task.task)
        const text = JSON.stringify(task)
        this.#store.sql('UPDATE jobq_tasks SET defaults = ? WHERE id = ? AND defaults IS NOT ?').run(text, id, text)
      }
    })
  }

  async list(): Promise<TaskDefaults[]> {
    return this.listSync()
  }

  /** As `list`. */
  listSync(): TaskDefaults[] {
    return publishedTasks(this.#store)
  }

  async limitStarts(task: string, rate: Rate | null): Promise<void> {
    await this.#store.write(() => setStartRate(this.#store, task, rate))
  }

  async startRates(): Promise<StartRate[]> {
    return this.#store.read(() => readStartRates(this.#store))
  }
}
