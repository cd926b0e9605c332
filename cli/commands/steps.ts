import type { Command } from 'commander'
import { toDot } from '../../src/boot/order.ts'
import { createWorker } from '../../src/worker/worker.ts'
import { explain } from '../help.ts'
import { openSession } from '../session.ts'

/** Adds `jobq steps`. */
export const register = (program: Command): void => {
  const command = program
    .command('steps')
    .description('print the steps that a worker starts from, in their order')
    .option('--dot', "as a graph in Graphviz's DOT")
    .action(async (options: { readonly dot?: boolean }, command: Command) => {
      const { output, broker, config } = await openSession(command)
      // A worker that is made and not started has opened nothing.
      const { steps } = createWorker({
        broker: broker.value,
        ...(config === null ? {} : { config: config.values }),
      })
      if (options.dot === true) output.raw(`${toDot(steps)}\n`)
      else if (output.json) output.document(steps.map(({ name, requires }) => ({ name, requires })))
      else if (output.quiet) for (const { name } of steps) output.line(name)
      else {
        output.table(
          [
            { title: 'step', value: ({ name }) => name },
            { title: 'requires', value: ({ requires }) => requires.join(', ') },
          ],
          steps,
        )
      }
    })
  explain(
    command,
    [
      ['jobq steps', 'what a worker is made of'],
      ['jobq steps --dot | dot -Tsvg > steps.svg', 'as a picture; arrows point to what a step requires'],
    ],
    'A worker starts its steps in this order and stops them in reverse.',
  )
}
