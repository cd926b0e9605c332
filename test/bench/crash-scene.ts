import fs from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase } from '../../src/broker/sqlite/native.ts'
import { connect } from '../../src/client.ts'
import { fillPaused } from './backlog.ts'
import type { Place } from './place.ts'
import { untilSucceeded } from './settled.ts'
import { startWorker, type WorkerProcess } from './worker-process.ts'

/** When each job ran, in epoch milliseconds, oldest first. */
export type Runs = ReadonlyMap<number, readonly number[]>

const lookEveryMs = 1

/** A queue file, and the file in which its jobs leave a line each: what that says, no death can take back. */
export class CrashScene {
  readonly count: number
  readonly #place: Place
  readonly #database: string
  readonly #trace: string

  constructor(place: Place, count: number) {
    this.count = count
    this.#place = place
    this.#database = place.newFile('crash.db')
    this.#trace = place.newFile('trace')
  }

  /** Enqueues the jobs, starts a worker on them and resolves when a third of them has run. */
  async begin(): Promise<WorkerProcess> {
    await fillPaused(this.#database, this.count, () => ({ task: 'trace', payload: { file: this.#trace } }))
    const worker = await this.startWorker()
    const queue = await connect(this.#database)
    await queue.resume('default')
    await queue.close()
    let ended = false
    void worker.ended.then(() => {
      ended = true
    })
    const shortest = `1 ${Date.now()}\n`.length
    while ((fs.statSync(this.#trace, { throwIfNoEntry: false })?.size ?? 0) < (this.count / 3) * shortest) {
      if (ended) throw new Error('the worker ended before a third of the jobs had run')
      await sleep(lookEveryMs)
    }
    return worker
  }

  startWorker(): Promise<WorkerProcess> {
    return startWorker(this.#place, { file: this.#database, kind: 'binary', children: 2 })
  }

  /** The jobs that the query gives. */
  ids(query: string): ReadonlySet<number> {
    const database = openDatabase(this.#database, { readonly: true })
    try {
      return new Set(database.prepare<[], number>(query).pluck().all())
    } finally {
      database.close()
    }
  }

  /** Waits until every job has succeeded, ends the worker and says when each job ran. */
  async end(worker: WorkerProcess): Promise<Runs> {
    await untilSucceeded(this.#database, this.count)
    await worker.stop()
    const runs = new Map<number, number[]>()
    for (const line of fs.readFileSync(this.#trace, 'utf8').split('\n').slice(0, -1)) {
      const [id = Number.NaN, at = Number.NaN] = line.split(' ').map(Number)
      runs.set(id, [...(runs.get(id) ?? []), at])
    }
    return runs
  }
}
