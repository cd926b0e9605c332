// A pool with real children on a folder of tasks written for the test, and a record of everything that it tells.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import type { Outcome } from '../../src/outcome.ts'
import { readOutput } from '../../src/output/output-reader.ts'
import { childProgram } from '../../src/pool/child-program.ts'
import { createPool } from '../../src/pool/forked-pool.ts'
import type { BurstEnd, ChildExit, Ended, Pool, PoolChild, PoolOptions, RunJob, TaskCall } from '../../src/pool/pool.ts'
import type { TaskProblem, TaskSummary } from '../../src/pool/task-summary.ts'

/** What a listener was told, in order. */
export type Told =
  | { readonly type: 'ready'; readonly tasks: readonly TaskSummary[]; readonly problems: readonly TaskProblem[] }
  | { readonly type: 'started'; readonly job: RunJob; readonly at: number; readonly pid: number }
  | ({ readonly type: 'ended' } & Ended<RunJob>)
  | ({ readonly type: 'succeeded'; readonly ids: readonly number[] } & BurstEnd<RunJob>)
  | { readonly type: 'progress'; readonly job: RunJob; readonly fraction: number; readonly text: string | null }
  | { readonly type: 'returned'; readonly ids: readonly number[] }
  | { readonly type: 'output'; readonly stream: string; readonly text: string }
  | ({ readonly type: 'exited' } & ChildExit<RunJob>)

type ToldAs<Type extends Told['type']> = Extract<Told, { type: Type }>

/** The pool under test. */
export interface PoolFixture {
  readonly folder: string
  readonly outputFolder: string
  readonly pool: Pool<RunJob>
  readonly told: readonly Told[]
  /** The first of this kind that matches, told already or yet to come. */
  until<Type extends Told['type']>(type: Type, matches?: (told: ToldAs<Type>) => boolean): Promise<ToldAs<Type>>
  /** The pool's first child. */
  child(): PoolChild<RunJob>
  /** Runs one job to its end on the first child. */
  outcomeOf(job: RunJob): Promise<Outcome>
  outputOf(job: RunJob, stream?: 'stdout' | 'stderr'): string
}

let lastId = 0

/** A job with a payload as JSON. */
export const jobOf = (task: string, payload: unknown = null, more: Partial<RunJob> = {}): RunJob => {
  const id = ++lastId
  const text = JSON.stringify(payload)
  const usual = { queue: 'default', attempt: 1, createdAt: 1_700_000_000_000, recovered: false }
  return { id, token: id * 10, task, payload: { serializer: 'json', text }, ...usual, ...more }
}

/** Makes a folder of task files, executable ones with a `#!` line, and a pool that has been started; all gone after the test. */
export const startPool = async (
  context: TestContext,
  files: Readonly<Record<string, string>>,
  more: Partial<PoolOptions<RunJob>> & {
    readonly size?: number
    /** Called whenever the listener was told something. */
    readonly watch?: () => void
    readonly answer?: (call: TaskCall<RunJob>) => Promise<unknown>
  } = {},
): Promise<PoolFixture> => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jobq-pool-'))
  const tasks = path.join(folder, 'tasks')
  for (const [name, content] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(tasks, name)), { recursive: true })
    fs.writeFileSync(path.join(tasks, name), content, { mode: content.startsWith('#!') ? 0o755 : 0o644 })
  }
  const { size = 1, answer, watch, ...options } = more
  const told: Told[] = []
  const waiting = new Set<() => void>()
  const tell = (...what: readonly Told[]) => {
    told.push(...what)
    watch?.()
    for (const look of [...waiting]) look()
  }
  const outputFolder = path.join(folder, 'jobs.db.logs')
  const pool = createPool<RunJob>({
    program: childProgram(),
    tasks: [tasks],
    env: process.env,
    outputFolder,
    brokerUrl: 'sqlite:/tmp/jobs.db',
    ...options,
    listener: {
      ready: (_child, found, problems) => tell({ type: 'ready', tasks: found, problems }),
      started: (_child, job, { at, pid }) => tell({ type: 'started', job, at, pid }),
      finished: (_child, ended) => tell(...ended.map((end) => ({ type: 'ended' as const, ...end }))),
      succeeded: (_child, ends) =>
        tell(
          ...ends.map((end) => {
            const ids = end.burst.columns.ids.slice(end.from, end.from + end.count)
            return { type: 'succeeded' as const, ids, ...end }
          }),
        ),
      progress: (_child, job, { fraction, text }) => tell({ type: 'progress', job, fraction, text }),
      returned: (_child, jobs) => tell({ type: 'returned', ids: jobs.map(({ id }) => id) }),
      call: (_child, call) => answer?.(call) ?? Promise.reject(new Error('nobody answers')),
      output: (_child, stream, text) => tell({ type: 'output', stream, text }),
      exited: (_child, exit) => tell({ type: 'exited', ...exit }),
    },
  })
  context.after(async () => {
    pool.kill()
    await pool.stop({ graceMs: 0 })
    fs.rmSync(folder, { recursive: true, force: true })
  })
  await pool.start(size)

  const until: PoolFixture['until'] = async (type, matches = () => true) => {
    const isIt = (each: Told): each is ToldAs<typeof type> => each.type === type && matches(each as ToldAs<typeof type>)
    for (;;) {
      const found = told.find(isIt)
      if (found) return found
      await new Promise<void>((resolve) => {
        const look = () => {
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
      })
    }
  }
  const child = () => {
    const [first] = pool.children
    assert.ok(first)
    return first
  }
  return {
    folder,
    outputFolder,
    pool,
    told,
    until,
    child,
    async outcomeOf(job) {
      child().run([job])
      return (await until('ended', (ended) => ended.job === job)).outcome
    },
    outputOf: ({ id, attempt }, stream) =>
      readOutput(outputFolder, id, { attempt, ...(stream ? { stream } : {}) })
        .map(({ data }) => data.toString('utf8'))
        .join(''),
  }
}

/** Resolves once no such process runs; one that nobody has collected yet does not count. */
export const untilGone = async (pid: number): Promise<void> => {
  while (runs(pid)) await new Promise((resolve) => setTimeout(resolve, 10))
}

const runs = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

/** Resolves once the file exists, and gives its content. */
export const untilFile = async (file: string): Promise<string> => {
  while (!fs.existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 10))
  return fs.readFileSync(file, 'utf8')
}
