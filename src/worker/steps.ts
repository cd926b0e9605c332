/**
 * The worker is its steps: this list is the whole of its start-up, and the reverse of it the whole of its stop.
 *
 * broker ← tasks ← execution ← pool ← dispatcher: jobs flow from the broker to the children and back.
 * autoscaler fits the number of children to that flow.
 * reloader exchanges the code of the tasks, watcher tells it when, sources knows the files.
 * presence, leases and pruner look after what the flow leaves behind.
 * metrics counts what happens, http answers how the worker is: from before the first job until after the last.
 * consumers are told of what happens, cameras take pictures of how things stand.
 * control listens to what people want, service tells whoever supervises the process.
 */
import type { WorkerStep } from './components.ts'
import type { WorkerHooks } from './hooks.ts'
import type { ResolvedOptions } from './options.ts'
import { autoscalerStep } from './steps/autoscaler.ts'
import { brokerStep } from './steps/broker.ts'
import { camerasStep } from './steps/cameras.ts'
import { consumersStep } from './steps/consumers.ts'
import { controlStep } from './steps/control.ts'
import { dispatcherStep } from './steps/dispatcher.ts'
import { executionStep } from './steps/execution.ts'
import { httpStep } from './steps/http.ts'
import { leasesStep } from './steps/leases.ts'
import { metricsStep } from './steps/metrics.ts'
import { poolStep } from './steps/pool.ts'
import { presenceStep } from './steps/presence.ts'
import { prunerStep } from './steps/pruner.ts'
import { reloaderStep } from './steps/reloader.ts'
import { serviceStep } from './steps/service.ts'
import { sourcesStep } from './steps/sources.ts'
import { tasksStep } from './steps/tasks.ts'
import { watcherStep } from './steps/watcher.ts'

/** The built-in steps of a worker. */
export const workerSteps = (options: ResolvedOptions, hooks: WorkerHooks): WorkerStep[] => [
  brokerStep(options),
  metricsStep(options, hooks),
  httpStep(options, hooks),
  tasksStep(options),
  sourcesStep(options),
  executionStep(options, hooks),
  presenceStep(options),
  consumersStep(options, hooks),
  camerasStep(options),
  poolStep(options, hooks),
  leasesStep(options),
  dispatcherStep(options, hooks),
  autoscalerStep(options),
  reloaderStep(options),
  watcherStep(options),
  prunerStep(options),
  controlStep(options, hooks),
  serviceStep(options),
]
