import type { Command } from 'commander'
import { type TreeLine, toDot, toTree } from '../../src/boot/graph.ts'
import { createWorker, type StepStatus } from '../../src/worker/worker.ts'
import { explain } from '../help.ts'
import type { Output } from '../output.ts'
import { openSession } from '../session.ts'
import { resolve, settings } from '../settings.ts'
import { stepValues } from '../step-options.ts'
import type { Style } from '../table.ts'

/** Adds `jobq steps`. */
export const register = (program: Command): void => {
  const command = program
    .command('steps')
    .description('print the steps that a worker is made of, and which require which')
    .option('--dot', "as a graph in Graphviz's DOT")
    .option('--tree', 'as a tree also when stdout is not a terminal')
    .action(async (options: { readonly dot?: boolean; readonly tree?: boolean }, command: Command) => {
      const { output, broker, config, sources } = await openSession(command)
      // A worker that is made and not started has opened nothing.
      const { steps } = createWorker({
        broker: broker.value,
        tasks: resolve(settings.tasks, undefined, sources).value,
        stepOptions: stepValues({}, sources),
        ...(config === null ? {} : { config: config.values }),
      })
      if (options.dot === true) output.raw(`${toDot(steps)}\n`)
      else if (output.json) output.document(steps)
      else if (output.quiet) for (const { name } of steps) output.line(name)
      else if (options.tree === true || output.terminal) printTree(steps, output)
      else printTable(steps, output)
    })
  explain(
    command,
    [
      ['jobq steps', 'what a worker is made of'],
      ['jobq steps --dot | dot -Tsvg > steps.svg', 'as a picture; arrows point to what a step requires'],
    ],
    `A worker starts its steps in the order of their requirements and stops them in reverse. Under each step of the tree are
those that it requires; … says that theirs are drawn further up. The steps of the configuration are marked as the user's,
and of a step that is left out it is said why.

Columns when stdout is not a terminal, separated by tabs, in the order of the start: name, what it requires, whose it is
(built-in or user), state (planned or left out), why it is left out.`,
  )
}

const printTable = (steps: readonly StepStatus[], output: Output): void => {
  output.table(
    [
      { title: 'step', value: ({ name }) => name },
      { title: 'requires', value: ({ requires }) => requires.join(', ') },
      { title: 'of', value: ({ origin }) => origin },
      { title: 'state', value: ({ state }) => state },
      { title: 'because', value: ({ reason }) => reason },
    ],
    steps,
  )
}

const printTree = (steps: readonly StepStatus[], output: Output): void => {
  for (const line of toTree(steps)) output.line(treeText(line, output))
}

const treeText = ({ prefix, step, again }: TreeLine<StepStatus>, output: Output): string => {
  const { name, provides, origin, state, reason } = step
  const notes = [
    ...(provides === name ? [] : [`provides ${provides}`]),
    ...(origin === 'user' ? ["the user's"] : []),
    ...(state === 'planned' ? [] : [reason === null ? state : `${state}: ${reason}`]),
  ]
  const text = `${name}${notes.length === 0 ? '' : ` (${notes.join('; ')})`}${again ? ' …' : ''}`
  const style: Style | null = state === 'failed' ? 'red' : state === 'left out' ? 'dim' : null
  return `${prefix}${style === null ? text : output.paint(style, text)}`
}
