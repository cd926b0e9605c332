import type { Command } from 'commander'
import { versionDocument, versionLine } from '../lean/version.ts'
import { openSession } from '../session.ts'

/** Adds `jobq version`. */
export const register = (program: Command): void => {
  program
    .command('version')
    .description('print the version, and what it was built from')
    .action(async (_options: unknown, command: Command) => {
      const { output } = await openSession(command)
      if (output.json) output.document(versionDocument())
      else output.line(versionLine())
    })
}
