import { JobqError } from '../errors.ts'
import { nearest } from '../nearest.ts'
import { componentOf, inOrder } from './order.ts'
import type { AnyStep } from './step.ts'

/** What a process is to be built from. */
export interface StepChoice {
  readonly builtIn: readonly AnyStep[]
  /** The user's steps; one with the name of a built-in step stands in its place. */
  readonly own?: readonly AnyStep[]
  /** Names of built-in steps to leave out. */
  readonly without?: readonly string[]
}

/** Steps that fit together. */
export interface Plan {
  /** Those that start, in their order. */
  readonly steps: readonly AnyStep[]
  /** Those that do not, and why: as in `it is in 'without'`. */
  readonly leftOut: ReadonlyMap<AnyStep, string>
  /** Those of the user. */
  readonly own: ReadonlySet<AnyStep>
}

/**
 * Chooses and sorts the steps of a process; asks each `includeIf` once.
 * @throws JobqError `usage` naming the steps that do not fit together and why
 */
export const planSteps = ({ builtIn, own = [], without = [] }: StepChoice): Plan => {
  const names = builtIn.map(({ name }) => name)
  const unknown = without.find((name) => !names.includes(name))
  if (unknown !== undefined) {
    const meant = nearest(unknown, names)
    const hint = meant === null ? `they are ${names.join(', ')}` : `did you mean ${meant}?`
    throw new JobqError('usage', `without: '${unknown}' is no built-in step; ${hint}`)
  }
  const placed = builtIn.map((step) => own.find(({ name }) => name === step.name) ?? step)
  const all = [...placed, ...own.filter((step) => !placed.includes(step))]
  const leftOut = new Map<AnyStep, string>()
  for (const step of all) {
    if (!own.includes(step) && without.includes(step.name)) leftOut.set(step, "it is in 'without'")
    else if (step.includeIf?.() === false) leftOut.set(step, 'its includeIf is false')
  }
  const given = all.map(componentOf)
  const why = (component: string): string => {
    const out = [...leftOut].find(([step]) => componentOf(step) === component)
    if (out !== undefined) return `which is left out: ${out[1]}`
    const meant = nearest(component, given)
    return meant === null ? 'which is not there' : `which is not there; did you mean ${meant}?`
  }
  for (const { name, before = [] } of all) {
    const stray = before.find((component) => !given.includes(component))
    if (stray !== undefined) throw new JobqError('usage', `step '${name}' is before '${stray}', ${why(stray)}`)
  }
  const included = all.filter((step) => !leftOut.has(step))
  return { steps: inOrder(included, why), leftOut, own: new Set(own) }
}
