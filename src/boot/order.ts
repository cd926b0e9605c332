/** What a step is to the graph. */
export interface Node {
  readonly name: string
  readonly requires: readonly string[]
}

/**
 * Puts steps in an order in which each comes after all it requires, otherwise as given (depth first search).
 * @throws Error naming a step that is there twice, a requirement that is not there, or the cycle
 */
export const inOrder = <T extends Node>(steps: readonly T[]): T[] => {
  const byName = new Map<string, T>()
  for (const step of steps) {
    if (byName.has(step.name)) throw new Error(`there are two steps named '${step.name}'`)
    byName.set(step.name, step)
  }
  const ordered = new Set<T>()
  const visit = (step: T, path: readonly string[]): void => {
    if (ordered.has(step)) return
    if (path.includes(step.name)) throw new Error(`steps require each other: ${[...path, step.name].join(' → ')}`)
    for (const name of step.requires) {
      const required = byName.get(name)
      if (required === undefined) throw new Error(`step '${step.name}' requires '${name}', which is not there`)
      visit(required, [...path, step.name])
    }
    ordered.add(step)
  }
  for (const step of steps) visit(step, [])
  return [...ordered]
}

/** The graph in Graphviz's DOT, an arrow from each step to what it requires. */
export const toDot = (steps: readonly Node[]): string => {
  const arrows = steps.flatMap((step) => step.requires.map((name) => `  "${step.name}" -> "${name}"`))
  return ['digraph steps {', ...steps.map((step) => `  "${step.name}"`), ...arrows, '}'].join('\n')
}
