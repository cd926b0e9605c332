import { inOrder } from './order.ts'
import type { Step } from './step.ts'

/** A process that has been put together and is up. */
export interface Booted<Components extends object> {
  readonly components: Components
  /** The steps that run, in the order of their start. */
  readonly steps: readonly Step<Components>[]
  /** Every `drain`, then every `stop`, last started first. A step that throws is told to `onError` and stops no other. */
  stop(): Promise<void>
  /** What each step says of itself. */
  info(): Record<string, unknown>
}

/**
 * Starts the steps in the order of their requirements. If one fails, those that had started are
 * stopped as by `stop` and its error is thrown.
 * @throws Error before anything starts, if the steps do not fit together
 */
export const boot = async <Components extends object>(
  steps: readonly Step<Components>[],
  onError: (step: string, error: unknown) => void,
): Promise<Booted<Components>> => {
  const ordered = inOrder(steps.filter((step) => step.includeIf?.() ?? true))
  const components: Partial<Components> = {}
  const started: Step<Components>[] = []
  const component = (step: Step<Components>) => components[step.name] as Components[typeof step.name]
  const round = async (phase: 'drain' | 'stop'): Promise<void> => {
    for (const step of started.toReversed()) {
      try {
        await step[phase]?.(component(step))
      } catch (error) {
        onError(step.name, error)
      }
    }
  }
  const stop = async (): Promise<void> => {
    await round('drain')
    await round('stop')
  }
  try {
    for (const step of ordered) {
      components[step.name] = await step.start(components as Components)
      started.push(step)
    }
  } catch (error) {
    await stop()
    throw error
  }
  return {
    components: components as Components,
    steps: started,
    stop,
    info: () => Object.fromEntries(started.map((step) => [step.name, step.info?.(component(step)) ?? null])),
  }
}
