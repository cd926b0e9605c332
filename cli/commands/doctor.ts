import type { Command } from 'commander'
import { brokerFile } from '../broker-file.ts'
import { Exit } from '../exit.ts'
import { explain } from '../help.ts'
import { openSession } from '../session.ts'

/** Adds `jobq doctor`. */
export const register = (program: Command): void => {
  const command = program
    .command('doctor')
    .description('check the health of the broker and say what to do; exits 1 if something is wrong')
    .action(async (_options: unknown, command: Command) => {
      const { output, broker } = await openSession(command)
      const file = brokerFile(broker.value, 'doctor')
      const { doctor } = await import('../../src/broker/sqlite/maintenance.ts')
      const checks = await doctor(file)
      const ok = checks.every((check) => check.ok)
      if (output.json) output.document({ ok, checks })
      else if (!output.quiet) {
        output.table(
          [
            { title: 'check', value: ({ name }) => name },
            {
              title: 'answer',
              value: (check) => (check.ok ? 'ok' : 'WRONG'),
              style: (check) => (check.ok ? 'green' : 'red'),
            },
            { title: 'detail', value: ({ detail }) => detail },
          ],
          checks,
        )
        for (const { name, fix } of checks.filter((check) => !check.ok))
          output.message(`${name}: ${fix ?? 'no fix is known'}`)
      }
      if (!ok) throw new Exit(1)
    })
  explain(command, [
    ['jobq doctor', 'is everything all right?'],
    ['jobq doctor --json', 'the same for a monitor'],
  ])
}
