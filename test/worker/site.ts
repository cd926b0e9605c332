// A queue file with workers in this process and real children, and a record of what their tasks did.
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import type { Broker } from '../../src/broker/broker.ts'
import { SqliteBroker } from '../../src/broker/sqlite/sqlite-broker.ts'
import { Queue } from '../../src/client.ts'
import { systemClock } from '../../src/clock.ts'
import type { JobqEvent } from '../../src/event.ts'
import type { Job } from '../../src/job.ts'
import { createWorker, type LogEntry, type Worker, type WorkerOptions } from '../../src/worker/worker.ts'
import { until } from '../support/until.ts'

const effect = `import fs from 'node:fs'
import path from 'node:path'
const place = path.join(import.meta.dirname, '..')
const note = (job, what) => fs.appendFileSync(path.join(place, 'effects'), job.id + ' ' + job.attempt + ' ' + what + '\\n')
`

/** Tasks that every site has: each notes what it does, and `hold` and `stubborn` stay until their gate is opened. */
const usualTasks: Readonly<Record<string, string>> = {
  'note.js': `${effect}export default (payload, job) => note(job, 'ran')\n`,
  'hold.js': `${effect}export default async (payload, job) => {
  note(job, 'began')
  while (!fs.existsSync(path.join(place, 'open.' + job.id))) {
    job.signal.throwIfAborted()
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  note(job, 'ended')
}\n`,
  'stubborn.js': `${effect}export default async (payload, job) => {
  note(job, 'began')
  while (!fs.existsSync(path.join(place, 'open.' + job.id))) await new Promise((resolve) => setTimeout(resolve, 5))
  note(job, 'ended')
}\n`,
  'die.js': `${effect}export default (payload, job) => { note(job, 'began'); process.kill(process.pid, 'SIGKILL') }\n`,
}

/** A queue file with what runs on it. */
export interface Site {
  readonly folder: string
  readonly database: string
  readonly outputFolder: string
  /** A connection of the test's own. */
  readonly broker: SqliteBroker
  readonly queue: Queue
  /** All that its workers said. */
  readonly said: readonly LogEntry[]
  /** Makes a worker without starting it. */
  worker(options?: Partial<WorkerOptions>): Worker
  /** Starts a worker with one child, unless told otherwise. */
  start(options?: Partial<WorkerOptions>): Promise<Worker>
  /** Lets a job of `hold` or `stubborn` end. */
  open(id: number): void
  /** The lines that tasks noted: `id attempt what`. */
  effects(): string[]
  /** Resolves once a task has noted this for a job. */
  noted(id: number, what: string): Promise<void>
  job(id: number): Promise<Job>
  /** Resolves once the job is in this state. */
  reached(id: number, state: Job['state']): Promise<Job>
  events(id?: number): Promise<readonly JobqEvent[]>
}

/** Makes a site with the usual tasks and these; all of it is gone after the test. */
export const openSite = async (context: TestContext, tasks: Readonly<Record<string, string>> = {}): Promise<Site> => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jobq-worker-'))
  const database = path.join(folder, 'jobs.db')
  fs.mkdirSync(path.join(folder, 'tasks'))
  for (const [name, source] of Object.entries({ ...usualTasks, ...tasks })) {
    fs.writeFileSync(path.join(folder, 'tasks', name), source)
  }
  fs.writeFileSync(path.join(folder, 'effects'), '')
  const broker = SqliteBroker.open(database)
  const workers: Worker[] = []
  const said: LogEntry[] = []
  context.after(async () => {
    await Promise.all(workers.map((worker) => worker.stop({ cold: true })))
    await broker.close()
    fs.rmSync(folder, { recursive: true, force: true })
  })
  const worker: Site['worker'] = (options = {}) => {
    const made = createWorker({
      broker: database,
      tasks: [path.join(folder, 'tasks')],
      ...(options.autoscale === undefined ? { concurrency: 1 } : {}),
      env: process.env,
      log: (entry) => said.push(entry),
      killAfter: 200,
      ...options,
    })
    workers.push(made)
    return made
  }
  const effects = () => fs.readFileSync(path.join(folder, 'effects'), 'utf8').split('\n').slice(0, -1)
  const job = async (id: number): Promise<Job> => {
    const found = await broker.jobs.get(id, systemClock.now())
    if (found === null) throw new Error(`no job ${id}`)
    return found
  }
  return {
    folder,
    database,
    outputFolder: `${database}.logs`,
    broker,
    queue: new Queue(broker),
    said,
    worker,
    async start(options) {
      const made = worker(options)
      await made.start()
      return made
    },
    open: (id) => fs.writeFileSync(path.join(folder, `open.${id}`), ''),
    effects,
    noted: async (id, what) => {
      await until(`job ${id} to note ${what}`, () =>
        effects().some((line) => line.startsWith(`${id} `) && line.endsWith(` ${what}`)),
      )
    },
    job,
    reached: (id, state) =>
      until(`job ${id} to be ${state}`, async () => {
        const found = await job(id)
        return found.state === state && found
      }),
    events: async (id) =>
      (await broker.events.read({ after: 0, limit: 100_000, ...(id === undefined ? {} : { job: id }) })).events,
  }
}

/** A broker that does something of the test's before some of its calls; everything else goes to the real one. */
export const watched = <Method extends 'settle' | 'extend'>(
  broker: Broker,
  method: Method,
  before: (...parameters: Parameters<Broker[Method]>) => Promise<void>,
): Broker =>
  new Proxy(broker, {
    get: (target, name) => {
      if (name === method) {
        return async (...parameters: Parameters<Broker[Method]>) => {
          await before(...parameters)
          return Reflect.apply(target[method], target, parameters)
        }
      }
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
