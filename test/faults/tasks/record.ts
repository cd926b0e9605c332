// A task that writes down when it begins and ends, and under which claim. What it does in between is its payload's choice.
import fs from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Fail, type JobContext } from 'jobq'

/** What the task is told to do. */
export interface Order {
  readonly key: string
  /** Where it writes. */
  readonly file: string
  /** How long it takes, in milliseconds; 0 without letting go of the thread. */
  readonly ms: number
  /** It ends no sooner than this file is there. */
  readonly until?: string
  /** So many attempts fail before one succeeds. */
  readonly failures?: number
  /** `fail`: declares itself failed for good; `crash`: kills its own process; `allocate`: takes all memory that it can have. */
  readonly last?: 'fail' | 'crash' | 'allocate'
}

export default async function record(order: Order, job: JobContext): Promise<void> {
  const note = (phase: string): void => {
    const { id, attempt } = job
    // No part of what tasks are promised, but the object that they get has it.
    const token: unknown = Reflect.get(job, 'token')
    const line = { job: id, attempt, token, key: order.key, phase, at: Date.now() }
    const descriptor = fs.openSync(order.file, 'a', 0o600)
    fs.writeSync(descriptor, `${JSON.stringify(line)}\n`)
    fs.closeSync(descriptor)
  }
  note('begin')
  if (order.ms > 0) await sleep(order.ms)
  while (order.until !== undefined && !fs.existsSync(order.until)) await sleep(5)
  if (order.last === 'crash') process.kill(process.pid, 'SIGKILL')
  if (order.last === 'allocate') for (const taken: unknown[] = []; ; ) taken.push(new Array(1e6).fill(taken.length))
  if (order.last === 'fail') {
    note('final')
    throw new Fail('as told')
  }
  if (job.attempt <= (order.failures ?? 0)) {
    note('fail')
    throw new Error('as told')
  }
  note('end')
}
