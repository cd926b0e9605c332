import type { Command } from 'commander'
import { brokerFile } from '../broker-file.ts'
import { explain } from '../help.ts'
import { openSession } from '../session.ts'

interface Flags {
  readonly dryRun?: boolean
}

/** Adds `jobq migrate`. */
export const register = (program: Command): void => {
  const command = program
    .command('migrate')
    .option('--dry-run', 'only say what would be done')
    .description("bring the broker's schema up to date (whatever opens it for writing does the same)")
    .action(async (flags: Flags, command: Command) => {
      const { output, broker } = await openSession(command)
      const file = brokerFile(broker.value, 'migrate')
      const { migrateDatabase } = await import('../../src/broker/sqlite/maintenance.ts')
      const progress = output.progress('migrating')
      const { from, to } = await migrateDatabase(file, { dryRun: true })
      try {
        // One transaction, which keeps the thread.
        if (from !== to) progress.still(`schema ${from} to ${to}`)
        if (flags.dryRun !== true) await migrateDatabase(file, { dryRun: false })
      } finally {
        progress.end()
      }
      const dryRun = flags.dryRun === true
      if (output.json) output.document({ from, to, dryRun })
      else if (from === to) output.line(`schema ${to} is up to date`)
      else output.line(`schema ${from} ${dryRun ? 'would be' : 'was'} brought to ${to}`)
    })
  explain(command, [['jobq migrate --dry-run', 'what would change?']])
}
