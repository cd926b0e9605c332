import type { Moment } from '../../clock.ts'
import type { NewWorker, WorkerRecord, WorkerRegistry, WorkerStatus } from '../broker.ts'
import type { MemoryStore } from './memory-store.ts'

/** The workers of a memory broker. */
export class MemoryWorkerRegistry implements WorkerRegistry {
  readonly #store: MemoryStore

  constructor(store: MemoryStore) {
    this.#store = store
  }

  async join(worker: NewWorker, now: Moment): Promise<number> {
    const session = this.#store.next('session')
    const status = { status: 'online', size: 0, busy: 0, processed: 0, children: [] } as const
    this.#store.workers.set(session, { ...worker, ...status, session, startedAt: now.at, heartbeatAt: now.at })
    this.#store.workerNames.set(session, worker.name)
    const { pid, host } = worker.process
    this.#store.log('worker.online', now.at, { worker: worker.name, data: { pid, host } })
    return session
  }

  async beat(session: number, status: WorkerStatus, now: Moment): Promise<void> {
    const worker = this.#store.workers.get(session)
    if (worker === undefined) return
    const { name, process, queues, startedAt } = worker
    this.#store.workers.set(session, { session, name, process, queues, startedAt, ...status, heartbeatAt: now.at })
  }

  async leave(session: number, now: Moment): Promise<void> {
    const worker = this.#store.workers.get(session)
    if (worker === undefined) return
    this.#store.workers.delete(session)
    this.#store.log('worker.offline', now.at, { worker: worker.name })
    for (const [name, row] of this.#store.cursors) {
      if (row.session === session) this.#store.cursors.set(name, { ...row, session: 0 })
    }
    for (const row of this.#store.jobs.values()) {
      if (row.lease?.worker === session) this.#store.put({ ...row, lease: { ...row.lease, until: now.tick } })
    }
  }

  async list(): Promise<WorkerRecord[]> {
    return [...this.#store.workers.values()]
  }
}
