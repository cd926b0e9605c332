import path from 'node:path'
import type { Command } from 'commander'
import { brokerFile } from '../broker-file.ts'
import { explain } from '../help.ts'
import { argument, plainText } from '../options.ts'
import { openSession } from '../session.ts'

interface Flags {
  readonly force?: boolean
}

/** Adds `jobq backup`. */
export const register = (program: Command): void => {
  const command = program
    .command('backup')
    .addArgument(argument('<file>', 'the copy to make', plainText))
    .option('--force', 'replace the file if it exists')
    .description('copy the broker while it is in use')
    .action(async (file: string, flags: Flags, command: Command) => {
      const { output, broker } = await openSession(command)
      const source = brokerFile(broker.value, 'backup')
      const target = path.resolve(file)
      const { backup } = await import('../../src/broker/sqlite/maintenance.ts')
      const progress = output.progress('copying')
      try {
        const onPages = (copied: number, all: number): void => progress.update(copied, all, 'pages')
        await backup(source, target, { force: flags.force === true, onPages })
      } finally {
        progress.end()
      }
      if (output.json) output.document({ from: source, to: target })
      else if (!output.quiet) output.message(`copied ${source} to ${target}`)
    })
  explain(
    command,
    [['jobq backup /backups/jobs.db', 'a copy that is whole, whatever runs meanwhile']],
    'The copy is a broker like any other: jobq -b COPY ls. The output of jobs is not in it. A damaged file is not copied: exit 78.',
  )
}
