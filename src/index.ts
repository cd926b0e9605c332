/** The library: everything that `import … from 'jobq'` gives. */
export type * from './broker/broker.ts'
export type { WaitOptions } from './client/await-job.ts'
export type { BrokerState } from './client/broker-state.ts'
export type { ConnectTarget } from './client/connect-target.ts'
export type { ControlAnswer, ControlOptions } from './client/control.ts'
export type { EventOptions } from './client/event-stream.ts'
export type { ListOptions } from './client/list-options.ts'
export type { WorkerJson } from './client/worker-json.ts'
export { type ConnectOptions, connect, Queue } from './client.ts'
export { type Clock, type Moment, systemClock } from './clock.ts'
export { type Config, defineConfig, type TaskSettings } from './config.ts'
export type { ControlCommand, ControlVerb } from './control/command.ts'
export type { ControlResult, StepDump, WorkerDump } from './control/result.ts'
export {
  Cancel,
  Cancelled,
  type ErrorCode,
  Fail,
  JobqError,
  ShuttingDown,
  Snooze,
  SoftTimeLimitExceeded,
} from './errors.ts'
export { type EventsPruned, type EventType, eventTypes, type JobqEvent, type NewEvent } from './event.ts'
export {
  type ClaimedJob,
  type Enqueued,
  isFinished,
  type Job,
  type JobError,
  type JobState,
  jobStates,
  type Lease,
  type NewJob,
  type Payload,
  type PayloadOwner,
  type PayloadReader,
  type Progress,
  type RunOptions,
  type TaskDefaults,
} from './job.ts'
export type { CommandOptions, JobOptions } from './job-options.ts'
export type { CommandItem, JobItem, ShellItem, TaskItem } from './new-job.ts'
export type { Transition } from './outcome.ts'
export type { Rate } from './rate.ts'
export type { StartRate } from './start-rate.ts'
export {
  defineTask,
  type JobContext,
  type PayloadSchema,
  type RunTask,
  type TaskDefinition,
  type TaskLifecycle,
  type TaskOptions,
} from './task.ts'
export type { AutoscalerRule, AutoscalerState, PoolLoad } from './worker/autoscale-rule.ts'
export type { Camera, Shutter } from './worker/camera-settings.ts'
export type { ConsumedEvent, Consumer, EventHandler, Webhook } from './worker/consumer-settings.ts'
export {
  type Dependencies,
  defineStep,
  type StepDefinition,
  type StepOption,
  type StepOptionValues,
  type StepValues,
  type UserStep,
} from './worker/define-step.ts'
export type {
  JobEnd,
  JobStart,
  StepDependencies,
  WorkerExecution,
  WorkerPool,
  WorkerPresence,
  WorkerTasks,
} from './worker/step-dependencies.ts'
export {
  createWorker,
  type LogEntry,
  type LogLevel,
  type ReloadReport,
  type StepState,
  type StepStatus,
  type StopOptions,
  type Worker,
  type WorkerEnd,
  type WorkerOptions,
} from './worker/worker.ts'
