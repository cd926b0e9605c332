import type { StepStatus } from './boot.ts'

/** A step as a graph shows it. */
export type GraphStep = Pick<StepStatus, 'name' | 'provides' | 'requires' | 'before' | 'origin' | 'state'>

/** The graph in Graphviz's DOT, an arrow from each step to what it requires, a dotted one to what is
 * only started before it; the user's steps are boxes, what is left out is dashed. */
export const toDot = (steps: readonly GraphStep[]): string => {
  const nameOf = new Map(steps.toReversed().map(({ provides, name }) => [provides, name]))
  const nodes = steps.map(({ name, origin, state }) => {
    const attributes = [
      `label="${name}\\n${state}"`,
      ...(origin === 'user' ? ['shape=box'] : []),
      ...(state === 'left out' ? ['style=dashed'] : state === 'failed' ? ['color=red'] : []),
    ]
    return `  "${name}" [${attributes.join(', ')}]`
  })
  const arrows = steps.flatMap(({ name, requires }) =>
    requires.map((component) => `  "${name}" -> "${nameOf.get(component) ?? component}"`),
  )
  const dotted = steps.flatMap(({ name, before, state }) =>
    state === 'left out'
      ? []
      : before.map((component) => `  "${nameOf.get(component) ?? component}" -> "${name}" [style=dotted]`),
  )
  return ['digraph steps {', ...nodes, ...arrows, ...dotted, '}'].join('\n')
}

/** One line of a tree: what stands before the step, and the step; `again` where its requirements are drawn further up. */
export interface TreeLine<T> {
  readonly prefix: string
  readonly step: T
  readonly again: boolean
}

/** The graph as a tree for people: steps that no other requires at the left, what each requires under it. */
export const toTree = <T extends Pick<GraphStep, 'name' | 'provides' | 'requires'>>(
  steps: readonly T[],
): TreeLine<T>[] => {
  const byComponent = new Map(steps.toReversed().map((step) => [step.provides, step]))
  const required = new Set(steps.flatMap(({ requires }) => requires))
  const drawn = new Set<T>()
  const branch = (step: T, prefix: string, indent: string): TreeLine<T>[] => {
    const children = step.requires.flatMap((component) => byComponent.get(component) ?? [])
    const again = drawn.has(step) && children.length > 0
    drawn.add(step)
    const below = again ? [] : children
    return [
      { prefix, step, again },
      ...below.flatMap((child, index) => {
        const last = index === below.length - 1
        return branch(child, `${indent}${last ? '└─ ' : '├─ '}`, `${indent}${last ? '   ' : '│  '}`)
      }),
    ]
  }
  return steps.filter(({ provides }) => !required.has(provides)).flatMap((step) => branch(step, '', ''))
}
