import { Argument, type Command } from 'commander'
import { completionScript, type Shell, shells } from '../completion.ts'
import { explain } from '../help.ts'
import { oneOf } from '../options.ts'
import { writeAll } from '../write.ts'

/** Adds `jobq completion`. */
export const register = (program: Command): void => {
  const shell = new Argument('<shell>', shells.join(', ')).choices(shells)
  const command = program
    .command('completion')
    .addArgument(shell.argParser(oneOf(...shells)))
    .description('print a script that makes a shell complete jobq')
    .action((shell: Shell) => writeAll(1, completionScript(shell, program)))
  explain(command, [
    ['eval "$(jobq completion bash)"', 'in ~/.bashrc'],
    ['eval "$(jobq completion zsh)"', 'in ~/.zshrc, behind compinit'],
    ['jobq completion fish | source', 'in ~/.config/fish/config.fish'],
  ])
}
