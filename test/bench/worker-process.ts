import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from '../../src/client.ts'
import { startActor } from './actor.ts'
import { binary } from './binary.ts'
import type { Place } from './place.ts'

/** Which worker to start. */
export interface WorkerPlan {
  /** The queue file, which must be there. */
  readonly file: string
  /** `library`: an application with `createWorker`; `binary`: `jobq run`, its log going to a file. */
  readonly kind: 'library' | 'binary'
  readonly children: number
  /** Default all. */
  readonly queues?: readonly string[]
  /** Further options of `jobq run`. */
  readonly options?: readonly string[]
}

/** A worker in a process of its own, with all of its children ready. */
export interface WorkerProcess {
  readonly pid: number
  /** The children's processes. */
  readonly children: readonly number[]
  /** Resolves once its process is gone, however it went. */
  readonly ended: Promise<void>
  /** Ends it, what runs being finished. */
  stop(): Promise<void>
}

const tasks = path.join(import.meta.dirname, 'tasks')
const lookEveryMs = 5

/** Starts a worker with the tasks of the bench and waits until its children are ready. */
export const startWorker = async (place: Place, plan: WorkerPlan): Promise<WorkerProcess> => {
  const worker = plan.kind === 'library' ? await startLibraryWorker(place, plan) : startBinaryWorker(place, plan)
  const pid = worker.child.pid ?? 0
  const ended = once(worker.child, 'exit').then(() => undefined)
  const children = await childrenReady(plan, worker.child)
  return { pid, children, ended, stop: worker.stop }
}

interface Started {
  readonly child: ChildProcess
  readonly stop: () => Promise<void>
}

const startLibraryWorker = async (place: Place, { file, children, queues }: WorkerPlan): Promise<Started> => {
  const options = { broker: file, tasks: [tasks], concurrency: children, queues: queues ?? null }
  const { child, act } = await startActor<null>(place, 'worker', options)
  return { child, stop: async () => void (await act()) }
}

const startBinaryWorker = (place: Place, { file, children, queues, options = [] }: WorkerPlan): Started => {
  const log = fs.openSync(place.newFile('worker.log'), 'a')
  const queueOption = queues === undefined ? [] : ['-q', queues.join(',')]
  const parameters = ['run', '-c', String(children), '-t', tasks, ...queueOption, ...options]
  const child = place.own(
    spawn(binary(), parameters, { cwd: place.folder, env: place.environment(file), stdio: ['ignore', 'ignore', log] }),
  )
  fs.closeSync(log)
  return {
    child,
    async stop() {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    },
  }
}

const childrenReady = async ({ file, children }: WorkerPlan, worker: ChildProcess): Promise<number[]> => {
  const queue = await connect(file, { readonly: true })
  try {
    for (;;) {
      const record = (await queue.broker.workers.list()).find(({ process }) => process.pid === worker.pid)
      if (record?.children.length === children) return record.children.map(({ pid }) => pid)
      if (worker.exitCode !== null || worker.signalCode !== null)
        throw new Error('the worker ended before it was ready')
      await sleep(lookEveryMs)
    }
  } finally {
    await queue.close()
  }
}
