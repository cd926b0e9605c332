import { componentOf } from '../boot/order.ts'
import { type Plan, planSteps } from '../boot/plan.ts'
import { maxTimerMs } from '../clock.ts'
import { JobqError } from '../errors.ts'
import { checkShape } from './component-shape.ts'
import { withRequired } from './define-step.ts'
import type { WorkerHooks } from './hooks.ts'
import { JobHooks } from './job-hooks.ts'
import { Meter } from './metrics/meter.ts'
import type { ResolvedOptions } from './options.ts'
import { ownSteps } from './own-steps.ts'
import { workerSteps } from './steps.ts'
import { viewOf } from './views.ts'

/** What the worker gives beside what its steps make of themselves. */
export interface WorkerSide extends Omit<WorkerHooks, 'jobHooks' | 'meter' | 'shared'> {
  /** Told what a step has done wrong. */
  readonly onStepError: (step: string, error: unknown) => void
}

/**
 * The steps of a worker: the built-in ones, with the user's added or in their place, and without those that are left out.
 * @throws JobqError `usage` naming the steps that do not fit together, or an option that none of them carries out
 */
export const planWorker = (options: ResolvedOptions, side: WorkerSide): Plan => {
  const { steps = [], without = [] } = options.config
  const hears = withRequired(steps).some(
    ({ onJobStart, onJobEnd }) => onJobStart !== undefined || onJobEnd !== undefined,
  )
  const hooks = hears ? new JobHooks(side.onStepError) : null
  const meter = options.config.http === undefined && options.config.metrics === undefined ? null : new Meter()
  const shared: Record<string, unknown> = {}
  const plan = planSteps({
    builtIn: workerSteps(options, { ...side, jobHooks: hooks, meter, shared }),
    own: ownSteps(steps, {
      values: options.stepOptions,
      view: viewOf(options),
      hooks,
      check: checkShape,
      share: (component, value) => {
        shared[component] = value
      },
      stopping: side.stopping,
      cut: side.cut,
      graceMs: () => Math.min(side.graceMs(), maxTimerMs),
    }),
    without,
  })
  if (options.autoscale !== null) refuseWithout(plan, 'autoscaler', 'autoscale')
  if (options.watch !== null) refuseWithout(plan, 'watcher', 'watch')
  return plan
}

const refuseWithout = ({ steps, leftOut }: Plan, component: string, option: string): void => {
  if (steps.some((step) => componentOf(step) === component)) return
  const [, reason = 'it is not there'] = [...leftOut].find(([step]) => componentOf(step) === component) ?? []
  throw new JobqError('usage', `${option}: nothing can do that without the step '${component}': ${reason}`)
}
