/**
 * `defineStep`, with which people write a step of their own for the worker, and the types that carry what a step
 * gives to those that require it. A step is told by its brand, not by `instanceof`, because it may have been made by
 * another copy of the library than the one that runs it.
 */
import { JobqError } from '../errors.ts'
import { checkName } from '../name.ts'
import { quote } from '../quote.ts'
import type { JobEnd, JobStart, StepDependencies } from './step-dependencies.ts'

/** An option that a step adds to `jobq run`; also read from `JOBQ_<LONG_NAME>`. */
export interface StepOption {
  /** `--long <value>`, `-s, --long <value>`, or without a value for a switch. */
  readonly flags: string
  readonly description: string
  /** Its value when it is not given; a number here makes it a number. Not for a switch, which is false. */
  readonly default?: string | number
  /** Reads the text; what it throws refuses the value. */
  parse?(text: string): unknown
}

type StepOptions = Readonly<Record<string, StepOption>>
type Widened<T> = T extends number ? number : T extends string ? string : T
type DefaultOf<O> = O extends { readonly default: infer D } ? Widened<D> : undefined
type ValueOf<O extends StepOption> = O extends { parse(text: string): infer T }
  ? T | DefaultOf<O>
  : O['flags'] extends `${string}<${string}`
    ? O extends { readonly default: infer D }
      ? Widened<D>
      : string | undefined
    : boolean

/** The values of a step's options. */
export type StepValues<Options extends StepOptions> = { readonly [Key in keyof Options]: ValueOf<Options[Key]> }

/** The values of the options of steps, by the step's name and the option's key. */
export type StepOptionValues = Readonly<Record<string, Readonly<Record<string, unknown>>>>

const brand = Symbol.for('jobq.step')

/** A step as `defineStep` makes it. `Provides` is what others require it by, `Component` what it gives them. */
export interface UserStep<Provides extends string = string, Component = unknown> {
  readonly [brand]: true
  readonly name: string
  readonly provides: Provides
  readonly requires: readonly (string | UserStep)[]
  readonly before: readonly string[]
  readonly options: StepOptions
  includeIf?(options: object): boolean
  start(dependencies: object, options: object): Component | Promise<Component>
  drain?(component: Component): unknown
  stop?(component: Component): unknown
  info?(component: Component): unknown
  share?(component: Component): unknown
  onJobStart?(job: JobStart, component: Component): unknown
  onJobEnd?(job: JobEnd, component: Component): unknown
}

type ComponentName<Required> = Required extends UserStep<infer Provides> ? Provides : Required & string
type ComponentOf<Required> =
  Required extends UserStep<string, infer Component>
    ? Component
    : Required extends keyof StepDependencies
      ? StepDependencies[Required]
      : unknown

/** What `start` is handed: exactly what is required, by name. */
export type Dependencies<Requires extends readonly (string | UserStep)[]> = {
  readonly [Required in Requires[number] as ComponentName<Required>]: ComponentOf<Required>
}

/** What `defineStep` takes. */
export interface StepDefinition<
  Name extends string,
  Component,
  Requires extends readonly (string | UserStep)[],
  Options extends StepOptions,
  Provides extends string = Name,
> {
  /** The name of a built-in step puts this one in its place. */
  readonly name: Name
  /** What others require it by; default its name. */
  readonly provides?: Provides
  /** Names of built-in steps or of the user's, or steps themselves, which then need not be listed in `steps`. */
  readonly requires?: Requires
  /** Names of what must not start before this has. */
  readonly before?: readonly string[]
  /** Options that it adds to `jobq run`, by the key under which `start` finds their values. */
  readonly options?: Options & StepOptions
  /** False leaves it out; that another requires it is then an error. Asked once, before anything starts. */
  includeIf?(options: StepValues<Options>): boolean
  /** Starts the part and gives what others use of it. What it has begun when it throws it must end itself. */
  start(dependencies: Dependencies<Requires>, options: StepValues<Options>): Component | Promise<Component>
  /** First round of a stop, in reverse of the start: take nothing new, finish what is begun. At most `--grace` is waited for it. */
  drain?(component: Component): unknown
  /** Second round of a stop, in reverse of the start: let go of everything. At most 5 s are waited for it. */
  stop?(component: Component): unknown
  /** What it does now, for people; must be quick. */
  info?(component: Component): unknown
  /** Something that JSON can hold, for the tasks: `job.shared` has it under the name of the component. The children start after it, so it cannot require the pool. */
  share?(component: Component): unknown
  /** In the worker, when a run has begun; one that is over at once is told with its end. No job is claimed before this step has started, so it cannot require the dispatcher. */
  onJobStart?(job: JobStart, component: Component): unknown
  /** In the worker, when a run has ended, a moment before that is on the disk. */
  onJobEnd?(job: JobEnd, component: Component): unknown
}

/**
 * Defines a step of the worker, for `steps` in the configuration.
 * @throws JobqError `usage` naming what is wrong with it
 */
export function defineStep<
  const Name extends string,
  Component,
  const Requires extends readonly (string | UserStep)[] = readonly [],
  const Options extends StepOptions = Readonly<Record<never, StepOption>>,
  const Provides extends string = Name,
>(definition: StepDefinition<Name, Component, Requires, Options, Provides>): UserStep<Provides, Component>
export function defineStep(
  definition: StepDefinition<string, unknown, readonly (string | UserStep)[], StepOptions>,
): object {
  const name = checkName('step', definition.name)
  const unknown = Object.keys(definition).find((key) => !known.includes(key))
  if (unknown !== undefined) throw wrong(name, `it has an unknown ${quote(unknown)}; known: ${known.join(', ')}`)
  if (typeof definition.start !== 'function') throw wrong(name, 'it has no function `start`')
  for (const required of definition.requires ?? []) {
    if (typeof required !== 'string' && !isStep(required))
      throw wrong(name, '`requires` holds what is neither a name nor a step')
  }
  for (const [key, option] of Object.entries(definition.options ?? {})) checkOption(name, key, option)
  return {
    ...definition,
    provides: checkName('component', definition.provides ?? name),
    requires: definition.requires ?? [],
    before: definition.before ?? [],
    options: definition.options ?? {},
    [brand]: true,
  }
}

/** True for what `defineStep` of any copy of the library has made. */
export const isStep = (value: unknown): value is UserStep =>
  typeof value === 'object' && value !== null && Reflect.get(value, brand) === true

/** The steps with all that they require by themselves, each once. */
export const withRequired = (steps: readonly UserStep[]): UserStep[] => {
  const all = new Set<UserStep>()
  const add = (step: UserStep): void => {
    if (all.has(step)) return
    all.add(step)
    for (const required of step.requires) if (isStep(required)) add(required)
  }
  for (const step of steps) add(step)
  return [...all]
}

/** True for an option that takes a value. */
export const takesValue = ({ flags }: StepOption): boolean => flags.endsWith('>')

const known = [
  ...['name', 'provides', 'requires', 'before', 'options', 'includeIf', 'start', 'drain', 'stop', 'info', 'share'],
  ...['onJobStart', 'onJobEnd'],
]

const flagsPattern = /^(-[A-Za-z], )?--[a-z][a-z0-9]*(-[a-z0-9]+)*( <[^<>]+>)?$/

const checkOption = (step: string, key: string, option: StepOption): void => {
  const problem = (text: string): JobqError => wrong(step, `options.${key}: ${text}`)
  if (typeof option !== 'object' || option === null) throw problem('it is not an object')
  if (typeof option.flags !== 'string' || !flagsPattern.test(option.flags) || /--no-/.test(option.flags)) {
    throw problem("flags must be as in '--long <value>', '-s, --long <value>' or '--switch'")
  }
  if (typeof option.description !== 'string') throw problem('it has no description')
  if (!takesValue(option) && (option.default !== undefined || option.parse !== undefined)) {
    throw problem(`${option.flags} takes no value, so it can have neither \`default\` nor \`parse\``)
  }
}

const wrong = (step: string, problem: string): JobqError => new JobqError('usage', `step '${step}': ${problem}`)
