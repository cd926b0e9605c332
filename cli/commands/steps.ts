import type { Command } from 'commander'
import { type TreeLine, toDot, toTree } from '../../src/boot/graph.ts'
import { createWorker, type StepStatus } from '../../src/worker/worker.ts'
import { Exit } from '../exit.ts'
import { explain } from '../help.ts'
import { nameOf, option } from '../options.ts'
import type { Output } from '../output.ts'
import { onQueue, openSession, type Session } from '../session.ts'
import { resolve, settings } from '../settings.ts'
import { stepValues } from '../step-options.ts'
import type { Style } from '../table.ts'

interface Options {
  readonly dot?: boolean
  readonly tree?: boolean
  readonly worker?: string
}

/** Adds `jobq steps`. */
export const register = (program: Command): void => {
  const command = program
    .command('steps')
    .description('print the steps that a worker is made of, and which require which')
    .option('--dot', "as a graph in Graphviz's DOT")
    .option('--tree', 'as a tree also when stdout is not a terminal')
    .addOption(option('--worker <name>', 'those of a worker that runs, with their present state', nameOf('worker')))
    .action(async (options: Options, command: Command) => {
      const session = await openSession(command)
      const { output } = session
      const steps = options.worker === undefined ? planned(session) : await running(session, options.worker)
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
      ['jobq steps --worker web', 'in which state those of the worker web are'],
      ['jobq steps --dot | dot -Tsvg > steps.svg', 'as a picture; arrows point to what a step requires'],
    ],
    `A worker starts its steps in the order of their requirements and stops them in reverse. Under each step of the tree are
those that it requires; … says that theirs are drawn further up. The steps of the configuration are marked as the user's,
and of a step that is left out it is said why.

Columns when stdout is not a terminal, separated by tabs, in the order of the start: name, what it requires, whose it is
(built-in or user), state (of a worker that runs: starting, started, draining, stopping, …; else planned or left out),
why it is left out or what it threw last.`,
  )
}

/** The steps of a worker as it would start here. One that is made and not started has opened nothing. */
const planned = ({ broker, config, sources }: Session): readonly StepStatus[] =>
  createWorker({
    broker: broker.value,
    tasks: resolve(settings.tasks, undefined, sources).value,
    stepOptions: stepValues({}, sources),
    ...(config === null ? {} : { config: config.values }),
  }).steps

const running = async (session: Session, worker: string): Promise<readonly StepStatus[]> => {
  const found: (readonly StepStatus[])[] = []
  await onQueue(session, async (queue) => {
    for (const answer of await queue.control({ verb: 'dump' }, { worker })) {
      if (answer.ok && answer.result.verb === 'dump') found.push(answer.result.steps)
      else if (!answer.ok) throw new Exit(answer.answered ? 1 : 69, `worker ${worker}: ${answer.message}`)
    }
  })
  return found[0] ?? []
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
