import { Command } from 'commander'
import { explain, layHelp } from './help.ts'
import { option, plainText } from './options.ts'
import { settings } from './settings.ts'
import { writeAll } from './write.ts'

/** `jobq` with its global options and no commands yet; `full` chooses the long help. */
export const rootCommand = (full: boolean): Command => {
  const root = new Command('jobq')
  root
    .description('Background jobs: commands and tasks, queued in a file, run by workers.')
    .usage('[options] COMMAND …')
    .addOption(option('-b, --broker <url>', 'where the jobs are: a SQLite file or a URL', settings.broker.parse))
    .addOption(option('--config <file>', 'read this file instead of ./jobq.config.*', plainText))
    .addOption(option('--color <when>', 'auto, always or never', settings.color.parse))
    .option('--json', 'print JSON: a document, or a line each for a stream')
    .option('--quiet', 'print ids only, and no messages')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ writeOut: (text) => writeAll(1, text), writeErr: () => undefined })
  layHelp(root, full)
  explain(root, [
    ['jobq enqueue -- convert a.png b.jpg', 'add a command'],
    ['jobq enqueue mail/send \'{"to":"ann"}\'', 'add a task of ./tasks'],
    ['jobq run -c 4', 'run them, four at a time'],
    ['jobq ls --state failed', 'see what failed'],
    ['jobq logs -f 41', "follow a job's output"],
  ])
  return root
}
