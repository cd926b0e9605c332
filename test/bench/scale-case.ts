import fs from 'node:fs'
import { act } from './actor.ts'
import type { Claimed, Claiming } from './actors/claimer.ts'
import { fill } from './backlog.ts'
import { payloadOf } from './payload.ts'
import type { Place } from './place.ts'
import { processTree, proportionalMebibytes } from './process-tree.ts'
import { untilSucceeded } from './settled.ts'
import { startWorker } from './worker-process.ts'

/** What waits in one queue file. */
export interface Backlog {
  readonly waiting: number
  readonly queues: number
  readonly priorities: number
  /** Jobs that are due in a month. */
  readonly scheduled: number
}

/** How a worker got on with the first jobs of a backlog. */
export interface Drained {
  readonly perSecond: number
  readonly walMebibytes: number
  /** Of the worker and its children. */
  readonly memoryMebibytes: number
}

const batch = 256
const run = 1_000
const quiet = ['--log-level', 'warn']

/** A queue file with a backlog that stays as large as it is: what is taken from it is put back. */
export class ScaleCase {
  readonly backlog: Backlog
  readonly #place: Place
  readonly #file: string
  readonly #queues: readonly string[]
  readonly #priorities: readonly number[]
  #succeeded = 0

  constructor(place: Place, backlog: Backlog) {
    this.backlog = backlog
    this.#place = place
    this.#file = place.newFile('scale.db')
    this.#queues = Array.from({ length: backlog.queues }, (_, n) => (n === 0 ? 'default' : `queue-${n}`))
    this.#priorities = Array.from({ length: backlog.priorities }, (_, n) => (n + 5) % 10)
  }

  /** Makes the file. */
  async fill(): Promise<void> {
    await this.#add(this.backlog.waiting)
    const { scheduled } = this.backlog
    await fill(this.#file, scheduled, (n) => ({ task: 'noop', payload: payloadOf(n), delay: '30d' }))
  }

  /** Claims and settles by the broker alone. */
  async claim(turns: number): Promise<Claimed> {
    const claiming: Claiming = { file: this.#file, turns, batch, queues: this.#queues, priorities: this.#priorities }
    const claimed = await act<Claimed>(this.#place, 'claimer', claiming)
    this.#succeeded += turns * batch * 2
    return claimed
  }

  /** Has a worker with two children take so many jobs. */
  async drain(count: number): Promise<Drained> {
    const worker = await startWorker(this.#place, { file: this.#file, kind: 'binary', children: 2, options: quiet })
    const first = await untilSucceeded(this.#file, this.#succeeded + 1)
    const last = await untilSucceeded(this.#file, first.succeeded + count)
    const memoryMebibytes = proportionalMebibytes(processTree(worker.pid))
    const walMebibytes = fs.statSync(`${this.#file}-wal`).size / 2 ** 20
    await worker.stop()
    const { succeeded } = await untilSucceeded(this.#file, last.succeeded)
    await this.#add(succeeded - this.#succeeded)
    this.#succeeded = succeeded
    return {
      perSecond: ((last.succeeded - first.succeeded) / (last.at - first.at)) * 1_000,
      walMebibytes,
      memoryMebibytes,
    }
  }

  // Runs of jobs go to the same queue: jobs that are alike are much faster to add.
  async #add(count: number): Promise<void> {
    const [queues, priorities] = [this.#queues, this.#priorities]
    await fill(this.#file, count, (n) => ({
      task: 'noop',
      payload: payloadOf(n),
      queue: queues[Math.floor(n / run) % queues.length] ?? 'default',
      priority: priorities[Math.floor(n / run) % priorities.length] ?? 5,
    }))
  }
}
