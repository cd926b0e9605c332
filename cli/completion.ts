/**
 * Shell completion, written out from the command line's own definition: no process is started at a TAB, and nothing
 * can be forgotten. (omelette knows no fish, tabtab is not kept any more, and @bomb.sh/tab asks the program at every
 * TAB.)
 */
import type { Command } from 'commander'

/** The shells that `completionScript` writes for. */
export const shells = ['bash', 'zsh', 'fish'] as const
/** One of `shells`. */
export type Shell = (typeof shells)[number]

interface Flag {
  readonly flags: readonly string[]
  readonly value: boolean
  readonly choices: readonly string[]
  readonly does: string
}

interface Verb {
  readonly names: readonly string[]
  readonly does: string
  readonly flags: readonly Flag[]
  readonly words: readonly string[]
}

/** A script that makes a shell complete jobq's commands and options. */
export const completionScript = (shell: Shell, program: Command): string => {
  const global = flagsOf(program)
  const verbs = program.commands.map(
    (command): Verb => ({
      names: [command.name(), ...command.aliases()],
      does: command.description(),
      flags: flagsOf(command),
      words: command.name() === 'help' ? program.commands.map((each) => each.name()) : choicesOf(command),
    }),
  )
  return { bash, zsh, fish }[shell](verbs, global)
}

const flagsOf = (command: Command): Flag[] =>
  command.options.map((option) => ({
    flags: [option.short, option.long].filter((flag) => flag !== undefined),
    value: option.required,
    choices: option.argChoices ?? [],
    does: option.description,
  }))

const choicesOf = (command: Command): string[] =>
  command.registeredArguments.flatMap((argument) => argument.argChoices ?? [])

const globalValues = (global: readonly Flag[]): string =>
  global.flatMap(({ flags, value }) => (value ? flags : [])).join('|')

const wordsOf = (verb: Verb, global: readonly Flag[]): string =>
  [...verb.words, ...[...verb.flags, ...global].flatMap(({ flags }) => flags), '--help'].join(' ')

const bash = (
  verbs: readonly Verb[],
  global: readonly Flag[],
): string => `# jobq completion for bash: eval "$(jobq completion bash)"
_jobq() {
  local current=\${COMP_WORDS[COMP_CWORD]} verb= words= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      --) return ;;
      ${globalValues(global)}) ((i++)) ;;
      -*) ;;
      *) [ -n "$verb" ] || verb=\${COMP_WORDS[i]} ;;
    esac
  done
  case $verb in
    '') words='${[...verbs.flatMap(({ names }) => names), ...global.flatMap(({ flags }) => flags)].join(' ')}' ;;
${verbs.map((verb) => `    ${verb.names.join('|')}) words='${wordsOf(verb, global)}' ;;`).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _jobq jobq
`

const zsh = (verbs: readonly Verb[], global: readonly Flag[]): string => `#compdef jobq
# jobq completion for zsh: eval "$(jobq completion zsh)", or as a file _jobq in a folder of $fpath
_jobq() {
  local verb= i
  local -a choices
  for ((i = 2; i < CURRENT; i++)); do
    case \${words[i]} in
      --) _default; return ;;
      ${globalValues(global)}) ((i++)) ;;
      -*) ;;
      *) [[ -n $verb ]] || verb=\${words[i]} ;;
    esac
  done
  case $verb in
    '') choices=(${verbs.flatMap(({ names, does }) => names.map((name) => zshChoice(name, does))).join(' ')} ${zshFlags(global)}) ;;
${verbs.map((verb) => `    ${verb.names.join('|')}) choices=(${[...verb.words.map((word) => zshChoice(word, '')), zshFlags([...verb.flags, ...global])].join(' ')}) ;;`).join('\n')}
  esac
  _describe jobq choices
  [[ -z $verb || $PREFIX == -* ]] || _default
}
compdef _jobq jobq
`

const zshFlags = (flags: readonly Flag[]): string =>
  flags.flatMap((flag) => flag.flags.map((name) => zshChoice(name, flag.does))).join(' ')

const zshChoice = (word: string, does: string): string =>
  single(does === '' ? word : `${word}:${does.replaceAll(':', ' ')}`)

const fish = (verbs: readonly Verb[], global: readonly Flag[]): string =>
  [
    '# jobq completion for fish: jobq completion fish | source',
    ...global.map((flag) => fishFlag(flag, null)),
    ...verbs.flatMap(({ names, does }) =>
      names.map((name) => `complete -c jobq -n __fish_use_subcommand -f -a ${name} -d ${single(does)}`),
    ),
    ...verbs.flatMap((verb) => [
      ...verb.words.map((word) => `complete -c jobq -n ${fishSeen(verb)} -f -a ${word}`),
      ...verb.flags.map((flag) => fishFlag(flag, verb)),
    ]),
    '',
  ].join('\n')

const fishFlag = ({ flags, value, choices, does }: Flag, verb: Verb | null): string => {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`)).join(' ')
  const values = choices.length > 0 ? ` -x -a ${single(choices.join(' '))}` : value ? ' -r' : ''
  return `complete -c jobq${verb === null ? '' : ` -n ${fishSeen(verb)}`} ${names}${values} -d ${single(does)}`
}

const fishSeen = ({ names }: Verb): string => single(`__fish_seen_subcommand_from ${names.join(' ')}`)

const single = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
