/** What booting knows of a step; `Step` is the same with its types. */
export interface AnyStep {
  readonly name: string
  /** The name under which others require what it gives; default its own. */
  readonly provides?: string
  /** Names of the components that must be there before. */
  readonly requires: readonly string[]
  /** Names of components that must not be begun before this step has started. */
  readonly before?: readonly string[]
  includeIf?(): boolean
  start(components: object): unknown
  drain?(component: unknown): unknown
  stop?(component: unknown): unknown
  info?(component: unknown): unknown
}

/**
 * One part of a process that is built from parts. `Components` names what each part gives to the others;
 * a step is handed exactly those it requires, and gives the component of its own name.
 */
export interface Step<Components extends object, Name extends keyof Components & string = keyof Components & string>
  extends AnyStep {
  readonly name: Name
  readonly requires: readonly (keyof Components & string)[]
  /** False leaves the step out; one that another requires is then an error. */
  includeIf?(): boolean
  /** Starts the part and gives what others use of it. What it has begun when it throws it must end itself. */
  start(components: Components): Components[Name] | Promise<Components[Name]>
  /** First round of a stop: take nothing new, finish what is begun. */
  drain?(component: Components[Name]): void | Promise<void>
  /** Second round of a stop: let go of everything. */
  stop?(component: Components[Name]): void | Promise<void>
  /** What it does now, for people. */
  info?(component: Components[Name]): unknown
}

/**
 * Writes a step with its requirements checked: `start` sees only what `requires` names.
 * `stepsFor<Components>()` gives the function, because TypeScript infers either all type parameters or none.
 */
export const stepsFor =
  <Components extends object>() =>
  <Name extends keyof Components & string, const Required extends readonly (keyof Components & string)[]>(
    step: Omit<Step<Components, Name>, 'requires' | 'start'> & {
      readonly requires: Required
      start(components: Pick<Components, Required[number]>): Components[Name] | Promise<Components[Name]>
    },
  ): Step<Components, Name> =>
    step
