/**
 * The worker is its steps: this list is the whole of its start-up, and the reverse of it the whole of its stop.
 *
 * broker ← tasks ← execution ← pool ← dispatcher: jobs flow from the broker to the children and back.
 * presence, leases and pruner look after what the flow leaves behind.
 */

import { once } from 'node:events'
import os from 'node:os'
import path from 'node:path'
import type { Broker } from '../broker/broker.ts'
import { openBroker } from '../broker/open.ts'
import type { ClaimedJob } from '../job.ts'
import { createPool } from '../pool/forked-pool.ts'
import type { Pool } from '../pool/pool.ts'
import { type WorkerStep, workerStep } from './components.ts'
import { DiskSpace } from './disk-space.ts'
import { Dispatcher } from './dispatcher.ts'
import { Execution } from './execution.ts'
import { Leases } from './leases.ts'
import type { ResolvedOptions } from './options.ts'
import { PoolReports } from './pool-reports.ts'
import { Presence } from './presence.ts'
import { Pruner } from './pruner.ts'
import { TaskTable } from './task-table.ts'

/** How long a stop tries to report what is left, in milliseconds. */
const lastReportsMs = 10_000

/** What the worker itself wants to hear from its steps. */
export interface WorkerHooks {
  readonly onIdle: (broker: Broker) => void
  readonly onBroken: (error: unknown) => void
  /** Aborted when the worker is to stop, be it while it starts. */
  readonly stopping: AbortSignal
  /** How long a stop waits for running jobs, read when it begins. */
  readonly graceMs: () => number
  /** True when a stop waits for nothing. */
  readonly cold: () => boolean
}

/** Where the output of this worker's jobs is kept. */
export const outputFolderOf = (broker: Broker, options: ResolvedOptions): string => {
  if (options.outputFolder !== null) return options.outputFolder
  if (broker.url.startsWith('sqlite:')) return `${broker.url.slice('sqlite:'.length)}.logs`
  return path.join(os.tmpdir(), `jobq-${process.pid}.logs`)
}

const aborted = async (signal: AbortSignal): Promise<void> => {
  if (!signal.aborted) await once(signal, 'abort')
}

const poolInfo = (pool: Pool<ClaimedJob>): unknown => ({ size: pool.size, children: pool.status() })

/** The built-in steps of a worker. */
export const workerSteps = (options: ResolvedOptions, hooks: WorkerHooks): WorkerStep[] => [
  workerStep({
    name: 'broker',
    requires: [],
    start: () => (typeof options.broker === 'string' ? openBroker(options.broker) : options.broker),
    stop: (broker) => (typeof options.broker === 'string' ? broker.close() : undefined),
    info: (broker) => ({ url: broker.url }),
  }),
  workerStep({
    name: 'tasks',
    requires: ['broker'],
    start: ({ broker }) => new TaskTable(broker, options.config),
    info: (tasks) => ({ names: tasks.names, problems: tasks.problems }),
  }),
  workerStep({
    name: 'execution',
    requires: ['tasks'],
    start: ({ tasks }) => new Execution({ tasks, clock: options.clock, log: options.log, logs: options.logs }),
    info: (execution) => ({ inHand: execution.size, processed: execution.processed }),
  }),
  workerStep({
    name: 'presence',
    requires: ['broker'],
    start: async ({ broker }) => {
      const presence = new Presence(broker, options)
      await presence.join()
      return presence
    },
    stop: (presence) => presence.leave(),
    info: (presence) => ({ session: presence.session }),
  }),
  workerStep({
    name: 'pool',
    requires: ['broker', 'tasks', 'execution'],
    start: async ({ broker, tasks, execution }) => {
      const { maxOutput, maxResult } = options.config
      const pool = createPool({
        program: options.program,
        listener: new PoolReports({ broker, tasks, execution, options }),
        tasks: options.tasks,
        env: options.env,
        outputFolder: outputFolderOf(broker, options),
        ...(maxOutput === undefined ? {} : { maxOutputBytes: maxOutput }),
        ...(maxResult === undefined ? {} : { maxResultBytes: maxResult }),
        killAfterMs: options.killAfterMs,
        brokerUrl: broker.url,
      })
      // Tasks may take their time to load; a stop does not wait for them.
      await Promise.race([pool.start(options.concurrency), aborted(hooks.stopping)])
      return pool
    },
    drain: (pool) => {
      if (hooks.cold()) pool.kill()
      return pool.stop({ graceMs: hooks.graceMs() })
    },
    stop: (pool) => pool.kill(),
    info: poolInfo,
  }),
  workerStep({
    name: 'leases',
    requires: ['broker', 'execution'],
    start: async ({ broker, execution }) => {
      const leases = new Leases(broker, execution, options)
      await leases.start()
      return leases
    },
    stop: (leases) => leases.stop(),
  }),
  workerStep({
    name: 'dispatcher',
    requires: ['broker', 'execution', 'pool', 'presence', 'leases'],
    start: ({ broker, execution, pool, presence, leases }) => {
      const { session } = presence
      const { onBroken } = hooks
      const onIdle = () => hooks.onIdle(broker)
      const { clock, log, logs } = options
      const space = new DiskSpace(outputFolderOf(broker, options), (level, message) => {
        if (logs(level)) log({ level, at: clock.now().at, type: 'worker.notice', message })
      })
      const dispatcher = new Dispatcher({
        broker,
        execution,
        pool,
        session,
        options,
        onIdle,
        onBroken,
        space,
        beforeClaim: leases.catchUp,
        onRing: leases.checkSoon,
        onLost: leases.check,
      })
      presence.show(() => ({
        status: 'online',
        size: pool.size,
        busy: pool.children.filter((child) => child.state === 'busy').length,
        processed: execution.processed,
        children: pool.status(),
      }))
      dispatcher.start()
      return dispatcher
    },
    drain: (dispatcher) => dispatcher.drain(),
    stop: (dispatcher) => dispatcher.stop(lastReportsMs),
  }),
  workerStep({
    name: 'pruner',
    requires: ['broker'],
    start: ({ broker }) => {
      const pruner = new Pruner(broker, options, outputFolderOf(broker, options))
      pruner.start()
      return pruner
    },
    stop: (pruner) => pruner.stop(),
  }),
]
