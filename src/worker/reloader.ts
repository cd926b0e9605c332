/**
 * Reloads the tasks: fresh children load them beside the pool, and take over once all of them are ready. Where that
 * would lose a task to a mistake, or a child dies of it, all stays as it was and the mistake is told. A reload that is
 * asked for while another one loads makes that one begin anew, so what it loads is never older than the last request.
 */
import type { Broker } from '../broker/broker.ts'
import { JobqError } from '../errors.ts'
import type { ClaimedJob } from '../job.ts'
import { lostTasks } from '../pool/lost-tasks.ts'
import type { FreshChildren, Pool } from '../pool/pool.ts'
import { problemText, type TaskProblem, type TaskSummary } from '../pool/task-summary.ts'
import type { ResolvedOptions } from './options.ts'
import type { Sources } from './sources.ts'
import type { TaskTable } from './task-table.ts'

/** What came of a reload. */
export interface ReloadReport {
  /** False when the old code goes on working. */
  readonly loaded: boolean
  /** One line for people: what was loaded, or why nothing was. */
  readonly message: string
  /** What does not load; also beside a reload that went well, for files that were no task before. */
  readonly problems: readonly TaskProblem[]
}

/** What `Reloader` works with. */
export interface ReloaderParts {
  readonly broker: Broker
  readonly tasks: TaskTable
  readonly pool: Pool<ClaimedJob>
  readonly sources: Sources
  readonly options: ResolvedOptions
}

/** A bit longer than one task file may take. */
const loadingLimitMs = 65_000

const stopping: ReloadReport = {
  loaded: false,
  message: 'tasks not reloaded: the worker is stopping',
  problems: [],
}

/** Exchanges the code that the children run. */
export class Reloader {
  /** Called after each reload, however it went. */
  onEnd: () => void = () => {}
  readonly #of: ReloaderParts
  #reasons: string[] = []
  #again = false
  #loading = new AbortController()
  #running: Promise<ReloadReport> | null = null
  #last: (ReloadReport & { readonly at: number }) | null = null

  constructor(of: ReloaderParts) {
    this.#of = of
  }

  /** What came of the last reload; null before the first. */
  get last(): (ReloadReport & { readonly at: number }) | null {
    return this.#last
  }

  /** Loads the tasks as they are on the disk now and has fresh children take over; never rejects. `reason` is for people. */
  reload(reason: string): Promise<ReloadReport> {
    if (!this.#reasons.includes(reason)) this.#reasons.push(reason)
    this.#again = true
    this.#loading.abort()
    this.#running ??= this.#run()
    return this.#running
  }

  async #run(): Promise<ReloadReport> {
    const startedAt = performance.now()
    const before = this.#of.tasks.summaries
    let report: ReloadReport
    do {
      this.#again = false
      this.#loading = new AbortController()
      report = await this.#attempt()
    } while (this.#again)
    const reason = this.#reasons.join('; ')
    this.#reasons = []
    this.#running = null
    this.#tell(report, { reason, before, tookMs: Math.round(performance.now() - startedAt) })
    this.onEnd()
    return report
  }

  async #attempt(): Promise<ReloadReport> {
    const { pool, sources, tasks: table } = this.#of
    sources.begin()
    const late = AbortSignal.timeout(loadingLimitMs)
    let fresh: FreshChildren
    try {
      fresh = await pool.prepare(AbortSignal.any([this.#loading.signal, late]))
    } catch (error) {
      if (error instanceof JobqError && error.code === 'conflict') return stopping
      const why = late.aborted ? `they have not loaded within ${loadingLimitMs / 1_000} s` : wordsOf(error)
      return { loaded: false, message: `tasks not reloaded, the old code goes on working: ${why}`, problems: [] }
    }
    if (this.#loading.signal.aborted) {
      fresh.drop()
      return { loaded: false, message: 'begun anew', problems: [] }
    }
    const before = table.summaries
    const bad = fresh.found.find(({ problems }) => lostTasks(before, problems).length > 0)
    if (bad !== undefined) {
      fresh.drop()
      const lost = lostTasks(before, bad.problems).join(', ')
      const message = `tasks not reloaded, the old code of ${lost} goes on working`
      return { loaded: false, message, problems: bad.problems }
    }
    if (!fresh.takeOver()) return stopping
    const { tasks = [], problems = [] } = fresh.found[0] ?? {}
    const count = tasks.length === 1 ? '1 task' : `${tasks.length} tasks`
    return { loaded: true, message: `${count} reloaded`, problems }
  }

  #tell(report: ReloadReport, { reason, before, tookMs }: Circumstances): void {
    const { broker, options, tasks } = this.#of
    const at = options.clock.now().at
    this.#last = { ...report, at }
    const { loaded, problems, message } = report
    const old = before.map(({ name }) => name)
    const added = tasks.names.filter((name) => !old.includes(name))
    const removed = old.filter((name) => !tasks.names.includes(name))
    const data = { reason, loaded, tasks: tasks.names.length, added, removed, problems, tookMs }
    broker.events
      .append([{ type: 'tasks.reloaded', at, worker: options.name, data: loaded ? data : { ...data, message } }])
      .catch((error: unknown) => this.#log('debug', `logging tasks.reloaded: ${error}`))
    const more = [
      ...(added.length > 0 ? [`new: ${added.join(', ')}`] : []),
      ...(removed.length > 0 ? [`gone: ${removed.join(', ')}`] : []),
    ]
    if (loaded) this.#log('info', [`${message} in ${tookMs} ms (${reason})`, ...more].join('; '))
    else {
      const level = report === stopping ? 'info' : 'error'
      this.#log(level, [`${message} (${reason})`, ...problems.map(problemText)].join('\n'))
    }
  }

  #log(level: 'debug' | 'info' | 'error', message: string): void {
    const { options } = this.#of
    if (!options.logs(level)) return
    const at = options.clock.now().at
    for (const line of message.split('\n')) options.log({ level, at, type: 'tasks.reloaded', message: line })
  }
}

interface Circumstances {
  readonly reason: string
  readonly before: readonly TaskSummary[]
  readonly tookMs: number
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
