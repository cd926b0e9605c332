import { JobqError } from '../errors.ts'

/** What a step is to the graph. */
export interface Node {
  readonly name: string
  /** What others require it by; default its name. */
  readonly provides?: string
  readonly requires: readonly string[]
  readonly before?: readonly string[]
}

/** What a step is required by. */
export const componentOf = ({ name, provides }: Node): string => provides ?? name

/**
 * Puts steps in an order in which each comes after all it requires, otherwise as given (depth first search).
 * `why` says of a component that no step gives why it is missing.
 * @throws JobqError `usage` naming a component or step that is there twice, a requirement that is not there, or the cycle
 */
export const inOrder = <T extends Node>(
  steps: readonly T[],
  why: (component: string) => string = () => 'which is not there',
): T[] => {
  const byComponent = new Map<string, T>()
  const names = new Set<string>()
  for (const step of steps) {
    const component = componentOf(step)
    const other = byComponent.get(component)
    if (names.has(step.name)) throw new JobqError('usage', `there are two steps named '${step.name}'`)
    if (other) throw new JobqError('usage', `steps '${other.name}' and '${step.name}' both provide '${component}'`)
    names.add(step.name)
    byComponent.set(component, step)
  }
  const ordered = new Set<T>()
  const visit = (step: T, path: readonly string[]): void => {
    if (ordered.has(step)) return
    if (path.includes(step.name)) {
      const cycle = [...path.slice(path.indexOf(step.name)), step.name]
      throw new JobqError('usage', `steps require each other: ${cycle.join(' → ')}`)
    }
    const own = componentOf(step)
    const earlier = steps.filter(({ before }) => before?.includes(own))
    for (const component of step.requires) {
      const required = byComponent.get(component)
      if (required === undefined) {
        throw new JobqError('usage', `step '${step.name}' requires '${component}', ${why(component)}`)
      }
      visit(required, [...path, step.name])
    }
    for (const other of earlier) visit(other, [...path, step.name])
    ordered.add(step)
  }
  for (const step of steps) visit(step, [])
  return [...ordered]
}
