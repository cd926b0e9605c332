import { type Command, Help, type Option } from 'commander'
import { fold } from './fold.ts'

interface Extra {
  readonly examples: readonly (readonly [line: string, does: string])[]
  readonly details: string
}

const extras = new WeakMap<Command, Extra>()

/** Gives a command the examples that open its full help and the text that closes it. */
export const explain = (command: Command, examples: Extra['examples'], details = ''): Command => {
  extras.set(command, { examples, details })
  return command
}

/** Sets how a program and its commands lay out help: short for `-h`; `full` for `--help`, with examples first. */
export const layHelp = (program: Command, full: boolean): void => {
  program.helpOption('-h, --help', 'short help (-h), or all of it with examples (--help)')
  program.configureHelp({
    showGlobalOptions: full,
    // The words name a default where there is one to know.
    optionDescription: ({ description }: Option) => description,
    formatHelp: (command, helper) => {
      const body = Help.prototype.formatHelp.call(helper, command, helper)
      const { examples, details } = extras.get(command) ?? { examples: [], details: '' }
      if (full) return `${layExamples(examples)}${body}${details === '' ? '' : `\n${prose(details.trim())}\n`}`
      return `${body}\nExamples and more: ${command.parent === null ? 'jobq' : `jobq ${command.name()}`} --help\n`
    },
  })
}

/** Prose of the help as it fits the terminal; elsewhere as it is. */
export const prose = (text: string): string => (process.stdout.isTTY ? fold(text, process.stdout.columns) : text)

const layExamples = (examples: Extra['examples']): string => {
  if (examples.length === 0) return ''
  const width = Math.min(44, Math.max(...examples.map(([line]) => line.length)))
  const lines = examples.map(([line, does]) =>
    line.length > width ? `  ${line}\n  ${' '.repeat(width)}  ${does}` : `  ${line.padEnd(width)}  ${does}`,
  )
  return `Examples:\n${lines.join('\n')}\n\n`
}
