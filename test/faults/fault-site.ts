/**
 * Where a fault run takes place: a queue file, workers and producers as real processes, and the evidence of what
 * they did. Every process carries a mark in its environment, so that the run can tell at its end that none is left.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { Running, type RunOptions, Workspace } from '../support/cli.ts'
import { type EvidenceFiles, evidenceFiles, noteAcknowledged, noteAsked } from '../support/evidence.ts'
import { childrenOf, commandLineOf, processesWith, signal, startOf } from '../support/processes.ts'
import { until } from '../support/until.ts'

/** The folder of the tasks that write down what they do. */
export const recordingTasks = path.join(import.meta.dirname, 'tasks')

/** What differs from a plain start: a program that starts the one under test, what it reads, and its environment. */
export type StartOptions = Pick<RunOptions, 'prefix' | 'input' | 'env'>

/** What one run needs. */
export class FaultSite {
  readonly workspace = new Workspace()
  readonly files: EvidenceFiles
  /** A variable that commands inherit from their worker as well, because its name is one of a locale's. */
  readonly mark = ['LC_FAULT_RUN', randomUUID()] as const
  /** Processes that the workers started with an environment of their own, each with when it started: pids come again. */
  readonly #unmarked = new Map<number, string | null>()
  #batches = 0

  private constructor(database?: string) {
    const { folder } = this.workspace
    this.files = evidenceFiles(database ?? this.workspace.database, folder)
  }

  get env(): Record<string, string> {
    return { [this.mark[0]]: this.mark[1], JOBQ_BROKER: this.files.database }
  }

  /** Starts the command line on the run's queue file. */
  start(parameters: readonly string[], options: StartOptions = {}): Running {
    return this.workspace.start(parameters, { ...options, env: { ...this.env, ...options.env } })
  }

  /** Starts a worker on the recording tasks and waits until it is online. */
  async startWorker(parameters: readonly string[] = ['-c', '2'], options: StartOptions = {}): Promise<Running> {
    return this.online(this.start(['run', '-t', recordingTasks, ...parameters], options))
  }

  /** Waits until a worker is online. */
  async online(worker: Running): Promise<Running> {
    await worker.until('is online')
    const marked = this.processes()
    for (const pid of childrenOf(worker.child.pid ?? 0))
      if (!marked.includes(pid)) this.#unmarked.set(pid, startOf(pid))
    return worker
  }

  /** Stops a worker in order; it must end well. */
  async stopWorker(worker: Running): Promise<void> {
    worker.child.kill('SIGTERM')
    const { code, stderr } = await worker.ended
    assert.equal(code, 0, stderr)
  }

  /** Runs `jobq enqueue` for one job that is known as `key`, and keeps the books. Answers its id, or null if it was not told one. */
  async enqueue(key: string, parameters: readonly string[]): Promise<number | null> {
    const { batch, running } = this.beginEnqueue(key, parameters)
    return this.endEnqueue(batch, running)
  }

  /** The first half of `enqueue`: it runs. */
  beginEnqueue(
    key: string,
    parameters: readonly string[],
    options: StartOptions = {},
  ): { readonly batch: string; readonly running: Running } {
    const batch = `cli-${++this.#batches}`
    noteAsked(this.files, batch, [key])
    return { batch, running: this.start(['enqueue', ...parameters], options) }
  }

  /** The second half of `enqueue`: it has ended. */
  async endEnqueue(batch: string, running: Running): Promise<number | null> {
    const { code, stdout } = await running.ended
    if (code !== 0) return null
    const id = Number(stdout)
    noteAcknowledged(this.files, batch, [id])
    return id
  }

  /** The parameters of `jobq enqueue` for a recording task. */
  order(key: string, ms: number, more: Record<string, unknown> = {}): string[] {
    return ['record', JSON.stringify({ key, file: this.files.effects, ms, ...more })]
  }

  /** The parameters of `jobq enqueue` for a command that writes down what it does. */
  command(key: string, seconds: number): string[] {
    const note = (phase: string): string =>
      `echo "{\\"job\\":$JOBQ_JOB_ID,\\"attempt\\":$JOBQ_ATTEMPT,\\"token\\":$JOBQ_LEASE,\\"key\\":\\"$1\\",\\"phase\\":\\"${phase}\\"}" >>"$2"`
    const script = `${note('begin')}; sleep ${seconds}; ${note('end')}`
    return ['--name', key, '--', 'sh', '-c', script, 'sh', key, this.files.effects]
  }

  /** Adds jobs by `jobq enqueue --batch`, given as its lines; it must succeed. */
  async enqueueBatch(keys: readonly string[], lines: readonly string[]): Promise<void> {
    const batch = `cli-${++this.#batches}`
    noteAsked(this.files, batch, keys)
    const ids = await this.workspace.output(['enqueue', '--batch'], { env: this.env, input: lines.join('\n') })
    noteAcknowledged(this.files, batch, ids.trim().split('\n').map(Number))
  }

  /** Starts a script of the tests. */
  startScript(name: string, ...parameters: readonly string[]): Running {
    const script = path.join(import.meta.dirname, name)
    const env = { PATH: process.env.PATH, ...this.env }
    return new Running(spawn(process.execPath, [script, ...parameters], { env, stdio: ['pipe', 'pipe', 'pipe'] }))
  }

  /** Starts a producer, a process that adds jobs until its stdin ends. */
  startProducer(name: string, seed: string): Running {
    return this.startScript('producer.ts', this.files.database, this.files.effects, name, seed)
  }

  /** Rows of a query on the queue file. */
  rows<Row>(sql: string, ...parameters: readonly unknown[]): Row[] {
    const database = new Database(this.files.database, { readonly: true })
    try {
      return database.prepare<unknown[], Row>(sql).all(...parameters)
    } finally {
      database.close()
    }
  }

  /** The first column of the first row. */
  value<T>(sql: string, ...parameters: readonly unknown[]): T | undefined {
    const [row] = this.rows<Record<string, T>>(sql, ...parameters)
    return row === undefined ? undefined : Object.values(row)[0]
  }

  /** Waits until no job is left to do. */
  async drained(timeoutMs = 120_000): Promise<void> {
    const unfinished = `SELECT count(*) FROM job_view WHERE state IN ('blocked', 'queued', 'running')`
    await until('the queue to drain', () => this.value<number>(unfinished) === 0, timeoutMs)
  }

  /** The processes of the run that live. */
  processes(): number[] {
    return processesWith(this.mark.join('='))
  }

  /** Waits until no process of the run is left; answers what those are that do not go, having killed them. */
  async #leftBehind(patienceMs: number): Promise<string[]> {
    const left = (): number[] => {
      const unmarked = [...this.#unmarked].filter(([pid, start]) => start !== null && startOf(pid) === start)
      return [...this.processes(), ...unmarked.map(([pid]) => pid)]
    }
    const end = performance.now() + patienceMs
    while (left().length > 0 && performance.now() < end) await sleep(5)
    const remaining = left()
    const what = remaining.map((pid) => `${pid} ${commandLineOf(pid)}`)
    for (const pid of remaining) signal(pid, 'SIGKILL')
    await until('killed processes to be gone', () => left().length === 0)
    return what
  }

  /** Does a run from its beginning to its end: nothing of it is left, and a run that succeeds leaves no process to be killed. */
  static async use(act: (site: FaultSite) => Promise<void>, database?: string): Promise<void> {
    const site = new FaultSite(database)
    try {
      await act(site)
      assert.deepEqual(await site.#leftBehind(10_000), [], 'no process is left behind')
    } finally {
      await site.#leftBehind(0)
      await site.workspace.remove()
    }
  }
}
