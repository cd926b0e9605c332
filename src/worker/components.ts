import { type Step, stepsFor } from '../boot/step.ts'
import type { Broker } from '../broker/broker.ts'
import type { ClaimedJob } from '../job.ts'
import type { Pool } from '../pool/pool.ts'
import type { Autoscaler } from './autoscaler.ts'
import type { Cameras } from './cameras.ts'
import type { Consumers } from './consumers.ts'
import type { Control } from './control.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { Execution } from './execution.ts'
import type { HttpServer } from './http-server.ts'
import type { Leases } from './leases.ts'
import type { Exposition } from './metrics/exposition.ts'
import type { Presence } from './presence.ts'
import type { Pruner } from './pruner.ts'
import type { Reloader } from './reloader.ts'
import type { Service } from './service.ts'
import type { Sources } from './sources.ts'
import type { TaskTable } from './task-table.ts'
import type { Watcher } from './watcher.ts'

/** What each step of a worker gives to the others. */
export interface WorkerComponents {
  readonly broker: Broker
  readonly tasks: TaskTable
  readonly execution: Execution
  readonly presence: Presence
  readonly pool: Pool<ClaimedJob>
  readonly leases: Leases
  readonly dispatcher: Dispatcher
  readonly autoscaler: Autoscaler
  readonly pruner: Pruner
  readonly sources: Sources
  readonly reloader: Reloader
  readonly watcher: Watcher
  readonly consumers: Consumers
  readonly cameras: Cameras
  readonly control: Control
  readonly service: Service
  readonly metrics: Exposition
  readonly http: HttpServer
}

/** A step of a worker. */
export type WorkerStep = Step<WorkerComponents>

/** Writes a step of a worker, its requirements checked. */
export const workerStep = stepsFor<WorkerComponents>()
