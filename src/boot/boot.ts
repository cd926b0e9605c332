/**
 * Starts what a plan says, and stops it in reverse. A boot is made before anything happens, and can be asked at any
 * time in which state each of its steps is.
 */
import { componentOf } from './order.ts'
import type { Plan } from './plan.ts'
import type { AnyStep } from './step.ts'

/** Where a step is; `failed` is one whose start threw. */
export type StepState =
  | 'left out'
  | 'planned'
  | 'starting'
  | 'started'
  | 'failed'
  | 'draining'
  | 'drained'
  | 'stopping'
  | 'stopped'

/** A step as people see it. */
export interface StepStatus {
  readonly name: string
  readonly provides: string
  readonly requires: readonly string[]
  readonly before: readonly string[]
  readonly origin: 'built-in' | 'user'
  readonly state: StepState
  /** Why it is left out, or what its start, drain or stop threw last; else null. */
  readonly reason: string | null
}

/** A process that is put together by its steps, once. */
export class Boot<Components extends object> {
  readonly #plan: Plan
  readonly #onError: (step: string, error: unknown) => void
  readonly #components: Record<string, unknown> = {}
  readonly #started: AnyStep[] = []
  readonly #states = new Map<AnyStep, StepState>()
  readonly #reasons = new Map<AnyStep, string>()

  /** A step that throws while it stops is told to `onError` and stops no other. */
  constructor(plan: Plan, onError: (step: string, error: unknown) => void) {
    this.#plan = plan
    this.#onError = onError
    for (const [step, reason] of plan.leftOut) this.#reasons.set(step, reason)
  }

  /** Every step in the order of its start, then those that are left out. */
  get steps(): StepStatus[] {
    return [...this.#plan.steps, ...this.#plan.leftOut.keys()].map((step) => ({
      name: step.name,
      provides: componentOf(step),
      requires: step.requires,
      before: step.before ?? [],
      origin: this.#plan.own.has(step) ? 'user' : 'built-in',
      state: this.#states.get(step) ?? (this.#plan.leftOut.has(step) ? 'left out' : 'planned'),
      reason: this.#reasons.get(step) ?? null,
    }))
  }

  /**
   * Starts the steps in their order. If one fails, those that had started are stopped as by `stop` and its error is thrown.
   */
  async start(): Promise<Components> {
    for (const step of this.#plan.steps) {
      this.#states.set(step, 'starting')
      try {
        this.#components[componentOf(step)] = await step.start(this.#required(step))
      } catch (error) {
        this.#states.set(step, 'failed')
        this.#reasons.set(step, textOf(error))
        await this.stop()
        throw error
      }
      this.#states.set(step, 'started')
      this.#started.push(step)
    }
    return this.#components as Components
  }

  /** What the started built-in steps give: what a user's step gives in their place has another shape. */
  get builtIn(): Partial<Components> {
    const steps = this.#started.filter((step) => !this.#plan.own.has(step)).map(componentOf)
    return Object.fromEntries(steps.map((component) => [component, this.#components[component]])) as Partial<Components>
  }

  /** Every `drain`, then every `stop`, last started first. */
  async stop(): Promise<void> {
    await this.#round('drain', 'draining', 'drained')
    await this.#round('stop', 'stopping', 'stopped')
  }

  /** What each started step says of itself. */
  info(): Record<string, unknown> {
    return Object.fromEntries(this.#started.map((step) => [step.name, this.#infoOf(step)]))
  }

  async #round(phase: 'drain' | 'stop', during: StepState, after: StepState): Promise<void> {
    for (const step of this.#started.toReversed()) {
      this.#states.set(step, during)
      try {
        // What is done at once holds up nothing: the next step is told in the same turn.
        const doing = step[phase]?.(this.#components[componentOf(step)])
        if (doing !== undefined) await doing
      } catch (error) {
        this.#reasons.set(step, textOf(error))
        this.#onError(step.name, error)
      }
      this.#states.set(step, after)
    }
  }

  #required({ requires }: AnyStep): object {
    return Object.fromEntries(requires.map((component) => [component, this.#components[component]]))
  }

  #infoOf(step: AnyStep): unknown {
    try {
      return step.info?.(this.#components[componentOf(step)]) ?? null
    } catch (error) {
      return { error: textOf(error) }
    }
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
